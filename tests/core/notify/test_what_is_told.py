"""What is told, decided over values: conditions, quiet hours, grouping, and the words of a message (SF-16)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from core.errors import AccountDeactivated, DnsProviderError
from core.notify.catalogue import all_kinds
from core.notify.channel import Item
from core.notify.conditions import missed, standing
from core.notify.message import compose
from core.notify.quiet import holds, is_quiet, problem
from core.renewal_report import FailedLineage, RenewalReport
from core.schedule.timetable import TWICE_DAILY
from core.severity import is_past_deadline
from core.store.index import Facts

NOW = datetime(2026, 11, 21, 4, 2, tzinfo=UTC)
DAY = 86400.0
ERROR = {"code": "rate-limited", "what": "Too many.", "why": "The CA says so.", "fix": "Wait.", "at": ""}


def facts(name: str = "shop", *, life_days: float = 90, left_days: float = 60, **fields: object) -> Facts:
    """Make what is known of a lineage."""
    end = NOW.timestamp() + left_days * DAY
    values: dict[str, object] = dict.fromkeys(Facts._fields)
    values |= {"name": name, "version": 1, "sha256": "AA", "not_after": end, "chain_not_after": end, "chain_end": ""}
    values |= {"not_before": end - life_days * DAY + 1, "targets": (), "revoked": False, "on_fallback": False}
    return Facts(**{**values, **fields})


@pytest.mark.parametrize(
    ("life_days", "left_days", "is_late"),
    [
        (90, 15.1, False),
        (90, 14.9, True),
        (398, 14.9, True),
        (6, 1.1, False),
        (6, 0.9, True),
        (47, 8, False),
        (47, 7, True),
    ],
)
def test_the_deadline_is_in_proportion(life_days: float, left_days: float, is_late: bool) -> None:
    """Below 15 days of 90 or more, and below a sixth of a shorter life."""
    end = NOW.timestamp() + left_days * DAY
    assert is_past_deadline(end - life_days * DAY + 1, end, NOW.timestamp()) is is_late


@pytest.mark.parametrize(
    ("given", "events"),
    [
        ({}, []),
        ({"last_error": ERROR}, [("failed",)]),
        ({"last_error": ERROR, "left_days": 14}, [("deadline", "failed"), ("expiring",)]),
        ({"left_days": 20}, [("expiring",)]),
        ({"revoked": True}, [("revoked",)]),
        ({"on_fallback": True}, [("fallback",)]),
        ({"left_days": 5, "version": None}, []),
    ],
)
def test_conditions_of_a_certificate(given: dict[str, object], events: list[tuple[str, ...]]) -> None:
    """Every kind of trouble has its event; nothing is told of a certificate in order."""
    found = standing([facts(**given)], RenewalReport(), NOW, lambda _: None)
    assert [each.item.events for each in found.values()] == events
    assert all(each.item.certificate == "shop" for each in found.values())


@pytest.mark.parametrize(
    "error",
    [
        DnsProviderError("Refused.", "Token.", "New one.", details={"reason": "credentials"}),
        AccountDeactivated("Gone.", "The CA says so.", "Make another."),
    ],
)
def test_refused_credentials(error: Exception) -> None:
    """Credentials that a provider or a CA refuses are an event, and a failure as well."""
    failed = FailedLineage(name="shop", error=error)
    found = standing([facts(last_error=ERROR)], RenewalReport(failed=(failed,)), NOW, lambda _: None)
    assert found["renewal/shop"].item.events == ("credentials", "failed")


@pytest.mark.parametrize(
    ("period", "at", "quiet"),
    [
        ("22:00-07:00", time(23), True),
        ("22:00-07:00", time(3), True),
        ("22:00-07:00", time(7), False),
        ("12:00-13:00", time(12, 30), True),
        ("12:00-13:00", time(13), False),
        ("", time(3), False),
    ],
)
def test_quiet_hours(period: str, at: time, quiet: bool) -> None:
    """A period may go over midnight; its end does not belong to it."""
    assert is_quiet(period, at) is quiet


@pytest.mark.parametrize("text", ["22-7", "25:00-07:00", "22:00", "late", "07:00-07:00"])
def test_a_period_that_is_none(text: str) -> None:
    """What is no period is refused in words."""
    assert problem(text) is not None


def test_quiet_hours_never_mean_silence() -> None:
    """Where every scheduled run lies in the quiet period, or none is known, nothing waits."""
    assert holds("22:00-07:00", time(3), [time(3), time(15)])
    assert not holds("22:00-07:00", time(3), [time(3)])
    assert not holds("22:00-07:00", time(3), [])


def test_missed_runs() -> None:
    """A pause of more than one and a half times the longest is a missed run, a random delay is not."""
    timetable = TWICE_DAILY
    assert timetable.missed_after == timedelta(hours=19)
    found = missed(NOW - timedelta(hours=25), NOW, timetable.longest_pause)
    assert "12 hours" in found.item.why


def test_the_subject_sorts_and_counts() -> None:
    """The subject begins with the box, names the worst event and its certificates, and counts the rest."""
    items = [Item(events=("renewed",), what="x", certificate="a")]
    items += [Item(events=("failed",), what="x", certificate=name) for name in "edcb"]
    assert compose(items[:1], "box", "Acme", NOW).subject == "[certdeck box] renewed: a"
    assert (
        compose(items, "box", "Acme", NOW).subject == "[certdeck box] failed: b, c, d and 1 more (and 1 more message)"
    )
    assert compose([Item(events=("timer",), what="x")], "box", "Acme", NOW).subject == "[certdeck box] timer"


def test_a_message_says_when_it_is_tried_again() -> None:
    """The next attempt is a sentence, with its day and its time."""
    item = Item(events=("failed",), what="x", next_try=datetime(2026, 11, 29, 3, 0, tzinfo=UTC))
    assert "The next attempt is on 29 Nov 2026 at 03:00 UTC.\n" in compose([item], "box", "Acme", NOW).text


def test_foreign_words_stay_words() -> None:
    """What a CA says neither ends a header nor reaches a terminal; long texts are wrapped for mail."""
    item = Item(events=("failed",), what="a\r\nBcc: x@y.example\x1b[31m " + "word " * 200, certificate="b\nSubject: c")
    message = compose([item], "box\r\nX: y", "Acme", NOW)
    assert message.subject.isprintable()
    assert message.text.replace("\n", "").isprintable()
    assert max(map(len, message.text.splitlines())) <= 78


def test_every_kind_is_told_in_full() -> None:
    """Every field of every kind has a label and a sentence, and the kinds are those of the contract."""
    found = {
        kind.name: ({f.key for f in kind.settings} - {"quiet"}, {f.key for f in kind.secrets}) for kind in all_kinds()
    }
    assert found == {
        "smtp": ({"host", "port", "security", "username", "from", "to", "ca_bundle"}, {"password"}),
        "webhook": ({"url", "ca_bundle"}, {"signing_key"}),
        "apprise": ({"ca_bundle"}, {"url"}),
    }
    assert all(field.label and field.help.endswith(".") for kind in all_kinds() for field in kind.fields)
