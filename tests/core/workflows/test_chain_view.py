"""The chain of a live certificate, followed to a root of this box."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from core.engine import Engine
from core.errors import NotFound
from core.store.live import write_link
from tests.support.appliance import Appliance
from tests.support.authority import Authority
from tests.support.boxes import store

NAME = "shop.example.com"


def _engine(appliance: Appliance, authority: Authority, roots: Path | None) -> Engine:
    """Return an engine whose system trusts the roots in a file."""
    leaf = authority.leaf([NAME])
    write_link(appliance.paths, NAME, store(appliance.paths, NAME, leaf))
    known = str(roots or appliance.root / "none.pem")
    return Engine(appliance.paths, replace(appliance.engine.env, variables={"SSL_CERT_FILE": known}))


def test_a_chain_goes_to_the_root_of_the_system(appliance: Appliance, tmp_path: Path) -> None:
    """The root that signed the last certificate is found in the system's store; it is not sent, and who trusts it is named."""
    authority = Authority.new("Known", now=appliance.clock.now())
    roots = tmp_path / "roots.pem"
    roots.write_bytes(Authority.new("Other", now=appliance.clock.now()).root_pem + authority.root_pem)
    chain = _engine(appliance, authority, roots).chain(NAME)
    assert [(link.subject, link.is_sent) for link in chain.links] == [
        (NAME, True),
        ("Known Intermediate", True),
        ("Known Root", False),
    ]
    assert chain.trusted_by == "this system's trust store"
    assert chain.links[0].not_after < chain.links[2].not_after


def test_a_root_of_the_same_name_is_not_taken(appliance: Appliance, tmp_path: Path) -> None:
    """A root that only has the issuer's name has not signed it: nothing trusts the end of the chain."""
    authority, impostor = (Authority.new("Known", now=appliance.clock.now()) for _ in range(2))
    roots = tmp_path / "roots.pem"
    roots.write_bytes(impostor.root_pem)
    chain = _engine(appliance, authority, roots).chain(NAME)
    assert (len(chain.links), chain.trusted_by, chain.issuer) == (2, "", "Known Root")


def test_the_private_ca_is_trusted_by_this_box(appliance: Appliance) -> None:
    """A certificate of the box's own CA ends at its root, which this box trusts."""
    appliance.issue(NAME, issuer="appliance-ca")
    chain = appliance.engine.chain(NAME)
    assert chain.trusted_by == "this box's private CA"


def test_a_self_signed_certificate_stands_alone(appliance: Appliance) -> None:
    """A self-signed certificate is a chain of one that nothing trusts."""
    appliance.engine.first_boot()
    chain = appliance.engine.chain("default")
    assert (len(chain.links), chain.trusted_by) == (1, "")


def test_without_a_certificate_there_is_no_chain(appliance: Appliance) -> None:
    """A name without a live certificate is not found."""
    with pytest.raises(NotFound):
        appliance.engine.chain("nothing.example.com")
