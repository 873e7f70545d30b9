"""What the app offers to every screen: the engine, the last status, one operation at a time, and other screens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from textual.app import App
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import ModalScreen, Screen
from textual.signal import Signal
from textual.theme import Theme

from core.errors import CertdeckError, LockHeld
from core.operations import Status
from tui.action import BUSY, Action
from tui.actions import ACTIONS
from tui.bridge import Bridge, Call, Operation
from tui.terminal import Terminal

if TYPE_CHECKING:
    from core.engine import Engine

T = TypeVar("T")

_NO_FIELD = "There is no field here. The text was ignored."


class StatusRead(Message):
    """The status was read again, or could not be read."""

    def __init__(self, status: Status | None, error: CertdeckError | None) -> None:
        super().__init__()
        self.status = status
        self.error = error


class Deck(App[None]):
    """The app without themes, first screen and exit. It imports no screens: the table of actions names them."""

    def __init__(self, engine: Engine, *, terminal: Terminal) -> None:
        self.terminal = terminal
        super().__init__(ansi_color=True if terminal.native else None)
        self.engine = engine
        self.bridge = Bridge(self, self.now)
        self.news: Signal[Message] = Signal(self, "news")
        self.status: Status | None = None
        self.status_error: CertdeckError | None = None
        self.probed_at: datetime | None = None
        self.is_looking = False
        """Services are being probed."""
        self._told_at: float | None = None
        """Time of the last toast. A warning stays for its time."""
        self.generation = ""
        """Generation of the state on disk when `status` was read."""

    # -- what is known -----------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Return the time of the engine's clock."""
        return self.engine.env.clock.now()

    def read_status(self) -> None:
        """Read the status from disk. Takes milliseconds."""
        try:
            self.generation = self.engine.generation()
            self._keep(self.engine.status(probe=False))
        except CertdeckError as exc:
            self._keep(exc)

    def look_at_services(self) -> None:
        """Probe the services, in a thread."""
        if self.is_looking or self.status_error is not None:
            return
        if self.status is not None and not any(lineage.targets for lineage in self.status.lineages):
            # There is nothing to probe, and reading everything again would take time and memory.
            self.probed_at = self.now()
            return
        self.is_looking = True
        asked_at = self.generation
        self.bridge.ask(lambda: self.engine.status(probe=True), lambda answer: self._looked(asked_at, answer))

    def _looked(self, asked_at: str, answer: Status | CertdeckError) -> None:
        self.is_looking = False
        if asked_at != self.generation:
            # The answer is older than the shown status: an operation ended during the probes.
            self.look_at_services()
            self.publish_status()
            return
        if not isinstance(answer, CertdeckError):
            self.probed_at = self.now()
        self._keep(answer)
        self.publish_status()

    def _keep(self, answer: Status | CertdeckError) -> None:
        if isinstance(answer, CertdeckError):
            self.status_error = answer
        else:
            self.status, self.status_error = answer, None

    def publish_status(self) -> None:
        """Send the current status to every screen."""
        self.news.publish(StatusRead(self.status, self.status_error))

    def refresh_status(self) -> None:
        """Read the status from disk again, and send it to every screen."""
        self.read_status()
        self.publish_status()

    # -- toasts ------------------------------------------------------------------------------------------------------

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        self._told_at = self.engine.env.clock.monotonic() if severity == "information" else None
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def forget_told(self, age: float) -> None:
        """Remove toasts that are at least `age` seconds old, because they cover what is below."""
        if self._told_at is not None and self.engine.env.clock.monotonic() - self._told_at >= age:
            self._told_at = None
            self.clear_notifications()

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
        said: str = "",
    ) -> Operation | None:
        """Start an operation and show its progress (`quiet`: only its end). If another one is running, show a toast.

        `said`: a sentence for its success, if the result has none.
        """
        operation = self.bridge.start(title, doing, call, lineage=lineage, expects=expects, quiet=quiet, said=said)
        if operation is None:
            self.say_busy()
        elif not quiet:
            self.action_open("progress")
        return operation

    def say_nothing_changed(self) -> None:
        """Show that nothing was changed, because the user cancelled."""
        self.notify("Nothing was changed.", timeout=2, markup=False)

    def say_no_field(self) -> None:
        """Show that text was typed or pasted outside a field."""
        if any(told.message == _NO_FIELD for told in self._notifications):
            return  # once for a whole text: a toast for each letter would fill the screen
        self.clear_notifications()
        self.notify(_NO_FIELD, timeout=3, markup=False)

    def open_dialog(self, dialog: Screen[T], then: Callable[[T | None], None] | None = None) -> None:
        """Show a dialog, unless one is already open: two quick key presses must not stack dialogs."""
        if not isinstance(self.screen, ModalScreen):
            self.push_screen(dialog, then)

    def say_busy(self) -> None:
        """Show that only one operation can run at a time."""
        self.notify(BUSY, title="One at a time", markup=False)

    def under_way(self) -> tuple[str, str]:
        """Return text and outcome for the tray. Empty text: the user has seen the end."""
        operation = self.bridge.operation
        if operation is None or operation.seen:
            return "", "running"
        if operation.runs:
            from tui.widgets.order_progress import counted

            done, of = counted(operation.reports, operation.expects)
            return f"{operation.doing} … {f'{done} of {of}' if of else ''}".rstrip(), "running"
        return f"{operation.title}: {operation.outcome}", operation.outcome

    def show_error(self, error: CertdeckError) -> None:
        """Show an error: what, why and fix. A lock held by another certdeck is not a failure and only gives a toast."""
        if isinstance(error, LockHeld):
            self.notify(f"{error.why} {error.fix}", title=error.what, timeout=8, markup=False)
            return
        from tui.screens.dialogs.error import ErrorDialog

        self.push_screen(ErrorDialog(error))

    # -- opening screens ---------------------------------------------------------------------------------------------

    _is_chosen = False
    """The action was chosen from a list or by a click, so it runs even where its letter would be text."""

    def perform(self, action: Action) -> None:
        """Do what the action's key does."""
        self.call_later(self._perform, action)

    async def _perform(self, action: Action) -> None:
        self._is_chosen = True
        try:
            await self.run_action(action.call, self if action.scope == "app" else self.screen)
        finally:
            self._is_chosen = False

    def action_open(self, id: str) -> None:
        """Open the screen of the action with this id, unless it is already shown."""
        module, _, name = next(each.opens for each in ACTIONS if each.id == id and each.opens).partition(":")
        kind = getattr(import_module(module), name)
        if isinstance(self.screen, ModalScreen):
            return
        screen = None if isinstance(self.screen, kind) else kind.opened_from(self)
        if screen is not None:
            self.push_screen(screen)

    def go_to(self, name: str) -> None:
        """Go to the first screen, with the cursor on a lineage."""
        raise NotImplementedError

    def deck_themes(self) -> list[Theme]:
        """Return our own themes and the vendor's, by name."""
        raise NotImplementedError
