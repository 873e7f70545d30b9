"""Wording that both front ends share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from core.operations import TargetState, TimerState
from tests.support.lineages import NOW, lineage, seven, without_certificate
from tui.wording import text
from tui.wording.timer import run_at, run_in_words, timer_shown


@pytest.mark.parametrize(
    ("left", "short", "long"),
    [
        (timedelta(days=21, hours=8), "21 d", "21 days left"),
        (timedelta(days=1, hours=1), "1 d", "1 day left"),
        (timedelta(hours=23), "23 h", "23 hours left"),
        (timedelta(minutes=59), "59 min", "59 minutes left"),
        (timedelta(0), "over", "expired just now"),
        (timedelta(days=-2), "over", "expired 2 days ago"),
    ],
)
def test_what_is_left(left: timedelta, short: str, long: str) -> None:
    """ST-45: what is left is told in days, in hours on the last day, and plainly when it is over."""
    one = lineage("shop", left=left)
    assert (text.short_left(one, NOW), text.days_left(one, NOW)) == (short, long)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (6 * 86400 + 22 * 3600 + 59, "6 days 22 hours"),
        (86400, "1 day"),
        (3 * 3600 + 720, "3 hours 12 minutes"),
        (3600, "1 hour"),
        (119, "1 minute"),
        (45.9, "45 seconds"),
        (-3, "0 seconds"),
    ],
)
def test_spans(seconds: float, shown: str) -> None:
    """A duration is told in its two largest units, and never as less than nothing."""
    assert text.span(seconds) == shown


def test_no_certificate_is_said() -> None:
    """A lineage without a certificate has nothing left, and says why."""
    one = without_certificate("new", "new.example.com")
    assert (text.short_left(one, NOW), text.days_left(one, NOW)) == ("none", "no certificate yet")
    assert text.renewal_shown(one, NOW) == "waits for its first order"


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        (NOW - timedelta(minutes=1), "at the next run"),
        (NOW + timedelta(hours=10), "today 14:02"),
        (NOW + timedelta(hours=23), "tonight 03:02"),
        (NOW + timedelta(hours=30), "tomorrow 10:02"),
        (NOW + timedelta(days=9), "on 30 Nov 2026"),
    ],
)
def test_near_moments(when: datetime, shown: str) -> None:
    """A near moment is told as people say it."""
    assert text.soon(when, NOW) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.04, "0.0 s"), (2.13, "2.1 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1:00 min"), (125, "2:05 min")],
)
def test_how_long_a_step_took(seconds: float, shown: str) -> None:
    """Durations of steps are rounded to what matters."""
    assert text.elapsed(seconds) == shown


@pytest.mark.parametrize(
    ("domain", "shown"),
    [
        ("shop.example.com", "shop.example.com"),
        ("xn--bcher-kva.example", "bücher.example"),
        ("*.xn--bcher-kva.example", "*.bücher.example"),
        ("xn--zzzzz-0.example", "xn--zzzzz-0.example"),
        ("\x1b[31mred.example", " [31mred.example"),
    ],
)
def test_names_are_shown_as_written(domain: str, shown: str) -> None:
    """Encoded names are shown as people write them; what cannot be decoded, and control characters, do no harm."""
    assert text.name_shown(domain) == shown


def test_an_encoded_name_hides_nothing() -> None:
    """An encoded name that would show blanks, dots or marks of direction stays encoded."""
    for hidden in ("a\u202eb", "a\u2024b", "a b", "a\u200bb"):
        label = "xn--" + hidden.encode("punycode").decode()
        shown = text.name_shown(f"{label}.example")
        assert shown == f"{label}.example" or "\u2024" in shown


def test_more_names_are_counted() -> None:
    """The first name stands for all, with how many more there are."""
    assert text.names_shown(("a.example", "b.example", "c.example")) == "a.example +2"
    assert text.names_shown(()) == "–"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("CN=E8,O=Let's Encrypt,C=US", "E8"),
        ("O=Foo [Bar] Ltd", "Foo [Bar] Ltd"),
        (r"CN=a\,b,O=x", "a,b"),
        ("Let's Encrypt E8", "Let's Encrypt E8"),
    ],
)
def test_common_names(name: str, shown: str) -> None:
    """ST-42: of a distinguished name the common name is shown, else the organisation, else all of it."""
    assert text.common_name(name) == shown


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({}, "green"),
        ({"last_error": {"what": "x"}}, "yellow"),
        ({"waiting_version": 2}, "yellow"),
        ({"open_order": True}, "yellow"),
        ({"targets": (TargetState(name="n", state="stale"),)}, "yellow"),
        ({"targets": (TargetState(name="n", state="failed"),)}, "red"),
        ({"severity": "red", "last_error": {"what": "x"}}, "red"),
    ],
)
def test_what_asks_for_a_look(fields: dict[str, object], severity: str) -> None:
    """What stands in the way of a certificate raises its state, however long it is valid."""
    assert text.severity_of(lineage("shop", **fields)) == severity


def test_every_state_has_sign_and_word() -> None:
    """State is never told by colour alone: every mark has a sign, an ASCII sign and a word."""
    assert all(mark.glyph and mark.ascii.isascii() and mark.word for mark in text.MARKS.values())


@pytest.mark.parametrize(
    ("timer", "shown"),
    [
        (TimerState(state="off"), "timer off · nothing renews automatically"),
        (TimerState(state="off", is_absent=True), "no timer · nothing renews automatically"),
        (TimerState(state="on", next_run=NOW + timedelta(hours=23)), "timer on · next run 03:02, in 23 h"),
        (
            TimerState(state="on", next_run=NOW + timedelta(hours=1), last_outcome="failed"),
            "timer on · next run 05:02, in 1 h · last run failed",
        ),
        (
            TimerState(state="on", next_run=NOW + timedelta(hours=1), last_outcome="failed", resolved=True),
            "timer on · next run 05:02, in 1 h",
        ),
        (
            TimerState(state="on", next_run=NOW + timedelta(hours=1), next_run_by=NOW + timedelta(hours=2)),
            "timer on · next run 05:02–06:02, in 1 h",
        ),
        (TimerState(state="on"), "timer on · has not run yet"),
        (TimerState(state="unknown", last_run=NOW - timedelta(days=9)), "no timer set · last run 9 days ago"),
    ],
)
def test_whether_the_timer_lives(timer: TimerState, shown: str) -> None:
    """The first thing to know is whether the timer lives: last run, next run, last failure."""
    assert timer_shown(timer, NOW) == shown


def test_when_the_next_run_starts() -> None:
    """A timer that delays at random is shown with the earliest and the latest moment, any other with its minute."""
    first, last = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    assert run_at(TimerState(state="on")) == run_in_words(TimerState(state="on")) == ""
    assert run_in_words(TimerState(state="on", next_run=first)) == "21 Nov 2026 at 05:02 UTC"
    assert run_at(TimerState(state="on", next_run=first)) == "21 Nov 2026 05:02 UTC"
    window = TimerState(state="on", next_run=first, next_run_by=last)
    assert run_at(window) == run_in_words(window) == "21 Nov 2026 between 05:02 and 06:02 UTC"


def test_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are shown in the zone of the box, with its name."""
    import time

    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert text.moment(datetime(2026, 12, 12, 4, 2, tzinfo=UTC)) == "12 Dec 2026 05:02 CET"
    finally:
        monkeypatch.setenv("TZ", "UTC")
        time.tzset()


