"""The console as a whole: what it knows, what it tells, and how it ends."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from core.errors import CertdeckError, ConfigError, LockHeld
from core.events import Event
from core.operations import LineageStatus, Status
from tests.support.deck import NARROW, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import lineage, without_certificate
from tui.screens.dialogs.error import ErrorDialog
from tui.screens.help import HelpScreen
from tui.screens.lineages import LineagesScreen
from tui.screens.log import LogScreen
from tui.screens.page import Page
from tui.screens.progress import ProgressScreen
from tui.terminal import Terminal
from tui.widgets.certificate_table import CertificateTable
from tui.widgets.footer import PageFooter
from tui.widgets.header import PageHeader
from tui.widgets.tray import Tray

HOSTILE = "[bold]x[/foo] [@click=app.quit]q[/] \x1b]52;c;aGk=\x07 \x1b[2J \u202eevil\u202c \u200bz\r\ny"
"""Markup, an OSC 52, a clear screen, a right-to-left override, a zero-width space, line ends."""


async def test_opens_on_the_certificates() -> None:
    """The first screen shows appliance, host, timer and certificates without a key being pressed (ST-10)."""
    app = deck()
    async with app.run_test(size=NARROW):
        assert isinstance(app.screen, LineagesScreen)
        first = shown(app).splitlines()[0]
        assert first.startswith(" ◆ certdeck  Acme Box  box.example.com  ")
        assert first.endswith("  timer on · next run 03:00, in 22 h")


async def test_first_paint_does_not_wait_for_services() -> None:
    """The services are asked after the first paint, in a thread, and what they say fills in (ST-49)."""
    engine = FakeEngine()
    release = threading.Event()
    ask = engine.status

    def status(names: Any = (), *, probe: bool = False) -> Status:
        if probe:
            assert threading.current_thread() is not threading.main_thread()
            release.wait(5)
        return ask(names, probe=probe)

    engine.status = status
    app = deck(engine, loading=True)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        assert "shop.example.com" in shown(app)
        assert app.probed_at is None
        release.set()
        await settled(pilot)
        assert app.probed_at is not None


async def test_a_look_that_began_before_a_change_is_asked_again() -> None:
    """An answer of the services that is older than what is shown does not bring the old certificate back."""
    engine = FakeEngine()
    release = threading.Event()
    ask = engine.status

    def status(names: Any = (), *, probe: bool = False) -> Status:
        read = ask(names, probe=probe)  # first the disk, then the services
        if probe:
            release.wait(5)
        return read

    engine.status = status
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.look_at_services()
        while not any(method == "status" and given["probe"] for method, given in engine.calls):
            await pilot.pause()
        engine.lineages.append(lineage("zebra"))
        engine.touch()
        app.refresh_status()
        app.look_at_services()
        release.set()
        await settled(pilot)
        while app.is_looking:
            await pilot.pause()
        await settled(pilot)
        assert "zebra" in shown(app)
        assert app.probed_at is not None


async def test_notices_work_of_others() -> None:
    """A change on disk by somebody else, such as the timer, shows by itself."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        engine.lineages.append(lineage("zebra"))
        app._poll()
        await settled(pilot)
        assert "zebra" not in shown(app)
        engine.touch()
        app._poll()
        await settled(pilot)
        assert "Certificates  8" in shown(app)


async def test_leaving_and_finding_progress() -> None:
    """Work goes on when its screen is left; the tray tells how far it is, w comes back, and the end is told once."""
    engine = FakeEngine()
    go_on = threading.Event()

    def hold(event: Event) -> None:
        go_on.wait(5)

    engine.before_event = hold
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        operation = app.begin(
            "Renew shop", "renewing shop", lambda report, cancel: engine.renew(("shop",), force=True, report=report)
        )
        assert operation is not None
        await pilot.pause()
        assert isinstance(app.screen, ProgressScreen)
        await pilot.press("escape")
        assert isinstance(app.screen, LineagesScreen)
        assert "◐ renewing shop …" in shown(app, app.screen.query_one(Tray))
        await pilot.press("w")
        assert isinstance(app.screen, ProgressScreen)
        await pilot.press("escape")
        go_on.set()
        await settled(pilot)
        assert "✔ Renew shop: done" in shown(app, app.screen.query_one(Tray))
        await pilot.press("w")
        await pilot.press("escape")
        assert not app.screen.query_one(Tray).has_class("-shown")


async def test_one_operation_at_a_time() -> None:
    """While one operation runs a second one is not begun, and that is said."""
    engine = FakeEngine()
    go_on = threading.Event()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        assert app.begin("First", "doing", lambda report, cancel: go_on.wait(5)) is not None
        assert app.begin("Second", "doing", lambda report, cancel: None) is None
        await pilot.pause()
        assert [note.title for note in app._notifications] == ["One at a time"]
        go_on.set()
        await settled(pilot)


