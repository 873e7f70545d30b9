"""The console: one Textual app over one engine. Themes, news, and what every screen can do; the screens do the rest."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec.structs import replace
from rich.segment import Segment, Segments
from textual.app import App
from textual.binding import Binding
from textual.events import Key
from textual.filter import LineFilter, NoColor
from textual.message import Message
from textual.screen import Screen
from textual.signal import Signal
from textual.theme import Theme

from core.errors import CertdeckError, LockHeld
from core.operations import Status
from tui import text, theming
from tui.action import why_not
from tui.actions import Action, bindings, of_scope
from tui.bridge import Answered, Bridge, Call, EngineEvent, Operation, OperationFinished
from tui.filters import Ascii, Safe
from tui.screens.page import StatusRead
from tui.suspension import Suspension
from tui.terminal import Terminal, look

if TYPE_CHECKING:
    from core.engine import Engine

_POLL_SECONDS = 2.0
"""How often the disk is asked whether somebody else, the timer for one, has changed something."""
_CLOCK_SECONDS = 30.0
"""How often the header counts on."""
_REREAD_SECONDS = 600.0
"""How often everything is read again because time passes, although nothing has changed: days left, severities."""


class CertdeckApp(App[None]):
    """`engine` may be a double: nothing below knows more of it than its methods."""

    CSS_PATH = Path(__file__).parent / "certdeck.tcss"
    BINDINGS: ClassVar = [
        *bindings(of_scope("app")),
        # As in every other program of a terminal; `fg` brings the console back.
        Binding("ctrl+z", "suspend_process", show=False),
    ]
    ENABLE_COMMAND_PALETTE = False  # ours is made from the table of actions
    TITLE = "certdeck"
    ESCAPE_TO_MINIMIZE = False

    def __init__(
        self,
        engine: Engine,
        *,
        terminal: Terminal | None = None,
        theme: str | None = None,
        themes: theming.Loaded | None = None,
        loading: bool = True,
    ) -> None:
        """`theme`: as configured; None: the default, or the sixteen-colour one where the terminal has no more.
        `loading`: look at the services and poll the disk as well; tests of looks turn it off."""
        self.terminal = terminal or Terminal()
        super().__init__(ansi_color=True if self.terminal.native else None)
        self.engine = engine
        self.bridge = Bridge(self, self.now)
        self.news: Signal[Message] = Signal(self, "news")
        self.status: Status | None = None
        self.status_error: CertdeckError | None = None
        self.probed_at: datetime | None = None
        self.is_looking = False
        """Services are being asked what they serve."""
        self._loading = loading
        self._generation = ""
        self._use_theme(themes, theme)
        self._last_filters: list[LineFilter] = [Ascii() if self.terminal.ascii else Safe()]
        if self.terminal.colours == 0 and not self.no_color:
            # Not only where NO_COLOR says so: a vt100 has none either.
            self.no_color = True
            self._last_filters.insert(0, NoColor())

    # -- looks -------------------------------------------------------------------------------------------------------

    def _use_theme(self, themes: theming.Loaded | None, wanted: str | None) -> None:
        name = theming.ANSI if self.terminal.native else wanted or theming.DEFAULT
        self._all_themes = themes is not None
        loaded = themes or theming.load(self.engine.paths.etc, only=name)
        if name not in loaded.themes:
            self._all_themes = True
            loaded = theming.load(self.engine.paths.etc)
            if name not in loaded.themes:
                loaded = replace(loaded, problems=(*loaded.problems, theming.unknown(name, loaded)))
                name = theming.DEFAULT
        self.theme_problems = loaded.problems
        for each in loaded.themes.values():
            self.register_theme(each)
        # Before anything is styled: to set it through the reactive would style everything twice.
        self.set_reactive(App.theme, name)
        self.stylesheet.set_variables(self.get_css_variables())
        self.set_class(self.current_theme.dark, "-dark-mode", update=False)
        self.set_class(not self.current_theme.dark, "-light-mode", update=False)

    def deck_themes(self) -> list[Theme]:
        """Return our own themes and the vendor's, by name; reads their files when it is first asked."""
        if not self._all_themes:
            self._all_themes = True
            loaded = theming.load(self.engine.paths.etc)
            self.theme_problems = loaded.problems
            for each in loaded.themes.values():
                self.register_theme(each)
        ours = [theme for theme in self.available_themes.values() if "cursor-row" in theme.variables]
        return sorted((theme for theme in ours if theme.ansi == self.terminal.native), key=lambda theme: theme.name)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Add ours behind Textual's."""
        return [*super().get_line_filters(), *self._last_filters]

    def get_default_screen(self) -> Screen[Any]:
        from tui.screens.lineages import LineagesScreen

        self.read_status()
        return LineagesScreen()

    # -- what is known -----------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Return the engine's clock."""
        return self.engine.env.clock.now()

    def read_status(self) -> None:
        """Read what is on disk, at once: it takes milliseconds."""
        try:
            self._generation = self.engine.generation()
            self._keep(self.engine.status(probe=False))
        except CertdeckError as exc:
            self._keep(exc)

    def look_at_services(self) -> None:
        """Ask the services what they serve, in a thread."""
        if self.is_looking or self.status_error is not None:
            return
        self.is_looking = True
        asked_at = self._generation
        self.bridge.ask(lambda: self.engine.status(probe=True), lambda answer: self._looked(asked_at, answer))

    def _looked(self, asked_at: str, answer: Status | CertdeckError) -> None:
        self.is_looking = False
        if asked_at != self._generation:
            # It was read before what is shown now: an operation ended while the services were asked.
            self.look_at_services()
            self._publish_status()
            return
        if not isinstance(answer, CertdeckError):
            self.probed_at = self.now()
        self._keep(answer)
        self._publish_status()

    def _keep(self, answer: Status | CertdeckError) -> None:
        if isinstance(answer, CertdeckError):
            self.status_error = answer
        else:
            self.status, self.status_error = answer, None

    def _publish_status(self) -> None:
        self.news.publish(StatusRead(self.status, self.status_error))

    def refresh_status(self) -> None:
        """Read the disk again and tell every screen."""
        self.read_status()
        self._publish_status()

    def _poll(self) -> None:
        if not self.is_headless and not os.isatty(sys.__stdin__.fileno() if sys.__stdin__ else 0):
            self._ended_by(signal.SIGHUP)  # the terminal is gone, and nobody has said so
        if self.bridge.busy:
            return
        try:
            changed = self.engine.generation() != self._generation
        except CertdeckError:
            changed = True
        if changed:
            self.refresh_status()
            self.look_at_services()

    def _refresh_clock(self) -> None:
        from tui.screens.page import Page

        if isinstance(self.screen, Page):
            self.screen.refresh_frame()

    # -- operations --------------------------------------------------------------------------------------------------

    def begin(
        self,
        title: str,
        doing: str,
        call: Call,
        *,
        lineage: str | None = None,
        expects: tuple[str, ...] = (),
        quiet: bool = False,
    ) -> Operation | None:
        """Start an operation and show its progress; `quiet`: only how it ended. Says so calmly when another one runs."""
        operation = self.bridge.start(title, doing, call, lineage=lineage, expects=expects, quiet=quiet)
        if operation is None:
            self.notify("Another operation runs. w shows it.", title="One at a time", markup=False)
        elif not quiet:
            self.action_progress()
        return operation

    def under_way(self) -> tuple[str, str]:
        """Return what the tray says, and the outcome it tells; nothing once somebody has seen how it ended."""
        operation = self.bridge.operation
        if operation is None or operation.seen:
            return "", "running"
        if operation.runs:
            from tui.widgets.order_progress import counted

            done, of = counted(operation.reports, operation.expects)
            return f"{operation.doing} … {f'{done} of {of}' if of else ''}".rstrip(), "running"
        return f"{operation.title}: {operation.outcome}", operation.outcome

    def on_engine_event(self, message: EngineEvent) -> None:
        self.bridge.take(message)
        self.news.publish(message)

    def on_operation_finished(self, message: OperationFinished) -> None:
        self.bridge.take(message)
        operation = message.operation
        if operation.quiet or isinstance(operation.error, LockHeld):
            operation.seen = True
            self._tell_end(operation)
        self.read_status()
        self.news.publish(message)
        self._publish_status()
        self.look_at_services()

    def _tell_end(self, operation: Operation) -> None:
        from tui.screens.progress import ProgressScreen, ending

        if isinstance(self.screen, ProgressScreen) and operation.error is not None:
            self.pop_screen()
        if operation.error is not None:
            self.show_error(operation.error)
        else:
            self.notify(ending(operation) or "Done.", title=text.printable(operation.title), markup=False)

    def on_answered(self, message: Answered) -> None:
        self.bridge.take(message)

    def show_error(self, error: CertdeckError) -> None:
        """Say what, why and what to do. That another certdeck writes is no failure and is told in passing."""
        if isinstance(error, LockHeld):
            self.notify(f"{error.why} {error.fix}", title=error.what, timeout=8, markup=False)
            return
        from tui.screens.dialogs.error import ErrorDialog

        self.push_screen(ErrorDialog(error))

    # -- actions of every screen ---------------------------------------------------------------------------------------

    def perform(self, action: Action) -> None:
        """Do what the action's key does."""
        self.call_later(self.run_action, action.id.replace("-", "_"), self if action.scope == "app" else self.screen)

    def on_key(self, event: Key) -> None:
        """Say why a key of the table does nothing here; a key that is in no table stays silent."""
        from tui.screens.page import Page

        page = self.screen
        if not isinstance(page, Page) or event.key == "escape":
            return
        found = [action for action in page.actions() if event.key in action.key.split(",")]
        situation = page.situation()
        reasons = [why_not(action, situation) for action in found]
        if found and all(reasons):
            self.clear_notifications()
            self.notify(text.printable(reasons[0]), title=found[0].title, timeout=3, markup=False)

    def go_to(self, name: str) -> None:
        """Go to the first screen, with the cursor on a lineage."""
        from tui.screens.lineages import LineagesScreen

        while len(self.screen_stack) > 1:
            self.pop_screen()
        if isinstance(self.screen, LineagesScreen):
            self.call_later(self.screen.choose, name)

    def action_progress(self) -> None:
        from tui.screens.progress import ProgressScreen

        if self.bridge.operation is not None and not isinstance(self.screen, ProgressScreen):
            self.push_screen(ProgressScreen(self.bridge.operation))

    def action_log(self) -> None:
        from tui.screens.log import LogScreen

        self._open(LogScreen)

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen
        from tui.screens.page import Page

        if isinstance(self.screen, Page) and not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_upload(self) -> None:
        from tui.screens.upload import open_upload

        open_upload(self)

    def action_issuers(self) -> None:
        from tui.screens.issuers import IssuersScreen

        self._open(IssuersScreen)

    def action_targets(self) -> None:
        from tui.screens.targets import TargetsScreen

        self._open(TargetsScreen)

    def action_dns(self) -> None:
        from tui.screens.dns import DnsScreen

        self._open(DnsScreen)

    def action_signing_requests(self) -> None:
        from tui.screens.upload.requests import RequestsScreen

        self._open(RequestsScreen)

    def action_deleted(self) -> None:
        from tui.screens.deleted import DeletedScreen

        self._open(DeletedScreen)

    def action_settings(self) -> None:
        from tui.screens.settings import SettingsScreen

        self._open(SettingsScreen)

    def action_first_boot(self) -> None:
        from tui.screens.first_boot import FirstBootScreen

        self._open(FirstBootScreen)

    def _open(self, kind: type[Screen[Any]]) -> None:
        """Open a screen, once: the same key on it does nothing."""
        if not isinstance(self.screen, kind):
            self.push_screen(kind())

    def action_theme(self) -> None:
        names = [theme.name for theme in self.deck_themes()]
        here = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(here + 1) % len(names)]

    def action_command_palette(self) -> None:
        from tui.palette import PaletteDialog
        from tui.screens.page import Page

        if isinstance(self.screen, Page):
            self.push_screen(PaletteDialog(self.screen))

    # -- beginning and end -------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        for problem in self.theme_problems:
            self.notify(
                f"{problem.why} {problem.fix}",
                title=text.printable(problem.what),
                severity="warning",
                timeout=15,
                markup=False,
            )
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self._ended_by, number)
            if self._driver is not None and self._driver.can_suspend:
                self._suspension = Suspension(self._driver)
        if self._loading:
            self.set_interval(_POLL_SECONDS, self._poll)
            self.set_interval(_CLOCK_SECONDS, self._refresh_clock)
            self.set_interval(_REREAD_SECONDS, self.refresh_status)
            self.call_after_refresh(self.look_at_services)
            if self.status is not None and not self.status.lineages and not self.status.problems:
                self.call_after_refresh(self.action_first_boot)

    def _ended_by(self, number: int) -> None:
        """Leave as after `quit`: the terminal is put in order, and work that runs is finished first."""
        self.exit(return_code=128 + number)

    def _fatal_error(self) -> None:
        """Say that certdeck made a mistake; Textual's own way prints local variables, secrets among them."""
        logging.getLogger(__name__).error("the console failed", exc_info=self._exception)
        words = (
            "certdeck: the console has made a mistake and has ended.\n"
            "   why: Something unexpected happened inside it. What was live is still\n"
            "        live, and work that ran is finished first.\n"
            "   fix: Start it again. If it happens again, report it with the end of\n"
            f"        {self.engine.paths.debug_log}\n"
        )
        self._exit_renderables.append(Segments([Segment(words)]))
        self._close_messages_no_wait()


