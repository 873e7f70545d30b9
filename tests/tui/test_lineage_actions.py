"""What can be done with a certificate from the status screen: each action asks what it must, and makes one call."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from textual.widgets import Input

from core.errors import LockHeld
from tests.support.deck import NARROW, deck, settled, shown
from tests.support.fake_dns import open_order
from tests.support.fake_engine import FakeEngine
from tui.screens.dialogs.confirm import ConfirmDialog
from tui.screens.dialogs.deploy import DeployDialog
from tui.screens.dialogs.error import ErrorDialog
from tui.screens.dialogs.export import ExportDialog
from tui.screens.lineages import LineagesScreen
from tui.widgets.certificate_table import CertificateTable
from tui.widgets.footer import PageFooter
from tui.widgets.tick import Tick


@pytest.mark.parametrize(
    ("keys", "call"),
    [
        (("r", "enter"), ("renew", {"names": ("shop",), "force": True, "dry_run": False})),
        (("b", "y"), ("deploy", {"name": "shop", "targets": None, "version": 1})),
        (("D", "y"), ("delete", {"name": "shop", "force": True})),
        (("a", "y"), ("set_lineage", {"name": "shop", "auto_renew": False, "renew_days_before": None})),
        (("c",), ("complete", {"name": "shop", "anyway": False})),
    ],
    ids=["renew", "roll-back", "delete", "auto-renew", "complete"],
)
async def test_actions_ask_and_then_call(keys: tuple[str, ...], call: tuple[str, dict[str, object]]) -> None:
    """Each action asks first, where something changes, and then makes exactly one call of the engine (ST-31)."""
    engine = FakeEngine()
    engine.lineages = [
        replace(each, version=2, open_order=True) if each.name == "shop" else each for each in engine.lineages
    ]
    engine.orders = {"shop": open_order("shop", is_manual=False, records=())}
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.screen.query_one(CertificateTable).choose("shop")
        await pilot.pause()
        await pilot.press(keys[0])
        await pilot.pause()
        if len(keys) > 1:
            await settled(pilot)
            assert isinstance(app.screen, ConfirmDialog | DeployDialog)
            assert call not in engine.calls
            await pilot.press(*keys[1:])
        await settled(pilot)
        assert engine.calls.count(call) == 1


async def test_deploying_asks_which_services() -> None:
    """d shows the services, those of the certificate ticked, and says whose certificate one carries now."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("d")
        await settled(pilot)
        assert isinstance(app.screen, DeployDialog)
        await pilot.pause(0.05)
        assert "[✔] nginx · serves shop now" in shown(app)
        assert "[ ] postfix" in shown(app)
        await pilot.press("enter")
        await settled(pilot)
        assert ("deploy", {"name": "mail", "targets": None}) in engine.calls


