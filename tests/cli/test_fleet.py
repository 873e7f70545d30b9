"""`certdeck fleet …` over a double of the engine: words, JSON and exit statuses."""

from __future__ import annotations

import pytest

from core.fleet_status import Received
from tests.support.command import command
from tests.support.fake_engine import FakeEngine
from tests.support.fake_fleet import FINGERPRINT


def test_what_the_status_says() -> None:
    """`fleet status` names the leader, each device's state, and who is behind and why."""
    answer = command("fleet", "status")
    assert answer.status == 0
    for words in ("hub-a", "1 of 2 up to date", "edge-1: mail is not up to date: its test refused it."):
        assert words in answer.out
    found = command("fleet", "status", "--json").json
    assert found["leader"]["name"] == "hub-a"
    assert [each["state"] for each in found["devices"][0]["certificates"]] == ["deployed", "failed"]
    assert found["behind"] == 1


def test_approving_compares_the_fingerprint() -> None:
    """A person sees the fingerprint and is asked; without a terminal the id, which is its beginning, is enough."""
    engine = FakeEngine()
    answer = command("fleet", "approve", "3f2a9c01d4e8b677", engine=engine, terminal=True, typed="n\n")
    assert answer.status != 0
    assert FINGERPRINT in answer.err
    assert command("fleet", "approve", "3f2a9c01d4e8b677", "--json", engine=engine).json["state"] == "approved"


def test_removing_asks_first() -> None:
    """`fleet remove` asks a person, and says which certificates got new keys."""
    engine = FakeEngine()
    assert command("fleet", "remove", "00112233445566bb", engine=engine, terminal=True, typed="n\n").status != 0
    answer = command("fleet", "remove", "00112233445566bb", "--json", engine=engine)
    assert answer.json == {"id": "00112233445566bb", "changed": True, "rotated": ["shop"], "failed": []}


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["fleet", "init"], "Created the fleet"),
        (["fleet", "join"], "certdeck fleet approve 3f2a9c01d4e8b677"),
        (["fleet", "devices"], "edge-3 asks to join"),
        (["fleet", "sync"], "Deployed: shop."),
        (["fleet", "ticket"], "ticket"),
    ],
)
def test_each_command_says_what_it_did(argv: list[str], words: str) -> None:
    """Each command of the family ends with status 0 and a sentence for people."""
    answer = command(*argv)
    assert (answer.status, words in answer.out) == (0, True), answer.out


def test_an_unknown_box_is_no_wrong_usage() -> None:
    """A box that is not there is status 1, an unknown word after `fleet` is 2."""
    assert command("fleet", "remove", "ffff", "--yes").status == 1
    assert command("fleet", "dance").status == 2


def test_a_box_that_waits_is_told_what_to_do() -> None:
    """`fleet sync` on a box that nobody has approved says where to approve it."""
    engine = FakeEngine()
    engine.fleet_sync = lambda **_: Received(state="waiting")
    answer = command("fleet", "sync", engine=engine)
    assert "certdeck fleet devices" in answer.out
