"""Something named that does not exist is exit 1, a word or value that cannot be is exit 2, with every command."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine import Engine
from tests.support.appliance import Appliance
from tests.support.command import command

NOT_FOUND = [
    ["status", "nothing"],
    ["renew", "nothing"],
    ["deploy", "nothing"],
    ["deploy", "default", "--target", "nothing"],
    ["deploy", "default", "--version", "99"],
    ["rollback", "nothing"],
    ["export", "nothing", "--format", "pem", "--out", "x.pem"],
    ["revoke", "nothing", "--yes"],
    ["delete", "nothing", "--yes"],
    ["undelete", "nothing"],
    ["doctor", "nothing"],
    ["complete", "nothing"],
    ["set", "nothing", "--auto-renew", "on"],
    ["set", "nothing", "--issuer", "zerossl", "--yes"],
    ["set", "shop", "--issuer", "nothing", "--yes"],
    ["csr", "nothing", "--remove"],
    ["issue", "-d", "a.example.com", "--issuer", "nothing"],
    ["issue", "-d", "a.example.com", "--target", "nothing"],
    ["issue", "-d", "a.example.com", "--dns", "nothing"],
    ["issuer", "show", "nothing"],
    ["issuer", "test", "nothing"],
    ["issuer", "remove", "nothing"],
    ["issuer", "default", "nothing"],
    ["issuer", "agree", "nothing"],
    ["account", "rollover", "nothing"],
    ["account", "deactivate", "nothing", "--yes"],
    ["target", "test", "nothing"],
    ["target", "remove", "nothing"],
    ["web", "show", "nothing"],
    ["web", "apply", "nothing"],
    ["web", "remove", "nothing"],
    ["dns", "test", "nothing"],
    ["dns", "remove", "nothing"],
    ["adopt", "--dir", "/nothing/at/all"],
    ["deploy", "a" * 300],
    ["rollback", "a" * 300],
    ["complete", "a" * 300],
    ["export", "a" * 300, "--format", "pem", "--out", "x.pem"],
    ["pem", "a" * 300],
    ["set", "a" * 300, "--auto-renew", "on"],
    ["doctor", "a" * 300],
]

WRONG_USAGE = [
    ["nonsense"],
    ["status", "--nonsense"],
    ["adopt", "--from", "nothing"],
    ["adopt", "--all", "shop"],
    ["issue"],
    ["issue", "-d", "a b"],
    ["issue", "-d", "a.example.com", "--key-type", "nonsense"],
    ["issue", "-d", "a.example.com", "--challenge", "nonsense"],
    ["issue", "-d", "a.example.com", "--issuer", "appliance-ca", "--profile", "nonsense"],
    *(
        ["issue", "-d", "a.example.com", "--email", wrong]
        for wrong in (
            "",
            "nonsense",
            "mailto:a@example.com",
            "a@example.com,b@example.com",
            "a@example.com?cc=b",
            "a@\u202eb",
        )
    ),
    ["issuer", "add", "corp", "--directory", "https://ca.example.com/dir", "--email", "nonsense"],
    ["schedule", "on", "--preset", "nonsense"],
    ["schedule", "on", "--at", "25:00"],
    ["set", "shop"],
    ["set", "shop", "--renew-days-before", "-1"],
    ["revoke", "shop", "--reason", "nonsense", "--yes"],
    ["export", "shop", "--format", "nonsense", "--out", "x.pem"],
    ["dns", "add", "x", "--kind", "nonsense"],
    ["target", "add", "x", "--kind", "nonsense", "--certificate", "/a", "--key", "/b"],
]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """A box with a certificate, and a configuration that names nothing else."""
    appliance = Appliance(tmp_path / "box")
    appliance.engine.first_boot()
    appliance.issue("shop.example.com", name="shop")
    return appliance.engine


@pytest.mark.parametrize("argv", NOT_FOUND, ids=" ".join)
def test_not_found(engine: Engine, argv: list[str]) -> None:
    """What is not there is refused with 1 and `not-found`."""
    answer = command(*argv, "--json", engine=engine)
    assert (answer.status, answer.error["code"]) == (1, "not-found")


@pytest.mark.parametrize("argv", WRONG_USAGE, ids=" ".join)
def test_wrong_usage(engine: Engine, argv: list[str]) -> None:
    """A word, an option or a value that cannot be is refused with 2."""
    assert command(*argv, "--json", engine=engine).status == 2
