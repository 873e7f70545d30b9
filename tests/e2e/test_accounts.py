"""Changes to an account at a real CA, by the commands that people use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.nginx import NginxServer
from tests.support.pebble import PebbleServer
from tests.support.real_box import RealBox

pytestmark = pytest.mark.e2e


def test_a_life_of_an_account(
    home: Path, pebble: PebbleServer, nginx: NginxServer, fresh_name: Callable[[str], str]
) -> None:
    """Another contact, another key, taken over by a second box, given up: orders go on with whatever account is there."""
    box = RealBox(home, pebble, nginx)
    box.done("issue", "-d", fresh_name("one"), "--name", "one")
    [first] = box.done("account", "list")["accounts"]
    assert box.done("account", "contact", "ca", "--email", "new@example.com")["account"]["contact"] == "new@example.com"
    rolled = box.done("account", "rollover", "ca")["account"]
    assert rolled["url"] == first["url"]
    assert rolled["thumbprint"] != first["thumbprint"]
    box.done("--renew", "one", "--force")

    other = RealBox(home.parent / "second", pebble, nginx)
    key = home.parent / "account.pem"
    key.write_bytes(_account_key(home))
    taken = other.done("account", "import", "ca", "--key", str(key))["account"]
    assert (taken["url"], taken["contact"]) == (first["url"], "new@example.com")
    other.done("issue", "-d", fresh_name("two"), "--name", "two")
    assert len(other.done("account", "list")["accounts"]) == 1

    box.done("account", "deactivate", "ca", "--yes")
    assert box.done("account", "list")["accounts"] == []
    box.done("issue", "-d", fresh_name("three"), "--name", "three")
    assert box.done("account", "list")["accounts"][0]["url"] != first["url"]
    kinds = [entry["facts"].get("what", "") for entry in box.done("log")["entries"] if entry["kind"] == "changed"]
    assert any("deactivated the account" in what for what in kinds)


def _account_key(home: Path) -> bytes:
    """Return the account's key as the vault of a box has it."""
    from core.paths import paths_for
    from core.store.accounts import list_accounts
    from core.store.vault import Vault
    from tests.support.boxes import the_environment

    paths = paths_for({"CERTDECK_HOME": str(home)}, 0)
    return Vault(paths, the_environment()).get(list_accounts(paths)[0].key_record)
