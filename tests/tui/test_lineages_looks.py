"""How the status screen, its dialogs and the progress look."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import ConfigError, StoreCorrupt
from tests.support.deck import NARROW, WIDE, deck, settled
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import lineage
from tui.terminal import Terminal

CONFIG = ConfigError(
    "The configuration has 2 problems.",
    "certdeck.toml line 7: unknown key 'isuer' in [defaults].",
    "Did you mean 'issuer'? Correct the file; nothing renews until then.",
    details={"problems": ["line 7: unknown key 'isuer'", "line 9: port must be a number"]},
)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
def test_home(snap_compare: Any, theme: str, size: tuple[int, int]) -> None:
    """The home: counts, horizon, list with life bars, detail of the second certificate; columns aligned, nothing cut."""
    assert snap_compare(deck(theme=theme), press=["down"], terminal_size=size)


@pytest.mark.parametrize(
    ("terminal", "theme"),
    [
        pytest.param(Terminal(), "contrast", id="contrast"),
        pytest.param(Terminal(colours=16), None, id="16-colours"),
        pytest.param(Terminal(ascii=True, colours=16), None, id="ascii"),
        pytest.param(Terminal(ascii=True, colours=0), None, id="ascii-no-colour"),
    ],
)
def test_home_on_poor_terminals(
    snap_compare: Any, monkeypatch: pytest.MonkeyPatch, terminal: Terminal, theme: str | None
) -> None:
    """In high contrast, in 16 colours, in ASCII and without colour the home says the same, by signs and words."""
    if terminal.colours == 0:
        monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(deck(theme=theme, terminal=terminal), press=["down"], terminal_size=NARROW)


def test_home_with_trouble(snap_compare: Any) -> None:
    """A certificate whose deployment failed: what, why and what to do stand first in its detail."""
    assert snap_compare(deck(), terminal_size=WIDE)


def test_home_with_a_broken_configuration(snap_compare: Any) -> None:
    """A configuration that cannot be read: what, why, what to do, and each problem."""
    engine = FakeEngine()
    engine.fails["status"] = CONFIG
    assert snap_compare(deck(engine), terminal_size=NARROW)


def test_home_filtered(snap_compare: Any) -> None:
    """A filter in its field, and the two certificates that it leaves."""
    assert snap_compare(deck(), press=["slash", *"example.com", "enter"], terminal_size=NARROW)


def test_home_with_long_names(snap_compare: Any) -> None:
    """Long names, an IDN and many names keep the columns aligned."""
    engine = FakeEngine(
        [
            lineage(
                "a-very-long-name-for-a-lineage-that-somebody-chose", "a-very-long-label.of-a-department.example.com"
            ),
            lineage("xn--bcher-kva.example", "xn--bcher-kva.example", "www.xn--bcher-kva.example"),
            lineage("many", *[f"host-{number}.example.com" for number in range(100)]),
            lineage("日本", "xn--wgv71a.example"),
        ]
    )
    assert snap_compare(deck(engine), press=["end"], terminal_size=NARROW)


def test_a_dialog_that_warns(snap_compare: Any) -> None:
    """Deleting: a red frame, what it means, and the safe answer chosen."""
    assert snap_compare(deck(), press=["D"], terminal_size=NARROW)


def test_the_services_to_deploy_to(snap_compare: Any) -> None:
    """Which services: ticks, whose certificate each carries, what happens, and the harmless way out."""

    async def asked(pilot: Any) -> None:
        await pilot.press("d")
        await settled(pilot)

    assert snap_compare(deck(), run_before=asked, terminal_size=NARROW)


def test_a_finished_renewal(snap_compare: Any) -> None:
    """Every step with its sign and what came of it, then one sentence."""

    async def finished(pilot: Any) -> None:
        await pilot.press("down", "r", "enter")
        await settled(pilot)

    assert snap_compare(deck(), run_before=finished, terminal_size=NARROW)


def test_a_failed_deployment(snap_compare: Any) -> None:
    """A deployment that failed: what happened, why, and what to do."""

    async def failed(pilot: Any) -> None:
        await pilot.press("d")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)

    engine = FakeEngine()
    engine.fails["deploy"] = StoreCorrupt(
        "nginx could not be reloaded.", "nginx: [emerg] bad key", "Mend it and deploy again."
    )
    assert snap_compare(deck(engine), run_before=failed, terminal_size=NARROW)
