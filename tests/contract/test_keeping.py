"""`undelete` and `vault new`: what scripts read, what people read, and how they end."""

from __future__ import annotations

import pytest

from core.errors import LockHeld
from core.kept import Restored
from tests.support.command import command
from tests.support.fake_engine import FakeEngine


def test_undelete_lists_what_can_be_brought_back() -> None:
    """Without a name it lists the copies, until when they stay, and what is in the way; nothing is changed."""
    engine = FakeEngine()
    answer = command("undelete", engine=engine)
    assert answer.status == 0
    assert "old-shop" in answer.out
    assert "restored" in answer.out
    assert "its settings are missing" in answer.out
    assert command("undelete", "--json", engine=engine).json == {
        "deleted": [
            {
                "name": "old-shop",
                "deleted": "2026-11-19T04:02:00Z",
                "kept_until": "2026-12-19T04:02:00Z",
                "in_the_way": False,
            },
            {
                "name": "mail",
                "deleted": "2026-11-12T04:02:00Z",
                "kept_until": "2026-12-12T04:02:00Z",
                "in_the_way": True,
            },
            {"name": "bare", "deleted": None, "kept_until": None, "in_the_way": False},
        ]
    }
    engine.copies = ()
    assert "Nothing was deleted" in command("undelete", engine=engine).out


def test_undelete_brings_one_back() -> None:
    """With a name it brings that one back and says what follows; a second time there is nothing to bring back."""
    engine = FakeEngine()
    assert command("undelete", "old-shop", "--json", engine=engine).json == {
        "name": "old-shop",
        "version": 2,
        "live": True,
    }
    assert "certdeck deploy bare" in command("undelete", "bare", engine=engine).out
    assert command("undelete", "old-shop", "--json", engine=engine).error["code"] == "not-found"
    assert command("undelete", "mail", engine=engine).status == 1


@pytest.mark.parametrize(
    ("back", "said"),
    [
        (Restored(name="s", version=2, live=True, rolled_back_from=3), "Version 2 is live; version 3 is kept too."),
        (Restored(name="s", version=2, live=True, targets=("web",), shown_by=("web",)), "web already serves it."),
        (
            Restored(name="s", version=2, live=True, targets=("web", "mail"), shown_by=("web", "mail")),
            "web, mail already serve it.",
        ),
        (Restored(name="s", version=2, live=True, targets=("web",)), "`certdeck deploy s` deploys it to web again."),
        (Restored(name="s", version=2, live=True), "--target …"),
        (Restored(name="s", version=None, live=False), "It has no certificate yet."),
        (Restored(name="s", version=4, live=False), "Version 4 is kept, but not live."),
    ],
)
def test_undelete_says_what_is_left_to_do(monkeypatch: pytest.MonkeyPatch, back: Restored, said: str) -> None:
    """What is live is said as it is, and nobody is sent to deploy what a service shows already."""
    engine = FakeEngine()
    monkeypatch.setattr(engine, "undelete", lambda name, report: back)
    out = command("undelete", "s", engine=engine).out
    assert said in out
    assert ("--target" in out) is (not back.targets)


def test_vault_new_says_what_is_lost() -> None:
    """Every secret that is set aside is named with what its loss costs; the JSON has them one by one."""
    answer = command("vault", "new", "--yes", engine=FakeEngine())
    assert answer.status == 0
    assert "letsencrypt-1a2b3c4d. The next order at its CA creates a new account." in answer.out
    assert "shop/1. That version can no longer be deployed." in answer.out
    assert "keep a copy of it" in answer.out
    assert command("vault", "new", "--yes", "--json", engine=FakeEngine()).json == {
        "lost": [
            {"kind": "account", "name": "account/letsencrypt-1a2b3c4d"},
            {"kind": "version", "name": "lineage/shop/1"},
        ],
        "set_aside": "/nowhere/state/set-aside",
        "new_key": True,
    }


def test_vault_new_is_not_done_unasked() -> None:
    """Without a terminal and without --yes nothing is set aside."""
    engine = FakeEngine()
    assert command("vault", "new", engine=engine).status == 2
    assert [name for name, _ in engine.calls] == []


@pytest.mark.parametrize(
    ("argv", "method"), [(["undelete", "old-shop"], "undelete"), (["vault", "new", "--yes"], "new_vault")]
)
def test_a_held_lock_is_4(argv: list[str], method: str) -> None:
    """Both take the writers' lock."""
    engine = FakeEngine()
    engine.fails[method] = LockHeld("Another certdeck process is running.", "It renews.", "Wait.")
    assert command(*argv, engine=engine).status == 4
