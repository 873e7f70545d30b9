"""What `adopt` prints and how it ends."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from core.adoption import Adoption
from tests.support.command import command
from tests.support.fake_adopting import FOUND
from tests.support.fake_engine import FakeEngine


def test_the_list_says_what_to_do_next(golden: object) -> None:
    """Without a name everything is listed, with the reason for what cannot be taken over, the timer, and the next command."""
    answer = command("adopt", engine=FakeEngine())
    assert answer.status == 0
    assert answer.out == golden


def test_what_was_taken_over_is_told(golden: object) -> None:
    """Each name with what was done and what is left, a failure with its reason, the timer that is to be switched off."""
    answer = command("adopt", "shop.example.com", "broken.example.com", engine=FakeEngine())
    assert answer.status == 1
    assert answer.out == golden


def test_the_object_holds_all_four_lists() -> None:
    """With --json `found`, `adopted`, `failed` and `timers` are there in every case; times are RFC 3339."""
    for words in (["adopt"], ["adopt", "shop.example.com"], ["adopt", "--all", "--dry-run"]):
        answer = command(*words, "--json", engine=FakeEngine())
        assert {"found", "adopted", "failed", "timers"} <= set(answer.json)
        assert answer.json["found"][0]["not_after"].endswith("Z")
        assert answer.json["found"][0]["hooks"][0]["reload"] == "systemctl reload nginx"


def test_folders_that_cannot_be_read_are_told() -> None:
    """What another account may not see is no empty list: lines for people, and warnings in the object."""
    engine = FakeEngine()
    engine.adoption = Adoption(closed=(Path("/etc/letsencrypt/live"),))
    assert (
        "No permission to read /etc/letsencrypt/live, so its certificates are not listed."
        in command("adopt", engine=engine).out
    )
    [warning] = command("adopt", "--json", engine=engine).json["warnings"]
    assert warning["code"] == "not-readable"
    assert "/etc/letsencrypt/live" in warning["what"]


def test_foreign_text_is_made_harmless() -> None:
    """What another client's files say is no terminal code in the list."""
    engine = FakeEngine()
    hostile = replace(FOUND[0], names=("a\x1b[2Jb.example.com",), notes=("x\x1b]0;owned\x07y",))
    engine.adoption = replace(engine.adoption, found=(hostile,))
    answer = command("adopt", engine=engine)
    assert answer.status == 0
    assert "\x1b" not in answer.out


def test_the_next_command_looks_in_the_same_place() -> None:
    """What said where to look is in the commands that the list proposes, quoted for a shell."""
    answer = command("adopt", "--from", "certbot", "--dir", "/mnt/old disk", engine=FakeEngine())
    assert "certdeck adopt --all --from certbot --dir '/mnt/old disk'" in answer.out
    assert answer.out.count("--from certbot --dir '/mnt/old disk'") == 3
