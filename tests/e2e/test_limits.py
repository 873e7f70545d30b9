"""What is counted against a CA's limits, at a real CA, by the commands that people use."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.pebble import PebbleServer
from tests.support.real_box import RealBox

pytestmark = pytest.mark.e2e


def counted(home: Path, pebble: PebbleServer) -> RealBox:
    """Return a box that counts the limits of Let's Encrypt against Pebble."""
    box = RealBox(home, pebble, None)
    config = home / "etc" / "certdeck.toml"
    config.write_text(config.read_text().replace("agree_tos = true\n", 'agree_tos = true\nlimits = "letsencrypt"\n'))
    return box


def used(box: RealBox) -> dict[str, int]:
    """Return limit → how much of it is used, as `issuer show` says."""
    return {each["limit"]: each["used"] for each in box.done("issuer", "show", "ca")["limits"]}


def test_the_limit_on_the_same_names(home: Path, pebble: PebbleServer, fresh_name: Callable[[str], str]) -> None:
    """Five certificates for the same names in a week; a renewal that Pebble notes as a replacement is not counted."""
    box, name = counted(home, pebble), fresh_name("limits")
    box.done("issue", "-d", name, "--name", "one")
    first = used(box)
    assert first == {
        "orders": 1,
        "certificates-per-domain": 1,
        "certificates-per-name-set": 1,
        "failed-authorizations": 0,
    }
    assert box.done("--renew", "one", "--force")["renewed"] == ["one"]
    assert used(box) == first
    for _ in range(4):
        box.done("issue", "-d", name, "--name", "one", "--force")
    assert used(box)["certificates-per-name-set"] == 5
    refused = box.refused("issue", "-d", name, "--name", "two", "--key-type", "rsa-2048")
    assert refused["code"] == "rate-limit-budget"
    assert refused["retry_at"]
    assert refused["details"]["limit"] == "certificates-per-name-set"
    forced = box.run("issue", "-d", name, "--name", "one", "--force")
    assert forced.status == 0
    assert "this box has used all of them" in forced.err + forced.out


def test_a_failed_validation_is_counted(home: Path, pebble: PebbleServer, fresh_name: Callable[[str], str]) -> None:
    """What Pebble could not validate counts against the limit on failures, and no certificate is counted."""
    box, name = counted(home, pebble), fresh_name("fails")
    config = home / "etc" / "certdeck.toml"
    nobody_serves = home / "webroot"
    nobody_serves.mkdir()
    text = config.read_text().replace("[http01]\n", f'[http01]\nmode = "webroot"\nwebroot = "{nobody_serves}"\n')
    config.write_text(text)
    box.refused("issue", "-d", name, "--name", "one")
    assert used(box)["failed-authorizations"] == 1
    assert used(box)["certificates-per-name-set"] == 0
    (use,) = [each for each in json.loads((home / "state" / "ledger.json").read_text())["uses"] if each["subject"]]
    assert use["subject"] == name
