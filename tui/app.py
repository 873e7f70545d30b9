"""The console: one Textual app for one engine. It has the themes, the events, and the actions of every screen."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec.structs import replace
from rich.segment import Segment, Segments
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.binding import Binding
from textual.events import Event, Key, Paste
from textual.filter import LineFilter, NoColor
from textual.screen import Screen
from textual.theme import Theme

from core.errors import CertdeckError, LockHeld
from tui import theming
from tui.action import why_not
from tui.actions import bindings, of_scope
from tui.bridge import Answered, Bridge, EngineEvent, Operation, OperationFinished
from tui.deck import Deck
from tui.frame import Changes, Frame
from tui.glyphs import Drawing
from tui.key_queue import KeyQueue
from tui.line_filters import Ascii, Safe
from tui.reading import place_of, takes_text
from tui.screens.page import Page
from tui.suspension import Suspension
from tui.terminal import Terminal, baud_of, look
from tui.wording import text

if TYPE_CHECKING:
    from core.engine import Engine

_POLL_SECONDS = 2.0
"""How often the disk is checked for changes by another process, such as the timer."""
_BURST_SECONDS = 0.008
"""Letters that arrive faster than this are text: from a paste, or from a key that sends several."""
_READ_SECONDS = 2.0
"""Time after which the next key removes a toast."""
_CLOCK_SECONDS = 30.0
"""How often the times in the header are updated."""
_REREAD_SECONDS = 600.0
"""How often everything is read again although nothing has changed, because days left and severities depend on the time."""


class CertdeckApp(Deck):
    """The console's app. `engine` may be a test double: only its methods are used."""

    CSS_PATH = Path(__file__).parent / "certdeck.tcss"
    BINDINGS: ClassVar = [
        *bindings(of_scope("app")),
        # As in other terminal programs; `fg` resumes the console.
        Binding("ctrl+z", "suspend_process", show=False),
        Binding("ctrl+q", "leave", show=False),
        # Textual's own message names a key that is different here.
        Binding("ctrl+c", "say_how_to_quit", show=False),
        # As in other terminal programs.
        Binding("ctrl+l", "redraw", show=False),
    ]
    ENABLE_COMMAND_PALETTE = False  # ours is generated from the table of actions
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
        super().__init__(engine, terminal=terminal or Terminal())
        self.key_queue = KeyQueue(self)
        self._suspension: Suspension | None = None
        self._last_letter = (0.0, "")
        """Time and character of the last printable key."""
        self._loading = loading
        self.frame = Frame()
        self._use_theme(themes, theme)
        Drawing.ascii = self.terminal.ascii
        self._last_filters: list[LineFilter] = [Ascii() if self.terminal.ascii else Safe()]
        if self.terminal.is_slow:
            self.animation_level = "none"
        self.set_class(self.terminal.is_linear, "-linear", update=False)
        if self.terminal.colours == 0 and not self.no_color:
            # Not only with NO_COLOR: a vt100 has no colors either.
            self.no_color = True
            self._last_filters.insert(0, NoColor())

    # -- looks -------------------------------------------------------------------------------------------------------

    def _use_theme(self, themes: theming.Loaded | None, wanted: str | None) -> None:
        name = theming.native(self.engine.paths.etc, wanted) if self.terminal.native else wanted or theming.DEFAULT
        self._all_themes = themes is not None
        loaded = themes or theming.load(self.engine.paths.etc, only=name, depth=self.terminal.colours)
        if name not in loaded.themes:
            self._all_themes = True
            loaded = theming.load(self.engine.paths.etc, depth=self.terminal.colours)
        self.theme_problems = theming.problems_of(loaded, name)
        if name not in loaded.themes:
            name = theming.DEFAULT
        for each in loaded.themes.values():
            self.register_theme(each)
        # Before anything is styled: setting it through the reactive would style everything twice.
        self.set_reactive(App.theme, name)
        self.stylesheet.set_variables(self.get_css_variables())
        self.set_class(self.current_theme.dark, "-dark-mode", update=False)
        self.set_class(not self.current_theme.dark, "-light-mode", update=False)

    def deck_themes(self) -> list[Theme]:
        """Return our own themes and the vendor's, sorted by name. The first call reads their files."""
        if not self._all_themes:
            self._all_themes = True
            loaded = theming.load(self.engine.paths.etc, depth=self.terminal.colours)
            self.theme_problems = loaded.problems
            for each in loaded.themes.values():
                self.register_theme(each)
        ours = [theme for theme in self.available_themes.values() if "cursor-row" in theme.variables]
        return sorted((theme for theme in ours if theme.ansi == self.terminal.native), key=lambda theme: theme.name)

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        """Send only changes to the terminal."""
        if self.terminal.is_linear:
            self.cursor_position = place_of(self.focused) or self.cursor_position
        if isinstance(renderable, CompositorUpdate):
            self.frame.fit(*self.size)
            renderable = Changes(renderable, self.frame)
        super()._display(screen, renderable)

    def action_redraw(self) -> None:
        """Redraw everything, after another program or the kernel wrote to the terminal."""
        self.frame.forget()
        self.refresh(layout=True)
        self.screen.refresh(layout=True)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return Textual's filters, then ours."""
        return [*super().get_line_filters(), *self._last_filters]

    def get_default_screen(self) -> Screen[Any]:
        from tui.screens.lineages import LineagesScreen

        self.read_status()
        return LineagesScreen()

    # -- looking again -----------------------------------------------------------------------------------------------

    def _poll(self) -> None:
        if not self.is_headless and not os.isatty(sys.__stdin__.fileno() if sys.__stdin__ else 0):
            self._ended_by(signal.SIGHUP)  # the terminal is gone, but no signal came
        if self.bridge.busy:
            return
        try:
            changed = self.engine.generation() != self.generation
        except CertdeckError:
            changed = True
        if changed:
            self.refresh_status()
            self.look_at_services()

    def _refresh_clock(self) -> None:
        if isinstance(self.screen, Page):
            self.screen.refresh_frame()

    # -- news of operations -------------------------------------------------------------------------------------------

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
        self.publish_status()
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

    # -- actions of every screen ---------------------------------------------------------------------------------------

    async def on_event(self, event: Event) -> None:
        """Let keys act one after the other."""
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self.key_queue.is_turn_of(event):
            await self._typed(event)
            while letter := self.key_queue.next_letter():
                await self._typed(letter)

    async def _typed(self, event: Event) -> None:
        """Keep text that is typed or pasted outside a field from running a command for each letter."""
        if isinstance(event, Key):
            self.forget_told(_READ_SECONDS)
            if self._is_text(event):
                self.say_no_field()
                return
        await super().on_event(event)

    def _is_text(self, event: Key) -> bool:
        """Tell whether a key is part of a text: it follows another letter faster than a user presses two commands."""
        before, self._last_letter = self._last_letter, (event.time, event.character or "")
        if not event.is_printable or takes_text(self.focused):
            self._last_letter = (0.0, "")
            return False
        # A key that is held down repeats.
        return event.time - before[0] < _BURST_SECONDS and event.character != before[1]

    def on_key(self, event: Key) -> None:
        """Say why a key of the table does nothing here. Other keys are ignored silently."""
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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable single letters on a page with input: text typed outside a field would run as commands."""
        page = self.screen
        if isinstance(page, Page) and page.letters_are_text:
            if action in ("quit", "theme"):
                return self._is_chosen
            if action == "open" and parameters and parameters[0] not in page.kept:
                return self._is_chosen
        return super().check_action(action, parameters)

    async def action_leave(self) -> None:
        """Quit, from every page."""
        await self.action_quit()

    def action_say_how_to_quit(self) -> None:
        self.clear_notifications()
        self.notify("q quits certdeck, ctrl+q does so everywhere.", timeout=3, markup=False)

    def action_theme(self) -> None:
        names = [theme.name for theme in self.deck_themes()]
        here = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(here + 1) % len(names)]

    # -- beginning and end -------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _: self.frame.forget())
        for problem in self.theme_problems:
            self.notify(
                f"{problem.why} {problem.fix}",
                title=text.printable(problem.what),
                severity="warning",
                timeout=15,
                markup=False,
            )
        if self.terminal.is_linear and self._driver is not None:
            self._driver.write("\x1b[?25h")  # a screen reader follows the cursor
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self._ended_by, number)
            if self._driver is not None and self._driver.can_suspend:
                self._suspension = Suspension(self._driver, self.frame.forget)
        first = self.screen
        assert isinstance(first, Page)
        first.call_after_drawing(self._collect_again)
        if self._loading:
            self.set_interval(_POLL_SECONDS, self._poll)
            self.set_interval(_CLOCK_SECONDS, self._refresh_clock)
            self.set_interval(_REREAD_SECONDS, self.refresh_status)
            first.call_after_drawing(self.look_at_services)
            if self.status is not None and not self.status.lineages and not self.status.problems:
                self.call_after_refresh(self.action_open, "first-boot")

    def _collect_again(self) -> None:
        """Enable garbage collection, without the objects of the start, which stay."""
        if not gc.isenabled():
            gc.freeze()
            gc.enable()

    def _ended_by(self, number: int) -> None:
        """Leave as after `quit`: the terminal is restored, and a running operation is finished first."""
        if self._suspension is not None:
            self._suspension.end()
        self.exit(return_code=128 + number)

    def _fatal_error(self) -> None:
        """Report a bug of certdeck. Textual's own report prints local variables, which may contain secrets."""
        logging.getLogger(__name__).error("the console failed", exc_info=self._exception)
        words = (
            "certdeck: The console failed with an unexpected error.\n"
            "   why: This is a bug in certdeck. The live certificates are unchanged,\n"
            "        and an operation that was running is finished.\n"
            "   fix: Start it again. If it fails again, report it with the end of\n"
            f"        {self.engine.paths.debug_log}\n"
        )
        self._exit_renderables.append(Segments([Segment(words)]))
        self._close_messages_no_wait()


