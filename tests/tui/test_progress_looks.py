"""How the steps of a proof by DNS look while they run, and when they are done."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from core import events as told
from core.events import Event, Reporter
from core.operations import Issued
from core.ports import CancelToken
from tests.support.deck import NARROW, WIDE, deck, settled
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW, fingerprint, lineage
from tui.terminal import Terminal

WILD = "_acme-challenge.example.com"
SHOP = "_acme-challenge.shop.example.org"
WRITING: list[Event] = [
    told.AccountReady(issuer="letsencrypt", url="u", created=False),
    told.OrderCreated(issuer="letsencrypt", url="u", identifiers=("*.example.com", "example.com", "shop.example.org")),
    told.RecordAdded(provider="cloudflare", name=WILD),
    told.RecordAdded(provider="cloudflare", name=WILD),
    told.RecordAdded(provider="dns.example.org", name=SHOP),
    told.PropagationChecked(name=SHOP, seen=2, of=2),
    told.PropagationChecked(name=WILD, seen=3, of=4, missing=("ns2.example.com (2001:db8::2)",)),
]
PROVING: list[Event] = [
    told.PropagationChecked(name=WILD, seen=4, of=4),
    *(
        told.ChallengePresented(identifier=each, type="dns-01", where=WILD)
        for each in ("*.example.com", "example.com", "shop.example.org")
    ),
    told.RecordRemoved(provider="cloudflare", name=WILD),
    told.RecordRemoved(provider="cloudflare", name=WILD),
    told.RecordRemoved(provider="dns.example.org", name=SHOP),
    *(told.ChallengeValidated(identifier=each) for each in ("*.example.com", "example.com", "shop.example.org")),
    told.CertificateIssued(
        issuer="letsencrypt",
        names=("*.example.com",),
        not_after=NOW + timedelta(days=90),
        sha256=fingerprint("wild 2"),
    ),
    told.VersionStored(version=2),
    told.VersionSwitched(version=2),
    told.TargetReloaded(target="nginx"),
    told.TargetProbed(target="nginx", served=fingerprint("wild 2"), matches=True),
]


def telling(events: list[Event], hold: threading.Event | None = None) -> Any:
    """Return what to do before the picture: an operation that tells these, 0.7 s apart, and then ends or waits."""
    engine = FakeEngine()
    reached = threading.Event()

    def issue(report: Reporter, cancel: CancelToken) -> Issued:
        narrator = engine._narrator(report).about("wild")
        for event in events:
            engine.clock.advance(seconds=0.7)
            narrator.tell(event)
        reached.set()
        if hold is not None:
            hold.wait(10)
        return Issued(status=lineage("wild", "*.example.com", left=timedelta(days=90)))

    async def run(pilot: Any) -> None:
        pilot.app.begin("Issue wild", "issuing wild", issue, lineage="wild", expects=("nginx",))
        assert reached.wait(5)
        await (pilot.pause(0.2) if hold is not None else settled(pilot))

    return engine, run


@pytest.mark.parametrize(("size", "theme"), [(NARROW, "dark"), (WIDE, "light")], ids=["80x24-dark", "120x40-light"])
def test_waiting_for_the_name_servers(snap_compare: Any, size: tuple[int, int], theme: str) -> None:
    """Records written at two providers, who has them and who not yet, and what is still to come (CC-08, CC-09)."""
    hold = threading.Event()
    engine, run = telling(WRITING, hold)
    try:
        assert snap_compare(deck(engine, theme=theme), run_before=run, terminal_size=size)
    finally:
        hold.set()


@pytest.mark.parametrize("terminal", [Terminal(), Terminal(ascii=True, colours=16)], ids=["plain", "ascii"])
def test_proved_by_dns(snap_compare: Any, terminal: Terminal) -> None:
    """Written, seen, answered, proved, removed again, issued, live: every step with its time."""
    engine, run = telling(WRITING + PROVING)
    assert snap_compare(deck(engine, terminal=terminal), run_before=run, terminal_size=NARROW)