async def test_a_quiet_operation_that_fails_opens_the_error() -> None:
    """An operation without a screen of its own tells what, why and what to do when it fails."""
    engine = FakeEngine()
    engine.fails["set_lineage"] = CertdeckError("The disk is full.", "No space is left.", "Make room.")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.begin("Set", "changing", lambda report, cancel: engine.set_lineage("shop", auto_renew=False), quiet=True)
        await settled(pilot)
        assert isinstance(app.screen, ErrorDialog)
        text = shown(app)
        assert all(words in text for words in ("The disk is full.", "No space is left.", "Make room."))


async def test_a_held_lock_is_told_in_passing() -> None:
    """That another certdeck process is running is no failure: a word in passing, and no dialog in the way."""
    engine = FakeEngine()
    held = LockHeld("Another certdeck process is running.", "Process 812 renews since 03:00.", "Wait for it.")
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:

        def call(report: object, cancel: object) -> None:
            raise held

        app.begin("Renew shop", "renewing shop", call)
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)
        assert [note.title for note in app._notifications] == ["Another certdeck process is running."]


async def test_a_fault_of_ours_is_words() -> None:
    """An exception that is no CertdeckError reaches the person as words, without its text, which may hold a secret."""
    app = deck()

    def call(report: object, cancel: object) -> None:
        token = "s3cret"
        raise ValueError(f"broke with {token}")

    async with app.run_test(size=NARROW) as pilot:
        app.begin("Renew shop", "renewing shop", call, quiet=True)
        await settled(pilot)
        assert isinstance(app.screen, ErrorDialog)
        assert "ValueError" in shown(app)
        assert "s3cret" not in shown(app)


def test_a_crash_prints_no_locals(capsys: pytest.CaptureFixture[str]) -> None:
    """When the console itself fails it ends with status 1 and plain words, never with a traceback or local variables."""
    app = deck()

    def explode() -> None:
        token = "s3cret"
        raise ValueError(token)

    async def drive(pilot: Any) -> None:
        app.call_later(explode)

    app.run(headless=True, auto_pilot=drive)
    said = capsys.readouterr().err
    assert app.return_code == 1
    assert "certdeck: The console failed with an unexpected error." in said
    assert "s3cret" not in said
    assert "Traceback" not in said


async def test_a_broken_configuration_is_shown_beside_the_rest() -> None:
    """A configuration that cannot be read is told with every problem, and what was known before stays visible."""
    engine = FakeEngine()
    app = deck(engine)
    broken = ConfigError(
        "The configuration is wrong.",
        "1 problem.",
        "Correct it.",
        details={"problems": ["line 3: unknown key `adress`"]},
    )
    async with app.run_test(size=NARROW) as pilot:
        engine.fails["status"] = broken
        app.refresh_status()
        await settled(pilot)
        assert app.status is not None
        assert app.status_error is broken
        assert "shop.example.com" in shown(app)


async def test_begins_with_a_broken_configuration() -> None:
    """With a broken configuration the console still opens, and says what is wrong."""
    engine = FakeEngine()
    engine.fails["status"] = ConfigError(
        "The configuration is wrong.",
        "1 problem.",
        "Correct it.",
        details={"problems": ["line 3: unknown key `adress`"]},
    )
    app = deck(engine)
    async with app.run_test(size=NARROW):
        text = shown(app)
        assert all(words in text for words in ("The configuration is wrong.", "Correct it.", "unknown key `adress`"))


@pytest.mark.parametrize("terminal", [Terminal(), Terminal(ascii=True)], ids=["unicode", "ascii"])
async def test_hostile_text_does_nothing(terminal: Terminal) -> None:
    """Markup, terminal codes and marks of direction in names, subjects and messages reach neither Textual nor the terminal."""
    engine = FakeEngine(
        [
            lineage(
                "evil",
                HOSTILE,
                subject=HOSTILE,
                issuer=HOSTILE,
                ca=None,
                profile=HOSTILE,
                last_error={"code": "x", "what": HOSTILE, "why": HOSTILE, "fix": HOSTILE, "at": ""},
            )
        ]
    )
    app = deck(engine, terminal=terminal)
    async with app.run_test(size=(120, 60)) as pilot:
        await pilot.press("enter")
        app.show_error(CertdeckError(HOSTILE, HOSTILE, HOSTILE))
        await pilot.pause()
        await pilot.press("escape")
        app.show_error(LockHeld(HOSTILE, HOSTILE, HOSTILE))
        await pilot.pause()
        strips = app.screen._compositor.render_strips()
        assert app.is_running
        assert "[bold]x[/foo]" in "".join(segment.text for strip in strips for segment in strip)
        last = app.get_line_filters()[-1]
        for strip in strips:
            for segment in last.apply(list(strip), app.screen.styles.background):
                assert segment.text.isprintable()
                if terminal.ascii:
                    assert segment.text.isascii()


