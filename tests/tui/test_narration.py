"""Every event as one line."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from typing import Any, get_type_hints

import msgspec
import pytest

from core import events
from core.events import Event
from tui.wording import text
from tui.wording.narration import sentence

NOW = datetime(2026, 11, 21, 4, 2, tzinfo=UTC)
EVENTS = [
    each for _, each in inspect.getmembers(events, inspect.isclass) if issubclass(each, Event) and each is not Event
]


def _value(hint: Any) -> object:
    wording = str(hint)
    if "tuple[tuple" in wording:
        return (("_acme-challenge.a", "TXT", "value\x1b"),)
    if "tuple" in wording:
        return ("a.example", "b\x1b]0;x\x07.example")
    if "datetime" in wording:
        return NOW
    return {bool: True, int: 3}.get(hint, "words\x1b[31m\n")


def _example(event: type[Event]) -> Event:
    hints = get_type_hints(event, vars(events) | {"datetime": datetime})
    return event(**{field.name: _value(hints[field.name]) for field in msgspec.structs.fields(event)})


@pytest.mark.parametrize("event", EVENTS, ids=lambda each: each.__name__)
def test_every_event_is_a_harmless_sentence(event: type[Event]) -> None:
    """Each event has words of its own, in one line, with nothing in it that a terminal would obey."""
    told = text.describe(_example(event))
    assert told.isprintable()
    assert told != event.__name__
    assert len(told) > 5


@pytest.mark.parametrize("event", EVENTS, ids=lambda each: each.__name__)
def test_every_kind_is_known(event: type[Event]) -> None:
    """No event falls back to its bare name."""
    kind = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in event.__name__).lstrip("-")
    assert sentence(kind, {}) != kind.replace("-", " ").capitalize()


def test_history_tells_the_same_line() -> None:
    """What the history kept, with times as text and tuples as lists, gives the same line as the event itself."""
    event = events.CertificateIssued(issuer="letsencrypt", names=("a.example", "b.example"), not_after=NOW, sha256="AA")
    kept = {
        "issuer": "letsencrypt",
        "names": ["a.example", "b.example"],
        "not_after": "2026-11-21T04:02:00Z",
        "sha256": "AA",
    }
    assert text.describe_entry("certificate-issued", kept) == text.describe(event)


def test_an_unknown_kind_is_told_by_its_name() -> None:
    """An older front end still shows what a newer engine wrote."""
    assert text.describe_entry("moon-landed", {"x": 1}) == "Moon landed"


@pytest.mark.parametrize(
    ("event", "told"),
    [
        pytest.param(
            events.RecordAdded(provider="cf", name="_acme-challenge.a.example"),
            "cf: TXT record created at _acme-challenge.a.example",
            id="made",
        ),
        pytest.param(
            events.RecordRemoved(provider="cf", name="_acme-challenge.a.example"),
            "cf: TXT record removed at _acme-challenge.a.example",
            id="removed",
        ),
        pytest.param(
            events.PropagationChecked(name="_x.a.example", seen=1, of=2, missing=("ns2.example (192.0.2.2)",)),
            "1 of 2 name servers have _x.a.example; still without it: ns2.example (192.0.2.2)",
            id="some",
        ),
        pytest.param(
            events.PropagationChecked(name="_x.a.example", seen=2, of=2),
            "Every name server (2 of 2) has _x.a.example",
            id="all",
        ),
        pytest.param(
            events.PropagationChecked(name="_x.a.example", seen=0, of=0),
            "No name server responds for _x.a.example",
            id="nobody-answers",
        ),
        pytest.param(
            events.ProviderTested(provider="cf", step="write", status="fail", detail="Refused.", milliseconds=95),
            "cf: write record: failed (95 ms). Refused.",
            id="step",
        ),
        pytest.param(
            events.ProviderTested(provider="cf", step="remove", status="skip", detail="", milliseconds=0),
            "cf: remove record: skipped",
            id="skipped-step",
        ),
        pytest.param(
            events.RecordsRequired(records=(("_x.a.example", "TXT", "v"),)),
            "A DNS record must be set at _x.a.example",
            id="one-record",
        ),
        pytest.param(
            events.RecordsRequired(records=(("_x.a.example", "TXT", "v"), ("_x.a.example", "TXT", "w"))),
            "2 DNS records must be set, at _x.a.example",
            id="two-at-one-name",
        ),
    ],
)
def test_what_dns_proofs_tell(event: Event, told: str) -> None:
    """Records made and removed, who has them and who is missing (CC-09), and the steps of a connection test (ST-24)."""
    assert text.describe(event) == told