def run(engine: Engine, *, variables: Mapping[str, str] | None = None, plain: bool = False) -> int:
    """Run the console, and return its exit status. `variables`: environment variables; None: the engine's.
    `plain`: use ASCII, few colors and no animation, whatever the terminal supports.

    Raises UsageError (`usage`) if the terminal is not suitable.
    """
    terminal = look(
        engine.env.variables if variables is None else variables,
        stdin_is_terminal=sys.stdin.isatty(),
        stdout_is_terminal=sys.stdout.isatty(),
        # Textual writes to standard error.
        encoding=getattr(sys.__stderr__, "encoding", None),
        baud=baud_of(sys.stdout.fileno()),
        plain=plain,
    )
    theme, mouse = None, True
    try:
        config = engine.config()
        theme, mouse = config.appliance.theme, config.console.mouse
        if config.console.ascii:
            terminal = replace(terminal, ascii=True)
    except CertdeckError:
        pass  # the first screen shows the error
    if not logging.getLogger().handlers:
        # Otherwise Python would print log messages, including tracebacks, over the screen.
        logging.getLogger().addHandler(logging.NullHandler())
    app = CertdeckApp(engine, terminal=terminal, theme=theme)
    app.run(mouse=mouse)
    _finish(app.bridge)
    code = app.return_code or 0
    if code == 128 + signal.SIGHUP:
        # Textual's reading thread does not always notice that its terminal is gone: it would keep the process busy forever.
        logging.shutdown()
        os._exit(code)
    return code


def _finish(bridge: Bridge) -> None:
    """Wait until a running operation ends. Ctrl+C or SIGTERM cancels it at a safe point."""
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
            f"certdeck: still {text.printable(operation.doing)}; the console exits afterwards. Ctrl+C stops it safely.\n"
        )
    bridge.wait()
