"""A DNS provider from the form to the certificate: typed into a terminal, on the real engine, BIND and Pebble."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.engine import Engine
from tests.support.bind import BindServer
from tests.support.pebble import PebbleServer
from tests.support.real_box import RealBox
from tests.support.tmux import Terminal
from tests.support.zones import KEY

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

ZONES = ("example.com", "sub.example.com", "delegated.example.net")


@pytest.fixture
def bind(tmp_path: Path) -> Iterator[BindServer]:
    server = BindServer(tmp_path / "bind")
    server.start()
    yield server
    server.stop()


def fill_in(terminal: Terminal, bind: BindServer, secret: str) -> None:
    """Choose RFC 2136 and fill in its form, with the keyboard alone; the proposed name is kept."""
    terminal.wait_for("Search")
    terminal.type("rfc2136")
    terminal.wait_for("▸ RFC 2136")
    terminal.press("Enter")
    terminal.wait_for("╭─ Name ─")
    values = ("example.com", "127.0.0.1", str(bind.port), KEY.name)
    for value in values:
        terminal.press("Down")
        terminal.type(value)
    terminal.press("Down")
    terminal.wait_for("╭─ TSIG algorithm ─")
    while not terminal.shows(f"[{KEY.algorithm}]"):
        terminal.press("Right")
    terminal.press("Down")
    terminal.type(secret)  # at once: it belongs to the field that the arrow has led to
    terminal.wait_for("•" * 20)
    terminal.press("Enter")


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
def test_a_wildcard_by_a_provider_that_is_added_on_the_way(
    home: Path,
    bind: BindServer,
    pebbles: Callable[..., PebbleServer],
    terminals: Callable[..., Terminal],
    columns: int,
    rows: int,
) -> None:
    """The wizard leads from a wildcard to the form, the test and the certificate; nothing else in the zones changes.

    The secret stands nowhere on the screen and in no file as it is (ST-13, ST-23..26, SO-15, CC-15, CC-18, CC-23).
    """
    box = RealBox(home, pebbles(name_server=bind.address), None)
    box.configure(f'[dns01]\nresolvers = ["{bind.address}"]\ntimeout_seconds = 20\n')
    before = {zone: bind.records(zone) for zone in ZONES}
    terminal = terminals(["certdeck"], columns=columns, rows=rows)
    terminal.wait_for("Host name")
    terminal.press("Escape")
    terminal.wait_for("There is no certificate yet")

    terminal.press("i")
    terminal.wait_for("Names of the certificate")
    terminal.type("*.example.com example.com")
    terminal.wait_for("✔ example.com")
    terminal.press("Enter")
    terminal.wait_for("▲ *.example.com can be validated only through DNS.")
    terminal.press("Enter")
    fill_in(terminal, bind, "bm90IHRoZSBrZXkgYXQgYWxsLCBub3BlLCBub3BlLCBubw==")
    terminal.wait_for("(●) rfc2136")

    # A wrong key first: the test says so, in the wizard, and the form mends it.
    terminal.press("x")
    terminal.wait_for("It does not work", timeout=40)
    assert {zone: bind.records(zone) for zone in ZONES} == before
    terminal.press("Escape")
    terminal.wait_for("(●) rfc2136")
    terminal.press("h")
    terminal.wait_for("test failed")
    terminal.press("e")
    terminal.wait_for("(kept; type to replace)")
    for _ in range(5):
        terminal.press("Down")
    terminal.wait_for("╭─ TSIG secret")
    terminal.type(KEY.secret)
    terminal.press("Enter")
    terminal.wait_for("DNS providers")
    terminal.press("x")
    screen = terminal.wait_for("It works", timeout=60)
    assert len(re.findall("✔ (Credentials|Zone|Write record|Name servers|Remove record)", screen)) == 5
    assert KEY.secret not in screen
    assert {zone: bind.records(zone) for zone in ZONES} == before
    terminal.press("Escape")
    terminal.wait_for("tested")
    terminal.press("Escape")
    terminal.wait_for("(●) rfc2136")

    for wanted in ("✔ Terms", re.compile("Serves now|no service", re.IGNORECASE), "Validation  DNS, by rfc2136"):
        terminal.press("Enter")
        terminal.wait_for(wanted)
    terminal.wait_for(re.compile("warning|failure|Nothing prevents issuing"), timeout=60)
    terminal.press("Enter")
    terminal.wait_for(re.compile("has its certificate|Issue anyway"))
    if terminal.shows("Issue anyway"):
        terminal.press("y")
    terminal.wait_for("has its certificate", timeout=60)
    assert {zone: bind.records(zone) for zone in ZONES} == before

    status = Engine.open({"CERTDECK_HOME": str(home)}).status().lineages[0]
    assert (status.method, set(status.domains)) == ("dns-01", {"example.com", "*.example.com"})
    kept = [path for path in home.rglob("*") if path.is_file() and KEY.secret.encode() in path.read_bytes()]
    assert kept == []
