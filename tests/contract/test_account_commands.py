"""`account contact, rollover, import, deactivate`: what scripts read, what people read, and how they end."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import AccountError, LockHeld
from tests.support.command import command
from tests.support.fake_engine import ACCOUNT, FakeEngine

CHANGES = [
    pytest.param(
        ["account", "contact", ACCOUNT.issuer, "--email", "new@example.com"], "set_account_contact", id="contact"
    ),
    pytest.param(["account", "rollover", ACCOUNT.issuer], "roll_over_account", id="rollover"),
    pytest.param(["account", "import", ACCOUNT.issuer, "--key", "KEY"], "import_account", id="import"),
    pytest.param(["account", "deactivate", ACCOUNT.issuer, "--yes"], "deactivate_account", id="deactivate"),
]


@pytest.fixture
def key(tmp_path: Path) -> str:
    """A file that holds something like a key."""
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nsecret-secret\n")
    return str(tmp_path / "key.pem")


def with_key(argv: list[str], key: str) -> list[str]:
    return [key if word == "KEY" else word for word in argv]


@pytest.mark.parametrize(("argv", "method"), CHANGES)
def test_each_is_one_object(argv: list[str], method: str, key: str) -> None:
    """Each asks the engine once, and with --json prints the account as `account list` does."""
    engine = FakeEngine()
    answer = command(*with_key(argv, key), "--json", engine=engine)
    assert (answer.status, answer.err) == (0, "")
    assert [name for name, _ in engine.calls] == [method]
    if method == "deactivate_account":
        assert answer.json == {"issuer": ACCOUNT.issuer, "deactivated": True}
    else:
        assert list(answer.json) == ["account"]
        listed = command("account", "list", "--json", engine=engine).json["accounts"][0]
        assert answer.json["account"] == listed


@pytest.mark.parametrize(("argv", "method"), CHANGES)
def test_a_held_lock_is_4(argv: list[str], method: str, key: str) -> None:
    """Each takes the writers' lock."""
    engine = FakeEngine()
    engine.fails[method] = LockHeld("Another certdeck process is running.", "It renews.", "Wait.")
    assert command(*with_key(argv, key), engine=engine).status == 4


def test_giving_up_an_account_asks() -> None:
    """Without --yes a person is asked, and anything but yes changes nothing; without a terminal it is refused."""
    engine = FakeEngine()
    argv = ("account", "deactivate", ACCOUNT.issuer)
    assert command(*argv, engine=engine).status == 2
    assert command(*argv, engine=engine, terminal=True, typed="n\n").status == 1
    assert engine.calls == []
    assert command(*argv, engine=engine, terminal=True, typed="y\n").status == 0


@pytest.mark.parametrize("more", [(), ("--email", "a@example.com", "--none")])
def test_a_contact_is_one_address_or_none(more: tuple[str, ...]) -> None:
    """Neither an address nor --none, or both, is a usage error."""
    assert command("account", "contact", ACCOUNT.issuer, *more, engine=FakeEngine()).status == 2


def test_no_contact_any_more() -> None:
    """--none removes the address."""
    answer = command("account", "contact", ACCOUNT.issuer, "--none", engine=FakeEngine())
    assert "The contact was removed." in answer.out


def test_a_passphrase_comes_from_a_file(key: str, tmp_path: Path) -> None:
    """The passphrase of an encrypted key is read from a file, and shows nowhere; one stream cannot be both."""
    (tmp_path / "secret").write_text("correct-horse\n")
    engine = FakeEngine()
    argv = ("account", "import", ACCOUNT.issuer, "--key", key, "--passphrase-file", str(tmp_path / "secret"))
    answer = command(*argv, engine=engine)
    assert answer.status == 0
    assert engine.calls[-1][1]["passphrase"] == b"correct-horse"
    assert "correct-horse" not in answer.out + answer.err
    both = command("account", "import", ACCOUNT.issuer, "--key", "-", "--passphrase-file", "-", engine=engine)
    assert both.status == 2


@pytest.mark.parametrize("state", ["needed", "wrong"])
def test_an_encrypted_key_without_a_terminal_fails(key: str, state: str) -> None:
    """Where nobody can be asked, the error says how to give the passphrase."""
    engine = FakeEngine()
    engine.fails["import_account"] = AccountError("No.", "Protected.", "Give it.", details={"passphrase": state})
    assert command("account", "import", ACCOUNT.issuer, "--key", key, engine=engine).status == 1


def test_a_key_shows_nowhere(key: str) -> None:
    """The key of an account that is taken over appears in no output."""
    answer = command("account", "import", ACCOUNT.issuer, "--key", key, engine=FakeEngine())
    assert "secret-secret" not in answer.out + answer.err
