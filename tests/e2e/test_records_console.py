"""An order by hand as a person does it: in the console, in a real terminal, with a real CA and its DNS."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from core.engine import Engine
from core.operations import IssueRequest, OpenOrder, Pending
from tests.support.pebble import PebbleServer
from tests.support.programs import wait_until
from tests.support.tmux import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
Terminals = Callable[..., Terminal]


@pytest.fixture
def engine(home: Path, pebble: PebbleServer) -> Engine:
    """An engine of a box whose issuer is Pebble, and who asks Pebble's DNS who has which record."""
    (home / "etc").mkdir(parents=True)
    (home / "etc" / "certdeck.toml").write_text(
        '[appliance]\nname = "Acme Box"\nhostname = "box.example.com"\n'
        f'[issuers.lab]\ntitle = "Lab CA"\ndirectory = "{pebble.directory_url}"\nca_bundle = "{pebble.ca_pem}"\n'
        'profile = "default"\nagree_tos = true\n'
        f'[defaults]\nissuer = "lab"\n[http01]\naddress = "127.0.0.1"\nport = {pebble.http01_port}\n'
        f'[dns01]\nresolvers = ["{pebble.dns_address}"]\ntimeout_seconds = 2\n'
    )
    opened = Engine.open({"CERTDECK_HOME": str(home), "PATH": os.environ["PATH"]})
    opened.first_boot()
    return opened


@pytest.fixture
def console(home: Path, terminals: Terminals) -> Callable[..., Terminal]:
    """Open the console of that box."""

    def start(**arguments: object) -> Terminal:
        terminal = terminals(["certdeck"], env={"CERTDECK_HOME": str(home)}, **arguments)
        terminal.wait_for("Certificates")
        return terminal

    return start


def ordered(engine: Engine, name: str, *domains: str) -> OpenOrder:
    """Begin an order by hand, as another process would."""
    begun = engine.issue(IssueRequest(domains=domains, name=name, manual=True))
    assert isinstance(begun, Pending)
    return engine.open_order(name)


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
def test_from_the_wizard_to_the_live_certificate(
    engine: Engine,
    pebble: PebbleServer,
    console: Callable[..., Terminal],
    fresh_name: Callable[[str], str],
    columns: int,
    rows: int,
) -> None:
    """Wizard, records, copied, set, seen, answered by itself, live: all typed into a terminal (ST-14 to ST-16, CC-18)."""
    terminal = console(columns=columns, rows=rows)
    name = fresh_name("wild")
    terminal.press("i")
    terminal.wait_for("Names of the certificate")
    terminal.type(f"{name} *.{name}")
    terminal.wait_for(f"✔ *.{name}")
    terminal.press("Enter")
    terminal.wait_for("▸ (●) DNS, by a provider")
    terminal.press("Down")
    terminal.wait_for("▸ (●) DNS, manually")
    terminal.press("Enter")
    terminal.wait_for(re.compile(r"\(●\) Lab CA"))
    terminal.wait_for("✔ Terms")
    terminal.press("Enter")
    terminal.wait_for(re.compile("Serves now|no service", re.IGNORECASE))
    terminal.press("Enter")
    terminal.wait_for("Folders: settings")
    terminal.press("Enter")
    terminal.wait_for(re.compile("Issue anyway|Set these 2 records"))
    if terminal.shows("Issue anyway"):  # this DNS has values and no zones, which the checks find strange
        terminal.press("y")

    terminal.wait_for("Set these 2 records at your DNS provider", timeout=60)
    order = engine.open_order(name)
    assert sorted(order.identifiers) == [f"*.{name}", name]
    first, second = order.records
    screen = terminal.wait_for("lacks it")
    assert first.value in screen
    assert second.value in screen
    assert screen.count(f"_acme-challenge.{name}") == 2
    assert screen.count("this name must have both values") == 2
    terminal.press("c")
    terminal.wait_for("copied")
    assert terminal.clipboard == first.value
    terminal.press("n")

    def copied() -> bool:
        terminal.press("c")  # a letter right behind another one counts as pasted text, and runs nothing
        return bool(terminal.clipboard == second.value)

    wait_until(copied, "the second value in the clipboard", every=0.3)

    pebble.set_txt(first.name, first.value)
    terminal.wait_for("all 1 have it", timeout=30)
    assert engine.status().lineages[0].name == "default"
    pebble.set_txt(second.name, second.value)
    terminal.wait_for("The CA checks in", timeout=30)
    terminal.wait_for(f"{name} is issued", timeout=60)
    issued = engine.status((name,)).lineages[0]
    assert (issued.method, issued.version, issued.open_order) == ("manual-dns-01", 1, False)
    assert (engine.paths.state / "live" / name / "fullchain.pem").exists()
    assert engine.open_orders() == ()
    terminal.press("Escape")
    terminal.wait_for("Certificates  2")
    terminal.wait_for("renews manually before")
    terminal.press("r")
    terminal.wait_for("Its DNS records are set manually")
    terminal.press("y")
    terminal.wait_for("Set these 2 records at your DNS provider", timeout=60)
    renewed = engine.open_order(name)
    assert not {each.value for each in renewed.records} & {first.value, second.value}
    terminal.wait_for(renewed.records[0].value)
    assert engine.status((name,)).lineages[0].version == 1


