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


def test_der_is_exported_without_the_file_of_the_leaf(appliance: Appliance, tmp_path: Path) -> None:
    """The leaf is taken from the file that services get, so a damaged `cert.pem` changes nothing."""
    appliance.issue(NAME)
    (folder(appliance.paths, NAME, 1) / "cert.pem").write_bytes(b"garbage")
    appliance.engine.export(NAME, format="der", out=tmp_path / "out", passphrase=None, legacy=False)
    assert (tmp_path / "out").read_bytes().startswith(b"\x30")


def test_what_shows_a_damaged_certificate_says_so(appliance: Appliance) -> None:
    """The views of the chain and of the file name the damage."""
    appliance.issue(NAME)
    (folder(appliance.paths, NAME, 1) / "fullchain.pem").write_bytes(b"garbage")
    for look in (appliance.engine.chain, appliance.engine.pem):
        with pytest.raises(StoreCorrupt, match="cannot be used"):
            look(NAME)
