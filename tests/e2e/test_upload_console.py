"""Uploads as a person does them: pasted into the console in a real terminal, onto a real nginx."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.engine import Engine
from tests.support.authority import Authority, key_pem, make_key
from tests.support.nginx import NginxServer
from tests.support.tmux import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
Terminals = Callable[..., Terminal]

NAME = "shop.example.com"


@pytest.fixture
def bought(tmp_path: Path) -> Authority:
    """A CA that this system trusts."""
    authority = Authority.new("Bought")
    (tmp_path / "roots.pem").write_bytes(authority.root_pem)
    return authority


def box(home: Path, nginx: NginxServer) -> tuple[Engine, dict[str, str]]:
    """Set up a box with nginx as its only service, and return its engine and the environment of the console."""
    (home / "etc").mkdir(parents=True)
    (home / "etc" / "certdeck.toml").write_text(
        '[appliance]\nname = "Acme Box"\nhostname = "box.example.com"\n' + nginx.target_toml("nginx")
    )
    variables = {"CERTDECK_HOME": str(home), "SSL_CERT_FILE": str(home.parent / "roots.pem")}
    engine = Engine.open({**variables, "PATH": os.environ["PATH"]})
    engine.first_boot()
    return engine, variables


def open_upload(terminals: Terminals, variables: dict[str, str], *, columns: int = 80, rows: int = 24) -> Terminal:
    terminal = terminals(["certdeck"], columns=columns, rows=rows, env=variables)
    terminal.wait_for("Certificates")
    terminal.press("u")
    terminal.wait_for("Certificate, chain and key")
    return terminal


def name_it(terminal: Terminal, name: str) -> None:
    terminal.press("Down")
    terminal.type(name)
    terminal.wait_for(f"to {name}, served by nginx")
    terminal.wait_for("nginx (taken over from default)")


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
def test_from_a_paste_to_nginx_and_back(
    home: Path, bought: Authority, nginx: NginxServer, terminals: Terminals, columns: int, rows: int
) -> None:
    """Everything in one paste, in the wrong order: checked, applied, served; a foreign key is refused (ST-03, ST-33)."""
    engine, variables = box(home, nginx)
    first = bought.leaf([NAME, "www.shop.example.com"], days=380, days_left=300)
    terminal = open_upload(terminals, variables, columns=columns, rows=rows)
    terminal.paste((first.chain_pem + first.key_pem + first.certificate_pem).decode())
    terminal.wait_for("Found  1 certificate · 1 key · 1 in the chain")
    name_it(terminal, "shop")
    screen = terminal.wait_for("^s Apply")
    assert "private key, " in screen
    assert first.key_pem.decode().splitlines()[1][:16] not in screen
    terminal.press("C-s")
    terminal.wait_for("shop has its new certificate")
    nginx.wait_served(first.sha256)
    assert [each.method for each in engine.status(("shop",)).lineages] == ["upload"]
    terminal.press("Escape")
    terminal.wait_for("Certificates")

    foreign = bought.leaf([NAME, "www.shop.example.com"], days=380, days_left=350)
    terminal.press("u")
    terminal.wait_for("Upload  to shop")
    terminal.paste((foreign.fullchain_pem + key_pem(make_key())).decode())
    screen = terminal.wait_for("Apply is off: 1 check failed.")
    assert "✖ failed  Key matches" in screen
    assert "^s Apply" not in screen
    terminal.press("C-s")
    terminal.wait_for("Not applied")
    assert nginx.served_sha256() == first.sha256
    assert engine.status(("shop",)).lineages[0].version == 1

    # The right key beside it is enough: the wrong one is taken away first.
    terminal.press("BSpace")
    terminal.wait_for("paste everything here")
    terminal.paste((foreign.fullchain_pem + foreign.key_pem).decode())
    terminal.wait_for("^s Apply")
    terminal.press("C-s")
    terminal.wait_for("rolls back to version 1")
    nginx.wait_served(foreign.sha256)
    history = "".join(path.read_text(errors="replace") for path in home.rglob("*.log*") if path.is_file())
    assert foreign.key_pem.decode().splitlines()[1] not in history


def test_a_service_that_refuses_gets_its_old_pair_back(
    home: Path, bought: Authority, nginx: NginxServer, terminals: Terminals
) -> None:
    """nginx refuses its configuration: the old certificate is served, the progress says why, nothing given is lost (ST-41)."""
    _, variables = box(home, nginx)
    before = nginx.served_sha256()
    leaf = bought.leaf([NAME], days=380, days_left=300)
    terminal = open_upload(terminals, variables)
    terminal.paste((leaf.fullchain_pem + leaf.key_pem).decode())
    terminal.wait_for("Found  1 certificate")
    name_it(terminal, "shop")
    terminal.wait_for("^s Apply")
    nginx.break_config()
    terminal.press("C-s")
    terminal.wait_for("configuration test of target nginx failed")
    assert nginx.served_sha256() == before
    terminal.press("Escape")
    terminal.wait_for("private key, ")
    nginx.mend_config()
    terminal.wait_for("^s Apply")
    terminal.press("C-s")
    terminal.wait_for("shop has its new certificate")
    nginx.wait_served(leaf.sha256)


def test_a_large_paste(home: Path, bought: Authority, nginx: NginxServer, terminals: Terminals, tmp_path: Path) -> None:
    """A bundle of 300 kB, pasted into a terminal, is taken whole, and the console answers behind it."""
    _, variables = box(home, nginx)
    leaf = bought.leaf([NAME])
    filler = "".join(
        f"# line {number:05} of a trust store's comments, as some tools write them\n" for number in range(4400)
    )
    terminal = open_upload(terminals, variables)
    # Too long for an argument of `set-buffer`.
    (tmp_path / "paste").write_text(filler + (leaf.fullchain_pem + leaf.key_pem).decode())
    terminal._run("load-buffer", "-b", "large", str(tmp_path / "paste"))
    terminal._run("paste-buffer", "-p", "-b", "large", "-t", "main")
    terminal.wait_for("Found  1 certificate · 1 key · 1 in the chain")
    terminal.press("Escape")
    terminal.wait_for("Leave?")