def test_left_and_found_again(
    engine: Engine,
    pebble: PebbleServer,
    console: Callable[..., Terminal],
    fresh_name: Callable[[str], str],
) -> None:
    """The line drops, the console is started anew, and the order is there with its values; the record is then seen and answered."""
    domain = fresh_name("back")
    order = ordered(engine, "back", domain)
    (record,) = order.records
    terminal = console()
    terminal.wait_for("◐ 1 waits for you")
    terminal.press("Home", "Enter")
    terminal.wait_for(record.value)
    terminal.wait_for("lacks it")
    os.kill(terminal.pid, signal.SIGHUP)
    assert terminal.wait_exit() == 128 + signal.SIGHUP

    terminal = console()
    terminal.wait_for("◐ 1 waits for you")
    terminal.press("Home", "Enter")
    terminal.wait_for(record.value)
    terminal.press("Escape")
    terminal.wait_for("The order stays open until")
    terminal.press("Enter")
    terminal.wait_for("lacks it")
    pebble.set_txt(record.name, record.value)
    terminal.press("r")
    terminal.wait_for("Every name server has it.", timeout=30)
    terminal.press("a")
    terminal.wait_for("Enter lets the CA check.")
    terminal.press("Enter")
    terminal.wait_for("back is issued", timeout=60)
    assert engine.status(("back",)).lineages[0].version == 1


def test_the_values_leave_the_terminal_in_every_way(
    engine: Engine, console: Callable[..., Terminal], fresh_name: Callable[[str], str]
) -> None:
    """p prints whole lines without frames and comes back on Enter; q is a code that fits; z are zone-file lines."""
    domain = fresh_name("ways")
    (record,) = ordered(engine, "ways", domain).records
    terminal = console()
    terminal.wait_for("waits for you")
    terminal.press("Home", "Enter")
    terminal.wait_for("lacks it")
    terminal.press("p")
    lines = terminal.wait_for("Enter goes back to certdeck.").splitlines()
    assert record.name in lines
    assert record.value in lines
    terminal.press("Enter")
    terminal.wait_for("Resolvers")
    terminal.press("q")
    terminal.wait_for("Scan the code")
    terminal.press("q")
    terminal.wait_for("Resolvers")
    terminal.press("z")
    terminal.wait_for("60 IN TXT")
    terminal.press("c")
    wait_until(lambda: record.value in terminal.clipboard, "the zone-file line in the clipboard")


def test_answered_too_early_and_given_up(
    engine: Engine, console: Callable[..., Terminal], fresh_name: Callable[[str], str]
) -> None:
    """Letting the CA look too early is asked about; its refusal ends the order with the CA's own words (ST-15)."""
    ordered(engine, "early", fresh_name("early"))
    terminal = console()
    terminal.wait_for("waits for you")
    terminal.press("Home", "Enter")
    terminal.wait_for("lacks it")
    terminal.press("Enter")
    terminal.wait_for("Let the CA check anyway?")
    terminal.press("y")
    terminal.wait_for("✖", timeout=60)
    terminal.wait_for("Failed", timeout=60)
    assert engine.open_orders() == ()
    terminal.press("Escape")
    terminal.wait_for("Certificates  1")
    assert not terminal.shows("waits for you")

    ordered(engine, "later", fresh_name("later"))
    terminal.wait_for("waits for you")
    terminal.press("Home", "Enter")
    terminal.wait_for("lacks it")
    terminal.press("x")
    terminal.wait_for("Give this order up?")
    terminal.press("y")
    terminal.wait_for("Certificates  1")
    assert engine.open_orders() == ()
