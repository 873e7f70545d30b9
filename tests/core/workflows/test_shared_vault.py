"""One operation opens the vault once: under a passphrase that takes a good part of a second each time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.engine import Engine
from tests.support.acme_server import problem
from tests.support.appliance import Appliance

NAME = "shop.example.com"


@pytest.fixture
def sealed(appliance: Appliance, tmp_path: Path) -> Appliance:
    """A box whose vault is under a passphrase."""
    (tmp_path / "passphrase").write_text("correct horse battery staple\n")
    variables = {"CERTDECK_PASSPHRASE_FILE": str(tmp_path / "passphrase")}
    appliance.engine = Engine(appliance.paths, replace(appliance.engine.env, variables=variables))
    return appliance


def test_a_passphrase_is_used_once_in_an_operation(
    sealed: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A renewal of four lineages asked for the passphrase, and paid for it, once for each of them and more."""
    for number in range(4):
        sealed.issue(f"shop{number}.example.com")
    really, asked = os.open, 0

    def counting(path: str | Path, *arguments: int, **more: int | None) -> int:
        nonlocal asked
        asked += path == tmp_path / "passphrase"
        return really(path, *arguments, **more)

    monkeypatch.setattr(os, "open", counting)
    assert len(sealed.engine.renew(force=True).renewed) == 4
    assert asked == 1
    sealed.engine.rollback("shop0.example.com")
    assert asked == 2


def test_a_certificate_of_a_lost_account_can_be_revoked(appliance: Appliance) -> None:
    """Where the account that ordered it is gone the CA refuses the new one: the certificate's own key revokes it then."""
    appliance.issue(NAME)
    appliance.ca.fail("/revoke-cert", problem("unauthorized", 403, "not yours"))
    appliance.engine.revoke(NAME, reason="keyCompromise")
    assert list(appliance.ca.revoked.values()) == [1]
    used = [entry.facts["purpose"] for entry in appliance.engine.log() if entry.kind == "key-used"]
    assert "revoke its own certificate" in used
