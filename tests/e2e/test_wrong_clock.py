"""The real command under a clock ten years ahead, and a day later under the right one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.nginx import NginxServer
from tests.support.pebble import PebbleServer
from tests.support.real_box import RealBox

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is missing: apt-get install faketime"),
]


def test_one_run_ten_years_ahead(home: Path, pebble: PebbleServer, nginx: NginxServer) -> None:
    """The run stored a next attempt in 2036 and put the fallback over a good certificate; now it changes nothing and says why."""
    box = RealBox(home, pebble, nginx)
    box.done("first-boot")
    box.done("issue", "-d", "clock.example.com", "--name", "clock", "--target", "web")
    good = box.serves("clock")
    # Waiting for a lock under a faked monotonic clock never ends.
    ahead = {"FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    wrong = box.run("--renew", "--json", before=("faketime", "-f", "+3652d"), env=ahead)
    assert wrong.status == 1, wrong.out + wrong.err
    assert {each["code"] for each in wrong.json.get("warnings", ())} == {"clock-in-doubt"}, wrong.out + wrong.err
    assert nginx.served_sha256() == good, "the fallback stays away"
    check = box.run("status", "--check", before=("faketime", "-f", "+3652d"), env=ahead)
    assert check.status == 2
    right = box.run("--renew", "--json")
    assert right.status == 0, right.out + right.err
    assert right.json["failed"] == []
    assert nginx.served_sha256() == box.certificate("clock")["sha256"] == good
    assert all(each["severity"] == "green" for each in box.done("status")["certificates"])
    assert "2036" not in (home / "state" / "lineages" / "clock" / "renewal.json").read_text()
