"""Ways to the DNS screens of the console over a fake engine, and a fake engine with provider entries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

from core.operations import LogEntry
from tests.support.deck import settled
from tests.support.fake_dns import provider_info
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW
from tui.app import CertdeckApp
from tui.screens.dns import DnsScreen
from tui.screens.dns.asked import AskedField
from tui.screens.dns.form import ProviderForm
from tui.screens.dns.kinds import KindScreen

SECRET = "t0p-s3cret-value"


def engine_with_providers() -> FakeEngine:
    """Make an engine with an entry that works, one that nobody has tested, and one that lacks a secret."""
    engine = FakeEngine()
    engine.known_providers = (
        provider_info("cf", lineages=("mail", "shop")),
        provider_info(
            "bind",
            "rfc2136",
            zones=("example.net", "lan.example.net"),
            settings={"server": "ns1.example.net", "tsig_name": "certdeck"},
            delegations={"a.example.net": "proofs.example.org"},
        ),
        provider_info("gd", "godaddy", secrets={"api_key": True, "api_secret": False}, missing=("api_secret",)),
    )
    engine.entries = [told_step("cf", "credentials", 1), told_step("cf", "remove", 2)]
    return engine


def told_step(provider: str, step: str, number: int, status: str = "pass", run: str = "aaaa0001") -> LogEntry:
    """Make what the log keeps of one step of a connection test."""
    return LogEntry(
        number=number,
        at=NOW - timedelta(hours=2),
        run=run,
        lineage=None,
        kind="provider-tested",
        facts={"provider": provider, "step": step, "status": status, "detail": "", "milliseconds": 5},
    )


async def open_list(pilot: Pilot[Any]) -> DnsScreen:
    await pilot.press("h")
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, DnsScreen)
    return screen


async def open_kinds(pilot: Pilot[Any]) -> KindScreen:
    await open_list(pilot)
    await pilot.press("n")
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, KindScreen)
    return screen


async def open_form(pilot: Pilot[Any], search: str) -> ProviderForm:
    """Open the form of the kind that is found first."""
    await open_kinds(pilot)
    await pilot.press(*search, "enter")
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, ProviderForm)
    return screen


async def open_change(pilot: Pilot[Any]) -> ProviderForm:
    """Open the form of the entry under the cursor."""
    await pilot.press("e")
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, ProviderForm)
    return screen


def field(app: CertdeckApp, key: str) -> AskedField:
    """Return the field of the form that is open."""
    return next(each for each in app.screen.query(AskedField) if each.key == key)


def fill(app: CertdeckApp, **values: str) -> None:
    """Type into the form, by the keys of its fields; dashes are written as two underscores."""
    for key, value in values.items():
        field(app, key.replace("__", "-")).query_one(Input).value = value


def added(engine: FakeEngine) -> dict[str, Any]:
    """Return what the only call of add_dns_provider was given."""
    found = [arguments for method, arguments in engine.calls if method == "add_dns_provider"]
    assert len(found) == 1
    return found[0]