def test_issuers_by_their_short_names() -> None:
    """ST-43: a known issuer by its title, an uploaded certificate by who signed it."""
    by_name = {each.name: text.issuer_shown(each) for each in seven()}
    assert by_name["shop"] == "Let's Encrypt"
    assert by_name["default"] == "self-signed"
    assert by_name["partner"].startswith("DigiCert")
    assert text.issuer_shown(replace(lineage("x"), ca="appliance-ca")) == "private CA"


@pytest.mark.parametrize(
    ("days", "rule"),
    [
        (6, "when half of its lifetime is left"),
        (90, "when a third of its lifetime is left"),
        (366, "30 days before it expires"),
    ],
)
def test_the_rule_of_renewal_fits_the_lifetime(days: int, rule: str) -> None:
    """A certificate of a year renews 30 days before its end, not with a third of its life left, and says so (ST-29)."""
    mine = replace(lineage("x", renew_why="lifetime"), not_before=NOW, not_after=NOW + timedelta(days=days))
    assert text.renewal_why(mine) == rule


@pytest.mark.parametrize("method", ["manual-dns-01", "manual-dns-account-01"])
def test_renewed_by_hand(method: str) -> None:
    """Where a person sets the next records, it is said until when that has to be done, however the live ones were set (ST-17)."""
    manual = lineage("wild", method=method, renew_at=None, renew_why="by hand", left=timedelta(days=21))
    assert text.renewal_shown(manual, NOW) == "renews manually before 12 Dec 2026"
    assert text.renewal_shown(replace(manual, method="http-01"), NOW) == "renews manually before 12 Dec 2026"
    assert text.renewal_shown(replace(manual, renew_why="ari", renew_at=NOW), NOW) == "renews at the next run"
    assert text.renewal_why(manual) == "its DNS records are set manually"
    assert text.method_shown(method).endswith("records set manually")
    new = without_certificate("new", method=method, renew_why="by hand")
    assert text.renewal_shown(new, NOW) == "waits for its first order"


@pytest.mark.parametrize("method", ["dns-01", "dns-account-01", "dns-persist-01"])
def test_proofs_that_renew_by_themselves(method: str) -> None:
    """A provider, and a record set once, leave nothing to a person; each method has words of its own."""
    assert not text.is_manual(lineage("shop", method=method))
    assert text.renewal_shown(lineage("shop", method=method), NOW).startswith("renews on ")
    assert text.method_shown(method) != method


def test_keys_name_each_family_once() -> None:
    """What a CA takes is listed by family, so that no line ends between RSA and its size."""
    kinds = ["ec-256", "ec-384", "rsa-2048", "rsa-4096", "ed25519"]
    assert text.keys_shown(kinds) == "EC P-256, P-384; RSA 2048, 4096; Ed25519"
