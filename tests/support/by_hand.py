"""An order by hand before the console's records screen: open it, let its clock tick, read what was said in passing."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from textual.pilot import Pilot

from core.operations import OpenOrder, Record
from tests.support.deck import settled, shown
from tests.support.fake_dns import open_order, views
from tests.support.fake_engine import FakeEngine
from tui.app import CertdeckApp
from tui.screens.records import RecordsScreen

WILD = open_order("new", "*.example.com", "example.com")
PERSISTENT = replace(
    WILD,
    challenge="dns-persist-01",
    records=(
        Record(
            name="_validation-persist.example.com",
            type="TXT",
            value="letsencrypt.org; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/4242424242; policy=wildcard",
        ),
    ),
)


def waiting(*states: str, order: OpenOrder = WILD, **fields: Any) -> FakeEngine:
    """Make an engine with an order by hand; every look finds the name servers in these states."""
    engine = FakeEngine()
    engine.orders = {order.name: order}
    engine.looks = [views(*(states or ("lacks", "has")), of=order.records, **fields)]
    return engine


async def opened(pilot: Pilot[Any], name: str = "new") -> RecordsScreen:
    """Open the screen over the first one."""
    screen = RecordsScreen(name)
    pilot.app.push_screen(screen)
    await ticked(pilot)
    return screen


async def ticked(pilot: Pilot[Any]) -> None:
    """Let the screen's own clock tick and everything it begins come to its end."""
    await settled(pilot)
    await pilot.pause(0.3)
    await settled(pilot)


def called(engine: FakeEngine, method: str) -> list[dict[str, Any]]:
    return [given for name, given in engine.calls if name == method]


def notes(app: CertdeckApp) -> str:
    """Return what was said in passing."""
    return " ".join(f"{note.title} {note.message}" for note in app._notifications)


def box(app: CertdeckApp) -> str:
    """Return the words of the dialog that is open."""
    return " ".join(shown(app, app.screen.query_one(".words")).split())
