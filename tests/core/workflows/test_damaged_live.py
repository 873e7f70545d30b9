"""A live certificate whose files somebody has damaged: what reads it says so, and nothing damaged leaves the box."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import StoreCorrupt
from core.store.lineages import folder
from core.workflows.keeping.export import FORMATS
from tests.support.appliance import Appliance

NAME = "shop.example.com"


@pytest.mark.parametrize("content", [b"garbage", b"", b"\xff\xfeA\0"])
@pytest.mark.parametrize("format", FORMATS)
def test_a_damaged_certificate_is_not_exported(
    appliance: Appliance, tmp_path: Path, format: str, content: bytes
) -> None:
    """An export of a certificate that cannot be read is refused in every format, and writes no file."""
    appliance.issue(NAME)
    (folder(appliance.paths, NAME, 1) / "fullchain.pem").write_bytes(content)
    with pytest.raises(StoreCorrupt):
        appliance.engine.export(NAME, format=format, out=tmp_path / "out", passphrase=None, legacy=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("format", [name for name, each in FORMATS.items() if each.has_key])
def test_another_key_is_not_exported(appliance: Appliance, tmp_path: Path, format: str) -> None:
    """A key that does not match the certificate is not exported with it."""
    for name in (NAME, "other.example.com"):
        appliance.issue(name)
    other = folder(appliance.paths, "other.example.com", 1) / "privkey.pem"
    (folder(appliance.paths, NAME, 1) / "privkey.pem").write_bytes(other.read_bytes())
    with pytest.raises(StoreCorrupt, match="cannot be used"):
        appliance.engine.export(NAME, format=format, out=tmp_path / "out", passphrase=None, legacy=False)


def test_what_shows_a_damaged_certificate_says_so(appliance: Appliance) -> None:
    """The views of the chain and of the file name the damage."""
    appliance.issue(NAME)
    (folder(appliance.paths, NAME, 1) / "fullchain.pem").write_bytes(b"garbage")
    for look in (appliance.engine.chain, appliance.engine.pem):
        with pytest.raises(StoreCorrupt, match="cannot be used"):
            look(NAME)


@pytest.mark.parametrize("file", ["cert.pem", "chain.pem", "fullchain.pem"])
@pytest.mark.parametrize("damage", ["garbage", "cut", "other"])
def test_a_damaged_version_is_not_deployed(appliance: Appliance, file: str, damage: str) -> None:
    """A version with a file that is damaged, cut off, or of another certificate, is not put into service."""
    for name in (NAME, "other.example.com"):
        appliance.issue(name)
    place = folder(appliance.paths, NAME, 1) / file
    other = folder(appliance.paths, "other.example.com", 1) / "cert.pem"
    place.write_bytes({"garbage": b"\0garbage", "cut": place.read_bytes()[:-40], "other": other.read_bytes()}[damage])
    with pytest.raises(StoreCorrupt):
        appliance.engine.deploy(NAME)


def test_another_certificate_is_not_revoked(appliance: Appliance) -> None:
    """A certificate of another name in place of `cert.pem` is not revoked, nor is anything else."""
    for name in (NAME, "other.example.com"):
        appliance.issue(name)
    (folder(appliance.paths, NAME, 1) / "cert.pem").write_bytes(
        (folder(appliance.paths, "other.example.com", 1) / "cert.pem").read_bytes()
    )
    with pytest.raises(StoreCorrupt):
        appliance.engine.revoke(NAME)
    assert not [asked for asked in appliance.ca.asked if "revoke" in asked.url]
