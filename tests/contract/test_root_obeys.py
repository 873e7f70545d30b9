"""Root runs no command that another account could have put there; it says which command ends that."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import process

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused")
STRANGER = 65534


@pytest.fixture
def box(home: Path, tmp_path: Path) -> Path:
    """A box with a certificate and a target whose reload leaves a trace."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "reload"
    program.write_text(f"#!/bin/sh\necho reloaded >> {tmp_path}/trace\n")
    program.chmod(0o755)
    (home / "etc").mkdir(parents=True)
    (home / "etc" / "certdeck.toml").write_text(
        f'[targets.web]\nkind = "files"\ncertificate = "{tmp_path}/web/a.crt"\nkey = "{tmp_path}/web/a.key"\n'
        f'reload = ["{program}"]\n'
    )
    (tmp_path / "web").mkdir()
    assert process("first-boot", "--hostname", "box.example.com", home=home).status == 0
    (tmp_path / "trace").unlink(missing_ok=True)
    return home


def _chmod(mode: int) -> Callable[[Path], None]:
    return lambda path: path.chmod(mode)


def _chown(path: Path) -> None:
    os.chown(path, STRANGER, -1)


@pytest.mark.parametrize(
    ("what", "weaken"),
    [
        pytest.param("box/etc/certdeck.toml", _chmod(0o666), id="configuration"),
        pytest.param("box/etc/certdeck.toml", _chown, id="configuration-owner"),
        pytest.param("box/etc", _chmod(0o777), id="etc"),
        pytest.param("box/etc/certificates.d", _chmod(0o777), id="certificates"),
        pytest.param("box/etc/certificates.d/default.toml", _chown, id="a-certificate"),
        pytest.param("bin/reload", _chmod(0o777), id="program"),
        pytest.param("bin", _chown, id="folder-of-the-program"),
        pytest.param("", _chmod(0o777), id="folder-above"),
    ],
)
def test_no_command_of_another_account(box: Path, tmp_path: Path, what: str, weaken: Callable[[Path], None]) -> None:
    """Deploying ends with status 1, runs nothing, keeps what is live, and names commands after which it works."""
    path = box / what.removeprefix("box/") if what.startswith("box/") else tmp_path / what
    weaken(path)
    answer = process("deploy", "default", "--target", "web", "--json", home=box)
    assert (answer.status, answer.error["code"]) == (1, "untrusted-path")
    assert str(path) in answer.error["why"]
    assert not (tmp_path / "trace").exists()
    found = [each for each in process("doctor", "--json", home=box).json["findings"] if each["id"] == "permissions"]
    assert (found[0]["status"], str(path) in found[0]["detail"]) == ("fail", True)
    fix = answer.error["fix"].partition("run: ")[2]
    assert subprocess.run(fix, shell=True, check=True).returncode == 0  # noqa: S602 - as a person would
    assert process("deploy", "default", "--target", "web", "--json", home=box).status == 0
    assert (tmp_path / "trace").read_text() == "reloaded\n"


def test_secrets_that_others_can_read_are_warned_of(box: Path, tmp_path: Path) -> None:
    """doctor names a passphrase file and a live key that another account can read; commands still run."""
    word = tmp_path / "word"
    word.write_text("correct horse\n")
    word.chmod(0o644)
    for folder in word.parents:
        if folder.stat().st_mode & 0o001 == 0:
            folder.chmod(0o711)
    env = {"CERTDECK_PASSPHRASE_FILE": str(word)}
    found = [
        each for each in process("doctor", "--json", home=box, env=env).json["findings"] if each["id"] == "permissions"
    ]
    assert [(each["status"], each["detail"].partition(":")[0]) for each in found] == [("warn", str(word))]
    assert process("deploy", "default", "--target", "web", home=box, env=env).status == 0


def test_no_hook_of_another_account(box: Path, tmp_path: Path) -> None:
    """A program for DNS records that another account can change is not run; the test of the entry says why."""
    with (box / "etc" / "certdeck.toml").open("a") as file:
        file.write(f'[dns_providers.own]\nkind = "hook"\nzones = ["example.com"]\ncommand = "{tmp_path}/bin/reload"\n')
    (tmp_path / "bin" / "reload").chmod(0o777)
    answer = process("dns", "test", "own", "--domain", "a.example.com", "--json", home=box)
    assert answer.status == 1
    assert "chmod go-w" in answer.out
    assert not (tmp_path / "trace").exists()
    assert not list((box / "state" / "dns").glob("*.json"))
