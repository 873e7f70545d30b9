"""When the name servers are asked again, and when an order by hand goes on by itself."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from core.errors import NotFound
from tests.support.fake_dns import open_order, servers, views
from tests.support.lineages import NOW
from tui.screens.records import words
from tui.screens.records.watch import BUSY_COUNTDOWN, COUNTDOWN, LONGEST_PAUSE, Watch, pause_after

ORDER = open_order("shop")
TWO = open_order("wild", "*.example.com", "example.com")
ALL = views("has", "has")
SOME = views("lacks", "has")


def watched(*looks: object, by_itself: bool = True) -> Watch:
    """Return a watch after these looks, ten seconds apart."""
    watch = Watch(by_itself=by_itself)
    for number, found in enumerate(looks):
        watch.begin(number * 10.0)
        watch.took(found, number * 10.0, NOW)
    return watch


def test_pauses_grow_and_have_an_end() -> None:
    """The first looks are two seconds apart, and none is more than fifteen after the one before."""
    pauses = [pause_after(looks) for looks in range(1, 40)]
    assert pauses[0] == 2.0
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE


def test_one_look_at_a_time() -> None:
    """The first look is due at once; while one is under way none begins, and the next comes after its pause."""
    watch = Watch()
    assert watch.is_due(0.0)
    watch.begin(0.0)
    assert words.pacing(watch, 0.5) == "checking …"
    assert not watch.is_due(100.0)
    watch.took(SOME, 100.0, NOW)
    assert not watch.is_due(101.9)
    assert watch.is_due(102.0)
    watch.begin(102.0)
    assert words.pacing(watch, 102.5) == "checked at 04:02:00 · next check at 04:02:02"
    assert words.pacing(watch, 103.0) == "checking …"


def test_it_goes_on_by_itself_after_a_countdown() -> None:
    """Once every server has every record the countdown runs, and no further look disturbs it (ST-15)."""
    watch = watched(ALL)
    assert watch.seconds_to_answer(0.0) == COUNTDOWN
    assert watch.seconds_to_answer(3.5) == 1.5
    assert watch.seconds_to_answer(99.0) == 0.0
    assert not watch.is_due(99.0)


def test_it_does_not_go_on_while_a_server_lacks_a_record() -> None:
    """A single server that lacks one record holds everything back; one that gives no answer does not."""
    assert watched(SOME).seconds_to_answer(0.0) is None
    assert watched((*ALL, *SOME)).seconds_to_answer(0.0) is None
    assert watched(views("has", "silent", "unreachable")).is_ready
    assert not watched(views("silent", "unreachable")).is_ready


def test_a_person_can_stop_it() -> None:
    """Switched off it waits for the person, and switched on again it counts anew."""
    watch = watched(ALL)
    watch.toggle(1.0)
    assert watch.seconds_to_answer(1.0) is None
    assert watch.is_due(20.0)
    watch.toggle(2.0)
    assert watch.seconds_to_answer(2.0) == COUNTDOWN


def test_a_record_that_is_taken_away_again() -> None:
    """A look that finds a record gone again ends the countdown."""
    watch = watched(ALL)
    watch.look_soon()
    watch.took(SOME, 1.0, NOW)
    assert watch.seconds_to_answer(1.0) is None


def test_what_failed_once_waits_for_the_person() -> None:
    """After a failure nothing goes on by itself; after somebody else held the lock it counts longer."""
    watch = watched(ALL)
    watch.postpone(0.0)
    assert watch.seconds_to_answer(0.0) == BUSY_COUNTDOWN
    watch.hold()
    assert watch.seconds_to_answer(0.0) is None
    assert not watch.by_itself


def test_a_look_that_fails_is_told_and_repeated() -> None:
    """What was seen before stays, the reason is kept, and it looks again."""
    error = NotFound("Gone.", "It ended.", "Begin another.")
    watch = watched(SOME, error)
    assert watch.error is error
    assert watch.views == SOME
    assert watch.is_due(30.0)


@pytest.mark.parametrize(
    ("order", "watch", "sentence"),
    [
        (ORDER, Watch(), "Set this record at your DNS provider; certdeck sees it come."),
        (TWO, Watch(), "Set these 2 records at your DNS provider; certdeck sees them come."),
        (ORDER, watched(ALL), "Every name server has it. The CA checks in 5 s."),
        (TWO, watched(ALL, by_itself=False), "Every name server has all 2 of them. Enter lets the CA check."),
        (
            ORDER,
            watched(views("silent")),
            "No name server can be queried from here. Enter lets the CA check anyway.",
        ),
    ],
)
def test_the_sentence_that_matters_now(order: object, watch: Watch, sentence: str) -> None:
    """The head says in one sentence what to do, or what comes next."""
    assert words.headline(order, watch, 0.0, NOW)[2] == sentence


def test_how_long_the_order_lives() -> None:
    """Until when the order lives is told as a moment and in words (ST-14)."""
    assert words.lifetime(ORDER, NOW) == "The order is valid for 6 days 22 hours, until 28 Nov 2026 02:02 UTC."
    assert "has not reported" in words.lifetime(replace(ORDER, expires=None), NOW)
    over = replace(ORDER, expires=NOW)
    assert "x gives it up" in words.lifetime(over, NOW)
    assert "has ended" in words.headline(over, watched(ALL), 0.0, NOW)[2]
    assert words.next_step(over, Watch(), NOW) == ""


def test_what_is_at_stake() -> None:
    """Who lacks a record is named once, and it is said that a failed challenge costs the order and its values (ST-15)."""
    told = words.stakes(TWO, watched((*SOME, *SOME)), NOW)
    assert told.startswith("ns1.example.com does not have every record yet.")
    assert "ends the order" in told
    assert "new values" in told
    many = views(*["lacks"] * 4)[0]
    assert "ns1.example.com, ns2.example.com, ns3.example.com and 1 more do not" in words.stakes(
        TWO, watched((replace(many, servers=servers("lacks", "lacks", "lacks", "refuses")),)), NOW
    )


def test_plain_text_holds_every_value_whole() -> None:
    """Printed plainly, each name and each value stands on a line of its own, with nothing around it."""
    lines = words.plain(TWO, (), NOW).splitlines()
    for record in TWO.records:
        assert record.name in lines
        assert record.value in lines


def test_what_is_taken_elsewhere_names_the_right_place() -> None:
    """Where a CNAME leads elsewhere, the plain text says so and the zone-file line is for the place where it is written."""
    seen = views("lacks", of=TWO.records, written_at="x7.acme.example.net")
    assert "x7.acme.example.net" in words.plain(TWO, seen, NOW).splitlines()
    assert all(line.startswith("x7.acme.example.net. 60 IN TXT ") for line in words.zone_lines(TWO, seen).splitlines())
    assert words.zone_lines(TWO, ()).startswith("_acme-challenge.example.com. 60 IN TXT ")