async def test_deploying_to_other_services() -> None:
    """Other services can be ticked; without any there is nothing to do."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("d")
        await settled(pilot)
        first, second = app.screen.query(Tick)
        first.focus()
        await pilot.press("space", "enter")
        assert "✖ Select a service." in shown(app)
        second.focus()
        await pilot.press("space", "enter")
        await settled(pilot)
        assert ("deploy", {"name": "mail", "targets": ("postfix",)}) in engine.calls


@pytest.mark.parametrize(("key", "yes"), [("d", "Deploy"), ("b", "Roll back")])
async def test_the_first_box_has_the_focus_if_nothing_is_ticked(key: str, yes: str) -> None:
    """For a certificate without a service, Space ticks the first one at once, and the footer says what Enter does."""
    engine = FakeEngine()
    engine.lineages = [replace(each, version=2, targets=()) for each in engine.lineages]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.screen.query_one(CertificateTable).choose("shop")
        await pilot.press(key)
        await settled(pilot)
        assert app.focused is app.screen.query(Tick).first()
        enter = "" if key == "b" else f"enter {yes}  "
        assert f"space Tick  {enter}tab Next  y {yes}  esc Cancel" in shown(app)
        await pilot.press("space", "y")
        await settled(pilot)
        assert next(each for name, each in engine.calls if name == "deploy")["targets"] == ("nginx",)


async def test_the_footer_of_a_rollback_says_what_enter_does() -> None:
    """Where the focus is on Cancel, the footer says that Enter cancels, and promises no Space."""
    engine = FakeEngine()
    engine.lineages = [replace(each, version=2) for each in engine.lineages]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.screen.query_one(CertificateTable).choose("shop")
        await pilot.press("b")
        await settled(pilot)
        await pilot.pause()
        assert "enter Cancel" in shown(app)
        assert "space Tick" not in shown(app)


@pytest.mark.parametrize("known", [True, False], ids=["with services", "without any service"])
@pytest.mark.parametrize(("key", "version"), [("d", 1), ("b", 1)])
async def test_only_the_files_are_switched_where_no_service_uses_it(key: str, version: int, known: bool) -> None:
    """For a certificate without a service, another version goes live by its files alone, as with the commands."""
    engine = FakeEngine()
    engine.lineages = [replace(each, version=2, targets=()) for each in engine.lineages]
    if not known:
        engine.known_targets = []
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.screen.query_one(CertificateTable).choose("shop")
        await pilot.press(key)
        await settled(pilot)
        assert isinstance(app.screen, DeployDialog)
        assert "No service uses it: only the files are switched." in " ".join(shown(app).split())
        await pilot.press(*(("right",) if key == "d" else ()), "y")
        await settled(pilot)
        assert ("deploy", {"name": "shop", "targets": None, "version": version}) in engine.calls


async def test_deploying_where_there_is_no_service() -> None:
    """Where no target is configured, d says how to add one."""
    engine = FakeEngine()
    engine.known_targets = []
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("d")
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)
        assert [note.message for note in app._notifications] == ["Add one first: y Targets."]


@pytest.mark.parametrize("key", ["b", "D", "a"])
async def test_enter_is_harmless_where_something_is_lost(key: str) -> None:
    """Where something is lost or stops working, Enter falls on the safe answer."""
    engine = FakeEngine()
    engine.lineages = [replace(each, version=2) for each in engine.lineages]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.screen.query_one(CertificateTable).choose("shop")
        await pilot.press(key)
        await settled(pilot)
        assert isinstance(app.screen, ConfirmDialog | DeployDialog)
        await pilot.press("enter")
        await settled(pilot)
        assert not {name for name, _ in engine.calls} & {"deploy", "delete", "set_lineage"}
        assert "Nothing was changed." in [note.message for note in app._notifications]


async def test_what_does_not_apply_does_nothing() -> None:
    """An uploaded certificate cannot be renewed, and a first version nothing before it: their keys say why."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        app.screen.query_one(CertificateTable).choose("partner")
        await pilot.pause()
        assert "r Renew  d Deploy" in shown(app, app.screen.query_one(PageFooter))
        for key in ("r", "b", "c"):
            await pilot.press(key)
            await pilot.pause()
            assert isinstance(app.screen, LineagesScreen), key


async def test_export() -> None:
    """e asks for form and file, and writes what was chosen."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("e")
        await pilot.pause()
        assert isinstance(app.screen, ExportDialog)
        await pilot.press("down", "down", "down", "enter")
        app.screen.query_one("#path", Input).value = "/tmp/mail.pfx"
        assert app.focused is app.screen.query_one("#passphrase")
        await pilot.press(*"secret", "enter", *"secret", "enter")
        await settled(pilot)
        name, arguments = next(call for call in engine.calls if call[0] == "export")
        assert name == "export"
        assert (arguments["format"], str(arguments["out"]), arguments["passphrase"]) == (
            "pfx",
            "/tmp/mail.pfx",
            b"secret",
        )


async def test_another_certdeck_is_told_calmly() -> None:
    """That another certdeck holds the lock is told in passing, with who it is, and nothing is called a failure."""
    engine = FakeEngine()
    held = LockHeld(
        "Another certdeck process is running.", "Process 812 renews since 03:00.", "Wait until it has ended."
    )
    engine.fails["delete"] = held
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("D", "y")
        await settled(pilot)
        assert not isinstance(app.screen, ErrorDialog)
        assert [note.title for note in app._notifications] == ["Another certdeck process is running."]
        assert any("Process 812" in note.message for note in app._notifications)


async def test_looking_again() -> None:
    """f5 asks the services once more what they serve."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("f5")
        await settled(pilot)
        assert ("status", {"names": (), "probe": True}) in engine.calls
