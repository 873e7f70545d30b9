"""Secrets that are asked for, and records that are marked and copied, in a real terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from tests.support.authority import Authority
from tests.support.command import ROOT, SCRIPT
from tests.support.tmux import Terminal

pytestmark = pytest.mark.e2e

SECRET = "v1.0-s3cr3t_of_nobody"
ADD = ("dns", "add", "cf", "--kind", "cloudflare", "--zone", "example.com")

Terminals = Callable[..., Terminal]


def test_a_secret_is_typed_unseen(terminals: Terminals, home: Path) -> None:
    """What is missing is asked for by its name, is not echoed, and the entry is kept with it (ST-26)."""
    terminal = terminals([*SCRIPT, *ADD], cwd=ROOT)
    terminal.wait_for("\nAPI token:")
    terminal.type(SECRET)
    terminal.press("Enter")
    screen = terminal.wait_for("cf was saved.")
    assert terminal.wait_exit() == 0
    assert SECRET not in screen
    assert "cloudflare" in (home / "etc" / "certdeck.toml").read_text()
    assert not [each for each in home.rglob("*") if each.is_file() and SECRET.encode() in each.read_bytes()]


def test_standard_input_that_is_a_terminal_is_not_echoed(terminals: Terminals) -> None:
    """With `-` and nobody piping anything in, what is typed is unseen as well, and a line is enough."""
    terminal = terminals([*SCRIPT, *ADD, "--secret", "api_token=-"], cwd=ROOT)
    terminal.wait_for("api_token:")
    terminal.type(SECRET)
    terminal.press("Enter")
    assert SECRET not in terminal.wait_for("cf was saved.")
    assert terminal.wait_exit() == 0


def test_enter_is_the_empty_passphrase(terminals: Terminals, tmp_path: Path) -> None:
    """Enter at the question for a passphrase tries the empty one, and says that it is wrong; ^D ends it in words."""
    leaf = Authority.new().leaf(["shop.example.com"])
    (tmp_path / "key.pem").write_bytes(
        leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"changeit"))
    )
    (tmp_path / "cert.pem").write_bytes(leaf.fullchain_pem)
    argv = ["check", "--cert", str(tmp_path / "cert.pem"), "--key", str(tmp_path / "key.pem")]
    terminal = terminals([*SCRIPT, *argv], cwd=ROOT)
    terminal.wait_for("Passphrase:")
    terminal.press("Enter")
    terminal.wait_for("Wrong. Passphrase:")
    terminal.press("C-d")
    screen = terminal.wait_for("Nothing was done.")
    assert terminal.wait_exit() == 1
    assert "Traceback" not in screen


@pytest.mark.parametrize("key", ["C-c", "C-d", "Enter"])
def test_the_question_can_be_left(terminals: Terminals, home: Path, key: str) -> None:
    """^C, ^D and an empty answer end the command in words, and nothing was kept."""
    terminal = terminals([*SCRIPT, *ADD], cwd=ROOT)
    terminal.wait_for("\nAPI token:")
    terminal.press(key)
    screen = terminal.wait_for(re.compile(r"certdeck: (Interrupted|Nothing was done)\."))
    assert terminal.wait_exit() == 1
    assert "Traceback" not in screen
    assert not (home / "etc" / "certdeck.toml").exists()
