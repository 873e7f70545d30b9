"""SIGTERM while a program of the administrator's runs: certdeck ends within five seconds, and nothing is half done."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.command import process, started
from tests.support.programs import wait_until

MOST_SECONDS = 15.0


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a dead one that nobody has reaped counts as gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("hangs", ["test", "reload"])
@pytest.mark.parametrize("ignores", [False, True], ids=["obeys", "ignores-sigterm"])
def test_a_hanging_command_of_a_service(home: Path, tmp_path: Path, hangs: str, ignores: bool) -> None:
    """While a test or a reload hangs, SIGTERM puts the old certificate back, ends the program, and exits with status 1."""
    commands = {}
    for name in ("test", "reload"):
        program = tmp_path / name
        trap = "trap '' TERM; " if ignores else ""
        waits = f"[ -e {tmp_path}/hang ] && {{ {trap}echo $$ > {tmp_path}/pid; while :; do sleep 0.1; done; }}"
        program.write_text(f"#!/bin/sh\n{waits if name == hangs else ':'}\nexit 0\n")
        program.chmod(0o755)
        commands[name] = str(program)
    (home / "etc").mkdir(parents=True)
    (home / "etc" / "certdeck.toml").write_text(
        f'[targets.web]\nkind = "files"\ncertificate = "{tmp_path}/web/a.crt"\nkey = "{tmp_path}/web/a.key"\n'
        f'test = ["{commands["test"]}"]\nreload = ["{commands["reload"]}"]\n'
    )
    (tmp_path / "web").mkdir()
    assert process("first-boot", "--hostname", "box.example.com", home=home).status == 0
    before = (tmp_path / "web" / "a.crt").read_bytes()
    (tmp_path / "hang").touch()
    with started("deploy", "default", home=home) as child:
        wait_until((tmp_path / "pid").exists, "the hanging program", timeout=30)
        pid = int((tmp_path / "pid").read_text())
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 1
        assert time.monotonic() - began < MOST_SECONDS
    assert (tmp_path / "web" / "a.crt").read_bytes() == before
    assert not is_alive(pid)
    (tmp_path / "hang").unlink()
    assert process("deploy", "default", home=home).status == 0


def test_a_hanging_hook(home: Path, tmp_path: Path) -> None:
    """While the program that sets DNS records hangs, SIGTERM ends it and certdeck, with status 1."""
    program = tmp_path / "hook"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nwhile :; do sleep 0.1; done\n")
    program.chmod(0o755)
    (home / "etc").mkdir(parents=True)
    (home / "etc" / "certdeck.toml").write_text(
        f'[dns_providers.own]\nkind = "hook"\nzones = ["example.com"]\ncommand = "{program}"\n'
    )
    with started("dns", "test", "own", "--domain", "a.example.com", home=home) as child:
        wait_until((tmp_path / "pid").exists, "the hanging program", timeout=30)
        began = time.monotonic()
        os.kill(child.pid, signal.SIGTERM)
        status = child.wait(60)
        assert time.monotonic() - began < MOST_SECONDS
        assert status == 1
