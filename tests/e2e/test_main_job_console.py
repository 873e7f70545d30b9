"""The main job as a person does it: in the console, in a real terminal, with the real engine, Pebble and nginx."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from core.engine import Engine
from tests.support.nginx import NginxServer
from tests.support.pebble import PebbleServer
from tests.support.programs import wait_until
from tests.support.tmux import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
Terminals = Callable[..., Terminal]


def configure(home: Path, pebble: PebbleServer, nginx: NginxServer | None = None) -> None:
    """Write the configuration of a box whose default issuer is Pebble."""
    (home / "etc").mkdir(parents=True)
    text = (
        '[appliance]\nname = "Acme Box"\nhostname = "box.example.com"\n'
        f'[issuers.lab]\ntitle = "Lab CA"\ndirectory = "{pebble.directory_url}"\nca_bundle = "{pebble.ca_pem}"\n'
        'profile = "default"\nagree_tos = true\n'
        f'[defaults]\nissuer = "lab"\n[http01]\naddress = "127.0.0.1"\nport = {pebble.http01_port}\n'
    )
    if nginx is not None:
        text += nginx.target_toml("nginx")
    (home / "etc" / "certdeck.toml").write_text(text)


def through_the_wizard(terminal: Terminal, name: str) -> None:
    """Type a name and go on until the order runs, taking what is proposed and ticking the service where there is one."""
    terminal.wait_for("Certificates")
    terminal.press("i")
    terminal.wait_for("Names of the certificate")
    terminal.type(name)
    terminal.wait_for(f"✔ {name}")
    terminal.press("Enter")
    terminal.wait_for("▸ (●) HTTP-01")
    terminal.press("Enter")
    terminal.wait_for(re.compile(r"\(●\) Lab CA"))
    terminal.wait_for("✔ Terms")
    terminal.press("Enter")
    terminal.wait_for(re.compile("Serves now|no service", re.IGNORECASE))
    if terminal.shows("[ ] nginx"):
        terminal.press("Space")
        terminal.wait_for("[✔] nginx")
    terminal.press("Enter")
    terminal.wait_for(re.compile(r"[▲✔] .*(warning|checks? passed|ready|nothing)", re.IGNORECASE))
    terminal.wait_for("HTTP-01")
    terminal.press("Enter")


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
def test_from_first_boot_to_a_renewed_certificate(
    home: Path,
    pebble: PebbleServer,
    nginx: NginxServer,
    terminals: Terminals,
    fresh_name: Callable[[str], str],
    columns: int,
    rows: int,
) -> None:
    """First boot, issue, nginx serves it, renew, nginx serves the new one: all typed into a terminal (ST-10, CC-15)."""
    configure(home, pebble, nginx)
    terminal = terminals(["certdeck"], columns=columns, rows=rows, env={"CERTDECK_HOME": str(home)})
    terminal.wait_for("self-signed certificate now")
    terminal.press("Enter")
    terminal.wait_for("The certificate was created")
    engine = Engine.open({"CERTDECK_HOME": str(home), "PATH": os.environ["PATH"]})
    nginx.wait_served(engine.status(("default",)).lineages[0].sha256)
    terminal.press("Escape")

    name = fresh_name("shop")
    through_the_wizard(terminal, name)
    terminal.wait_for(f"{name} has its certificate", timeout=60)
    first = engine.status((name,)).lineages[0]
    assert first.method == "http-01"
    nginx.wait_served(first.sha256)

    terminal.press("Escape")
    terminal.wait_for("Certificates")
    terminal.press("Home", "r")
    terminal.wait_for(f"Renew {name}?")
    terminal.press("y")
    wait_until(lambda: engine.status((name,)).lineages[0].version == 2, "the renewal", timeout=60)
    nginx.wait_served(engine.status((name,)).lineages[0].sha256)
    terminal.wait_for(f"{name} renewed")
    terminal.press("Escape")
    terminal.wait_for("Certificates")
    terminal.press("q")
    assert terminal.wait_exit() == 0


def test_a_dropped_session_leaves_a_finished_order(
    home: Path, pebbles: Callable[..., PebbleServer], terminals: Terminals, fresh_name: Callable[[str], str]
) -> None:
    """The terminal goes away in the middle of an order (SIGHUP), and the order is finished all the same."""
    pebble = pebbles(nosleep=False)
    configure(home, pebble)
    engine = Engine.open({"CERTDECK_HOME": str(home), "PATH": os.environ["PATH"]})
    engine.first_boot()
    terminal = terminals(["certdeck"], env={"CERTDECK_HOME": str(home)})
    name = fresh_name("gone")
    through_the_wizard(terminal, name)
    terminal.wait_for("6 Issue")
    terminal.wait_for("Order")
    os.kill(terminal.pid, signal.SIGHUP)
    assert terminal.wait_exit(timeout=60) == 128 + signal.SIGHUP
    assert engine.status((name,)).lineages[0].version == 1
