"""Records at providers: made in turns where there is room for few, and removed later where a run has died."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.config.model import DnsProviderConfig
from core.dns.placement import RecordLocation
from core.dns.provider import TxtRecord
from core.dns.provider_pool import ProviderPool
from core.dns.writer import RecordWriter
from core.errors import DnsProviderError
from core.events import Narrator, Report, Warned
from core.paths import Paths
from core.ports import CancelToken, Environment
from core.store.dns_records import kept_records
from tests.support.boxes import the_environment
from tests.support.clock import FakeClock


class Zone:
    """A provider whose zone is a set of values; it can be out of reach."""

    def __init__(self) -> None:
        self.values: set[str] = set()
        self.is_reached = True

    def zones(self) -> tuple[str, ...]:
        return ()

    def change(self, zone: str, *, add: Sequence[TxtRecord] = (), remove: Sequence[TxtRecord] = ()) -> None:
        if not self.is_reached:
            raise DnsProviderError(
                "The provider cannot be reached.", "No way.", "Wait.", details={"reason": "unreachable"}
            )
        self.values |= {each.value for each in add}
        self.values -= {each.value for each in remove}

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Box:
    """A writer for an entry of acme-dns, which keeps two values, and one of a program, which has no limit."""

    paths: Paths
    env: Environment = field(default_factory=the_environment)
    zone: Zone = field(default_factory=Zone)
    told: list[Report] = field(default_factory=list)

    @property
    def writer(self) -> RecordWriter:
        """A new one, as each run has."""
        kinds = {"two": "acme-dns", "many": "hook"}
        configured = {name: DnsProviderConfig(name=name, kind=kind) for name, kind in kinds.items()}
        entries = ProviderPool(configured, lambda _entry, _cancel: self.zone, self.env.clock, CancelToken())
        return RecordWriter(self.paths, self.env, entries)

    @property
    def narrator(self) -> Narrator:
        return Narrator(report=self.told.append, now=self.env.clock.now, run="1", lineage="another")

    @property
    def events(self) -> list[tuple[str | None, str]]:
        return [(report.lineage, type(report.event).__name__) for report in self.told]


AT_ONCE = 0.2
"""Seconds in which a thread that nothing holds up has long ended."""


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(Paths(*(tmp_path / each for each in ("etc", "state", "run", "log"))))


def placed(entry: str, *values: str, name: str = "abc.auth.example.org") -> tuple[RecordLocation, ...]:
    return tuple(RecordLocation(entry, "", TxtRecord(name=name, value=value)) for value in values)


@pytest.mark.parametrize(
    ("first", "second", "has_to_wait"),
    [
        (placed("two", "a", "b"), placed("two", "c"), True),
        (placed("two", "a"), placed("two", "b", name="def.auth.example.org"), False),
        (placed("many", "a", "b"), placed("many", "c"), False),
    ],
)
def test_orders_take_turns_where_values_push_out_each_other(
    box: Box, first: tuple[RecordLocation, ...], second: tuple[RecordLocation, ...], has_to_wait: bool
) -> None:
    """Of two orders of a run at one account of acme-dns the second begins when the first is validated; others do not wait."""
    records = box.writer
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


def test_more_values_than_a_name_can_hold_are_refused_before_anything_is_made(box: Box) -> None:
    """Three values at one account of acme-dns: said at once, with the numbers, and nothing is written down."""
    with pytest.raises(DnsProviderError) as caught:
        box.writer.write(placed("two", "a", "b", "c"), "box", box.narrator)
    assert "3 values" in caught.value.what
    assert caught.value.details == {"provider": "two", "kind": "acme-dns", "reason": "refused"}
    assert (kept_records(box.paths), box.told, box.zone.values) == ((), [], set())


def test_what_a_killed_run_has_left_belongs_to_its_own_lineage(box: Box) -> None:
    """Records of one lineage that are removed while another is ordered stand in the history of the one that they were made for."""
    box.writer.write(placed("many", "a"), "shop", box.narrator)
    box.told.clear()
    box.writer.clean_up(box.narrator)
    assert box.zone.values == set()
    assert box.events == [("shop", "RecordRemoved")]


def test_a_removal_is_tried_for_a_month(box: Box) -> None:
    """What cannot be removed is tried again by each run, then told once more by name and let go."""
    box.writer.write(placed("many", "a"), "shop", box.narrator)
    box.zone.is_reached = False
    clock = box.env.clock
    assert isinstance(clock, FakeClock)
    for _ in range(2):
        clock.advance(days=15)
        box.writer.clean_up(box.narrator)
        assert len(kept_records(box.paths)) == 1
    clock.advance(days=1)
    box.told.clear()
    box.writer.clean_up(box.narrator)
    assert kept_records(box.paths) == ()
    said = [report.event.what for report in box.told if isinstance(report.event, Warned)]
    assert "no longer tries to remove these old records: abc.auth.example.org" in said[-1]


def test_a_damaged_list_stops_no_other(box: Box) -> None:
    """One file that cannot be read is told, and what the others name is removed."""
    box.writer.write(placed("many", "a"), "shop", box.narrator)
    (box.paths.dns_records / "0000000000000000.json").write_text("{")
    box.writer.clean_up(box.narrator)
    assert box.zone.values == set()
    assert [report.event.code for report in box.told if isinstance(report.event, Warned)] == ["store-corrupt"]