async def test_a_small_terminal_is_told_calmly() -> None:
    """Below 60 x 16 the console asks for room, and comes back by itself when there is some."""
    app = deck()
    async with app.run_test(size=(50, 12)) as pilot:
        assert "certdeck needs 60 × 16 characters." in shown(app)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "Certificates  7" in shown(app)


async def test_the_cursor_survives_a_small_terminal() -> None:
    """When a window was too small for a while the keys work on the same list as before."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("down")
        await pilot.resize_terminal(50, 12)
        await pilot.pause()
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        await pilot.press("down")
        assert isinstance(app.screen, LineagesScreen)
        table = app.screen.query_one(CertificateTable)
        assert table.has_focus
        assert table.chosen is not None
        assert table.chosen.name == "edge"


async def test_global_keys() -> None:
    """l opens the log, ? the help of the screen one is on, and Esc goes back; the same key twice opens one screen."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l", "l")
        await settled(pilot)
        assert isinstance(app.screen, LogScreen)
        await pilot.press("f1", "f1")
        assert isinstance(app.screen, HelpScreen)
        assert app.screen.page_detail == "Log"
        await pilot.press("escape", "escape")
        assert isinstance(app.screen, LineagesScreen)


async def test_every_page_has_header_and_footer() -> None:
    """Each page has one header and one footer, and the footer always offers help and the palette."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        for key in ("l", "f1"):
            await pilot.press(key)
            await settled(pilot)
            assert isinstance(app.screen, Page)
            assert len(app.screen.query(PageHeader)) == 1
            footer = shown(app, app.screen.query_one(PageFooter))
            assert footer.rstrip().endswith("^p More")


async def test_quit_ends_with_status_0() -> None:
    """q ends the console with exit status 0."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("q")
    assert (app.return_code or 0) == 0


@pytest.mark.parametrize(
    ("lineages", "key", "words"),
    [
        (
            [lineage("bought", method="upload")],
            "r",
            "It was uploaded, so it is not renewed here. u uploads a new one.",
        ),
        ([lineage("bought", method="upload")], "b", "There is no earlier version."),
        ([lineage("own", self_signed=True)], "R", "It is self-signed: no CA can revoke it."),
        ([without_certificate("new")], "R", "It has no certificate yet."),
        ([without_certificate("new")], "b", "It has no certificate yet."),
        ([], "r", "No certificate is selected."),
        ([], "w", "No operation is running."),
    ],
)
async def test_a_key_that_does_not_apply_says_so(lineages: list[LineageStatus], key: str, words: str) -> None:
    """A key of the table that does nothing here says so in passing instead of nothing."""
    app = deck(FakeEngine(lineages))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert [notice.message for notice in app._notifications] == [words]


async def test_a_key_that_waits_for_an_operation_says_so() -> None:
    """While an operation runs, a key that would write says that it has to wait, once however often it is pressed."""
    engine = FakeEngine()
    release = threading.Event()
    engine.before_event = lambda event: engine_waits(release)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.begin(
            "Renew shop", "renewing shop", lambda report, cancel: engine.renew(("shop",), force=True, report=report)
        )
        await pilot.pause()
        await pilot.press("escape", "i", "i")
        await pilot.pause()
        assert [notice.message for notice in app._notifications] == ["Another operation is running. Press w to see it."]
        release.set()
        await settled(pilot)


async def test_keys_of_no_table_and_typed_letters_stay_silent() -> None:
    """A key that means nothing anywhere, escape on the first screen, and letters typed into a field say nothing."""
    app = deck(FakeEngine([lineage("bought", method="upload")]))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("escape", "asterisk", "slash")
        await pilot.pause()
        await pilot.press(*"rb")
        await pilot.pause()
        assert len(app._notifications) == 0


def engine_waits(release: threading.Event) -> None:
    """Hold an operation back until a test lets it go."""
    assert release.wait(10)


async def test_what_was_said_in_passing_goes_with_the_next_key() -> None:
    """A message covers nothing for long: the next key two seconds later takes it away, another page at once."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.notify("Sent.", timeout=60)
        await pilot.press("down")
        assert len(app._notifications) == 1
        engine.clock.advance(seconds=2)
        await pilot.press("down")
        assert len(app._notifications) == 0
        app.notify("Sent.", timeout=60)
        engine.clock.advance(seconds=1)
        await pilot.press("l")
        await pilot.pause()
        assert len(app._notifications) == 0


async def test_a_warning_stays_for_its_time() -> None:
    """A warning is taken away by no key."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.notify("Look.", severity="warning", timeout=60)
        engine.clock.advance(seconds=5)
        await pilot.press("down")
        assert len(app._notifications) == 1
