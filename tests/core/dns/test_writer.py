"""Records of orders side by side, at providers that keep only so many values at a name."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from core.config.model import DnsProviderConfig
from core.dns.entries import Entries
from core.dns.placement import Placed
from core.dns.provider import DnsProvider, TxtRecord
from core.dns.writer import RecordWriter
from core.errors import DnsProviderError
from core.events import Narrator, Report
from core.paths import Paths
from core.ports import CancelToken
from core.store.dns_records import kept_records
from tests.support.boxes import the_environment
from tests.support.clock import NOON

AT_ONCE = 0.2
"""Seconds in which a thread that nothing holds up has long ended."""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(*(tmp_path / each for each in ("etc", "state", "run", "log")))


def writer(paths: Paths) -> RecordWriter:
    """A writer for an entry of acme-dns, which keeps two values, and one of a program, which has no limit."""

    def connect(entry: DnsProviderConfig, cancel: CancelToken) -> DnsProvider:
        raise AssertionError("nothing is written here")

    configured = {
        "two": DnsProviderConfig(name="two", kind="acme-dns"),
        "many": DnsProviderConfig(name="many", kind="hook"),
    }
    env = the_environment()
    return RecordWriter(paths, env, Entries(configured, connect, env.clock, CancelToken()))


def placed(entry: str, *values: str, name: str = "abc.auth.example.org") -> tuple[Placed, ...]:
    return tuple(Placed(entry, "", TxtRecord(name=name, value=value)) for value in values)


@pytest.mark.parametrize(
    ("first", "second", "has_to_wait"),
    [
        (placed("two", "a", "b"), placed("two", "c"), True),
        (placed("two", "a"), placed("two", "b", name="def.auth.example.org"), False),
        (placed("many", "a", "b"), placed("many", "c"), False),
    ],
)
def test_orders_take_turns_where_values_push_out_each_other(
    paths: Paths, first: tuple[Placed, ...], second: tuple[Placed, ...], has_to_wait: bool
) -> None:
    """Of two orders of a run at one account of acme-dns the second begins when the first is validated; others do not wait."""
    records = writer(paths)
    entered = threading.Event()

    def other_order() -> None:
        with records.room_for(second):
            entered.set()

    thread = threading.Thread(target=other_order)
    with records.room_for(first):
        thread.start()
        entered.wait(AT_ONCE)
        assert entered.is_set() is not has_to_wait
    thread.join()
    assert entered.is_set()


def test_more_values_than_a_name_can_hold_are_refused_before_anything_is_made(paths: Paths) -> None:
    """Three values at one account of acme-dns: said at once, with the numbers, and nothing is written down."""
    told: list[Report] = []
    narrator = Narrator(report=told.append, now=lambda: NOON, run="1")
    with pytest.raises(DnsProviderError) as caught:
        writer(paths).write(placed("two", "a", "b", "c"), "box", narrator)
    assert "3 values" in caught.value.what
    assert caught.value.details == {"provider": "two", "kind": "acme-dns", "reason": "refused"}
    assert kept_records(paths) == ()
    assert told == []
