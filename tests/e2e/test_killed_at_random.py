"""kill -9 at random moments of every operation, one after the other on the same box, with a real CA and a real nginx."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.authority import self_signed
from tests.support.command import started
from tests.support.nginx import NginxServer
from tests.support.pebble import PebbleServer
from tests.support.real_box import RealBox

pytestmark = pytest.mark.e2e

FreshName = Callable[[str], str]
KILLS = 9


def _commands(box: RealBox, folder: Path, domain: str) -> list[list[str]]:
    """Return what is started and killed, in the order in which it is repeated."""
    leaf = self_signed([domain], now=datetime.now(UTC))
    pair = folder / "pair.pem"
    pair.write_bytes(leaf.fullchain_pem + leaf.key_pem)
    return [
        ["issue", "-d", domain, "--name", "shop", "--issuer", "ca", "--target", "web", "--force"],
        ["--renew", "shop", "--force"],
        ["import", "shop", "--cert", str(pair), "--replace", "--force"],
        ["rollback", "shop"],
        ["deploy", "shop"],
        ["delete", "spare", "--yes", "--force"],
        ["undelete", "spare"],
        ["vault", "rotate"],
        ["account", "rollover", "ca"],
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_again_and_again(
    home: Path, pebble: PebbleServer, nginx: NginxServer, fresh_name: FreshName, tmp_path: Path, seed: int
) -> None:
    """Whatever is killed and when: pairs stay whole, nginx serves one, and the next run leaves nothing half done (CL-10)."""
    box = RealBox(home, pebble, nginx)
    domain = fresh_name("random")
    box.done("issue", "-d", domain, "--name", "shop", "--target", "web")
    box.done("issue", "-d", "spare.lan", "--name", "spare", "--issuer", "appliance-ca")
    commands = _commands(box, tmp_path, domain)
    chance = random.Random(seed)
    for number in range(KILLS):
        argv = commands[number % len(commands)]
        pause = chance.uniform(0.05, 0.7)
        with started(*argv, home=home):
            time.sleep(pause)
        where = f"{argv} after {pause:.3f} s"
        box.check_pair("shop")
        assert nginx.served_sha256(), where
        box.run("--renew", "--json")
        status = box.done("status")
        assert not status.get("problems"), (where, status)
        assert box.serves("shop") == box.certificate("shop")["sha256"], where
        box.check_pair("shop")
        assert list((home / "state" / "transactions").glob("*")) == [], where
        if not any(each["name"] == "spare" for each in status["certificates"]):
            box.done("undelete", "spare")
    for argv in commands[:5]:
        assert box.run(*argv, "--json").status == 0, argv
    box.serves("shop")
    assert box.run("log", "--verify").status == 0
    assert subprocess.run(nginx.test_command, check=False, capture_output=True).returncode == 0
