"""What every full screen shares: header, tray, footer, bindings from the table of actions, and news from the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, cast

from textual import events
from textual.app import ComposeResult
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from tui.actions import Action, Situation, of_scope
from tui.bridge import Bridge
from tui.deck import Deck
from tui.reading import takes_text
from tui.terminal import SMALLEST
from tui.widgets.footer import PageFooter
from tui.widgets.header import PageHeader
from tui.widgets.tray import Tray
from tui.wording import text

if TYPE_CHECKING:
    from core.engine import Engine

T = TypeVar("T")

_WAY_SECONDS: Final = 0.5
"""What was said so shortly before belongs to the page that is shown now."""


class Page(Screen[T]):
    """A full screen. A subclass names its SCOPE, its `title`, and composes `body`."""

    SCOPE: ClassVar[str] = ""
    """Whose actions it has, beside `page` and `app`."""
    HELP_TEXT: ClassVar[str] = ""
    """What the help screen says about this one, before the keys; paragraphs apart by an empty line."""

    AUTO_FOCUS = "*"

    _before_small: Widget | None = None
    """What had the focus before the terminal became too small."""

    page_title = ""
    page_detail = ""
    """Beside the title, muted."""
    letters_are_text: ClassVar[bool] = False
    """Single letters run nothing of the app here: somebody types on this page. `kept` names what works all the same."""
    title_yields: ClassVar[bool] = False
    """The title is a mere name, and gives way to what the header says of the timer."""

    @classmethod
    def opened_from(cls, deck: Deck) -> Page[Any] | None:
        """Return a screen of this kind for what is shown now; None where there is nothing to open it for."""
        return cls()

    # -- the parts ---------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield PageHeader()
        yield from self.body()
        yield Tray()
        yield PageFooter()

    def body(self) -> ComposeResult:
        """Yield what stands between header and footer."""
        raise NotImplementedError

    @property
    def deck(self) -> Deck:
        """The app, by its own type."""
        return cast("Deck", self.app)

    @property
    def engine(self) -> Engine:
        return self.deck.engine

    @property
    def bridge(self) -> Bridge:
        return self.deck.bridge

    # -- actions -----------------------------------------------------------------------------------------------------

    @property
    def scopes(self) -> tuple[str, ...]:
        return (self.SCOPE, "page", "app")

    @property
    def kept(self) -> tuple[str, ...]:
        """The actions of every screen that work here all the same, where letters are text."""
        return ()

    def actions(self) -> tuple[Action, ...]:
        """Return every action of this screen, the app's included."""
        return of_scope(*self.scopes)

    def situation(self) -> Situation:
        """Return what decides which actions apply. A subclass adds what it knows."""
        status = self.deck.status
        return Situation(
            busy=self.bridge.busy,
            broken=self.deck.status_error is not None,
            certificates=len(status.lineages) if status else 0,
            problems=len(status.problems) if status else 0,
            can_go_back=len(self.app.screen_stack) > 1,
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let a key do nothing where its action does not apply."""
        found = next((each for each in self.actions() if each.id.replace("-", "_") == action), None)
        return found is None or found.applies(self.situation())

    def refresh_actions(self) -> None:
        """Show the actions that apply now. Call it when the situation has changed."""
        hidden = "" if self.tells_progress else "progress"
        situation = self.situation()
        # On the first screen the same keys keep their places, whatever row the cursor is on.
        keeps = len(self.app.screen_stack) <= 1 and bool(situation.certificates)
        applies = {each: each.applies(situation) for each in self.actions() if each.footer}
        shown = [
            each
            for each, is_on in applies.items()
            if (is_on or (keeps and each.steady)) and each.id not in (hidden, self.SCOPE)
        ]
        own = [action for action in shown if action.scope != "app"]
        off = [action.id for action in shown if not applies[action]]
        self.query_one(PageFooter).show([*own, *(action for action in shown if action.scope == "app")], off)

    def action_back(self) -> None:
        self.dismiss()

    # -- what is typed without a field ---------------------------------------------------------------------------------

    def on_paste(self, event: events.Paste) -> None:
        """Say that there is nowhere to put what was pasted."""
        if not takes_text(self.focused):
            event.stop()
            self.deck.say_no_field()

    def on_page_footer_chosen(self, message: PageFooter.Chosen) -> None:
        self.deck.perform(message.action)

    def on_tray_opened(self, message: Tray.Opened) -> None:
        self.deck.action_open("progress")

    # -- news --------------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        # Textual runs the on_mount of every class of a screen, and those of subclasses run this one too: subscribed once.
        self.deck.news.unsubscribe(self)
        self.deck.news.subscribe(self, self._hear)
        self.refresh_frame()

    def on_screen_resume(self) -> None:
        # What was said on another page covers this one; what has just been said is about the way here.
        self.deck.forget_told(_WAY_SECONDS)
        self.refresh_frame()

    def _hear(self, message: Message) -> None:
        self.heard(message)
        self.refresh_frame()

    def heard(self, message: Message) -> None:
        """React to `StatusRead`, `EngineEvent` or `OperationFinished`. What is on disk is the truth: show that, not the event."""

    def refresh_frame(self) -> None:
        """Draw header, tray and footer for what is known now."""
        status, now = self.deck.status, self.deck.now()
        right, role = "", "text-muted"
        if status is not None:
            right = text.timer_shown(status.timer, now)
            role = {"on": "severity-green", "off": "severity-yellow", "dead": "severity-red"}.get(
                status.timer.state, "text-muted"
            )
            if status.timer.last_outcome == "failed" and not status.timer.mended:
                role = "severity-red"
        self.query_one(PageHeader).show(
            title=self.page_title, detail=self.page_detail, right=right, role=role, yields=self.title_yields
        )
        words, outcome = self.deck.under_way() if self.tells_progress else ("", "running")
        self.query_one(Tray).show(words, outcome)
        self.refresh_actions()

    tells_progress = True
    """The tray shows what runs. Not on the screen that shows it anyway."""

    # -- a terminal that is too small --------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size.width, event.size.height)

    def _fit(self, width: int, height: int) -> None:
        small = width < SMALLEST[0] or height < SMALLEST[1]
        if small == self.has_class("-small"):
            return
        if small:
            self._before_small = self.focused
        self.set_class(small, "-small")
        if not small and self._before_small is not None and self._before_small.is_attached:
            # What is hidden loses the focus: it comes back with its place.
            self.call_after_refresh(self.set_focus, self._before_small)
        if small:
            least = f"certdeck needs {SMALLEST[0]} × {SMALLEST[1]} characters."
            words = f"{least}\nThis window has {width} × {height}.\n\nMake it larger, or press q."
            self.mount(Static(words, classes="too-small", markup=False))
        else:
            self.query(".too-small").remove()