def run(engine: Engine, *, variables: Mapping[str, str] | None = None) -> int:
    """Open the console and return the exit status when it has ended. `variables`: the environment, where not the engine's.

    Raises UsageError (`usage`) where the terminal is not up to it.
    """
    terminal = look(
        engine.env.variables if variables is None else variables,
        stdin_is_terminal=sys.stdin.isatty(),
        stdout_is_terminal=sys.stdout.isatty(),
        # Textual writes to standard error.
        encoding=getattr(sys.__stderr__, "encoding", None),
    )
    theme, mouse = None, True
    try:
        config = engine.config()
        theme, mouse = config.appliance.theme, config.console.mouse
        if config.console.ascii:
            terminal = Terminal(ascii=True, colours=terminal.colours)
    except CertdeckError:
        pass  # the first screen says what is wrong with it
    if not logging.getLogger().handlers:
        # Python would print what is logged, tracebacks among it, over the screen.
        logging.getLogger().addHandler(logging.NullHandler())
    app = CertdeckApp(engine, terminal=terminal, theme=theme)
    app.run(mouse=mouse)
    _finish(app.bridge)
    code = app.return_code or 0
    if code == 128 + signal.SIGHUP:
        # Textual's reading thread does not always notice that its terminal is gone: it would hold the process, busy, for ever.
        logging.shutdown()
        os._exit(code)
    return code


def _finish(bridge: Bridge) -> None:
    """Let an operation that runs come to its end. Whoever asks once more, by Ctrl+C or SIGTERM, has it stop at a safe point."""
    operation = bridge.operation
    if operation is None or not bridge.works:
        return

    def stop(number: int, frame: object) -> None:
        operation.cancel.cancel()

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # The terminal may be gone.
    with suppress(OSError):
        sys.stderr.write(
            f"certdeck: still {text.printable(operation.doing)}; it is finished first. Ctrl+C stops it safely.\n"
        )
    bridge.wait()
