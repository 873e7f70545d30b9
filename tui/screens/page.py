"""The base of every full screen: header, tray, footer, key bindings from the table of actions, and engine messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, cast

from textual import events
from textual.app import ComposeResult
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from core.errors import CertdeckError
from tui.actions import Action, Situation, of_scope
from tui.bridge import Bridge
from tui.deck import Deck
from tui.drawing import DrawnOnce
from tui.reading import OWN_ENTER, takes_text
from tui.terminal import SMALLEST
from tui.widgets.footer import PageFooter
from tui.widgets.header import PageHeader
from tui.widgets.tray import Tray
from tui.wording.timer import timer_shown

if TYPE_CHECKING:
    from core.engine import Engine

T = TypeVar("T")
A = TypeVar("A")

_WAY_SECONDS: Final = 0.5
"""A notification younger than this belongs to the page that is shown now."""


class Page(DrawnOnce[T]):
    """A full screen. A subclass defines SCOPE and `page_title`, and composes `body`."""

    SCOPE: ClassVar[str] = ""
    """The scope of its actions, besides `page` and `app`."""
    HELP_TEXT: ClassVar[str] = ""
    """The text about this screen on the help screen, before the keys; paragraphs are separated by an empty line."""

    AUTO_FOCUS = "*"

    _before_small: Widget | None = None
    """The widget that had the focus before the terminal became too small."""

    page_title = ""
    page_detail = ""
    """Muted text beside the title."""
    help_title: ClassVar[str] = ""
    """What the help calls this screen, where that is not its title."""
    letters_are_text: ClassVar[bool] = False
    """Text is typed on this page, so single letters run no app actions, except those in `kept`."""
    title_yields: ClassVar[bool] = False
    """The title is only a name, and is cut before the header's timer text."""

    @classmethod
    def opened_from(cls, deck: Deck) -> Page[Any] | None:
        """Return a screen of this kind for what is shown now; None if there is nothing to open it for."""
        return cls()

    # -- the parts ---------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield PageHeader()
        yield from self.body()
        yield Tray()
        yield PageFooter()

    def body(self) -> ComposeResult:
        """Yield the widgets between header and footer."""
        raise NotImplementedError

    @property
    def deck(self) -> Deck:
        """The app, with its own type."""
        return cast("Deck", self.app)

    @property
    def engine(self) -> Engine:
        return self.deck.engine

    @property
    def bridge(self) -> Bridge:
        return self.deck.bridge

    # -- questions to the engine -------------------------------------------------------------------------------------

    def ask(self, call: Callable[[], A], then: Callable[[A | CertdeckError], None]) -> None:
        """Make a reading call in a thread; `then` gets its value or its error, unless this page has been left by then."""

        deck = self.deck

        def answered(answer: A | CertdeckError) -> None:
            if self in deck.screen_stack:
                then(answer)

        self.bridge.ask(call, answered)

    def ask_to_change(self, call: Callable[[], A], then: Callable[[A | CertdeckError], None]) -> None:
        """Do the same with a call that changes something: whoever has left the page is told of an error all the same."""
        deck = self.deck

        def answered(answer: A | CertdeckError) -> None:
            if self in deck.screen_stack:
                then(answer)
                return
            deck.refresh_status()
            if isinstance(answer, CertdeckError):
                deck.show_error(answer)

        self.bridge.ask(call, answered)

    # -- actions -----------------------------------------------------------------------------------------------------

    @property
    def scopes(self) -> tuple[str, ...]:
        return (self.SCOPE, "page", "app")

    @property
    def kept(self) -> tuple[str, ...]:
        """The global actions that still work here although letters are text."""
        return ()

    def actions(self) -> tuple[Action, ...]:
        """Return every action of this screen, including those of the app."""
        return of_scope(*self.scopes)

    def situation(self) -> Situation:
        """Return the situation, which decides which actions apply. A subclass adds its part."""
        status = self.deck.status
        return Situation(
            busy=self.bridge.busy,
            broken=self.deck.status_error is not None,
            certificates=len(status.lineages) if status else 0,
            problems=len(status.problems) if status else 0,
            can_go_back=len(self.app.screen_stack) > 1,
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable a key if its action does not apply."""
        found = next((each for each in self.actions() if each.id.replace("-", "_") == action), None)
        return found is None or found.applies(self.situation())

    def refresh_actions(self) -> None:
        """Show the actions that apply now. To be called when the situation has changed."""
        hidden = "" if self.tells_progress else "progress"
        situation = self.situation()
        # On the first screen keys keep their places, whichever row the cursor is on.
        keeps = len(self.app.screen_stack) <= 1 and bool(situation.certificates)
        applies = {each: each.applies(situation) for each in self.actions() if each.footer}
        shown = [
            each
            for each, is_on in applies.items()
            if (is_on or (keeps and each.steady)) and each.id not in (hidden, self.SCOPE)
        ]
        shown = self.while_typing(shown)
        own = [action for action in shown if action.scope != "app"]
        off = [action.id for action in shown if not applies.get(action, True)]
        self.query_one(PageFooter).show([*own, *(action for action in shown if action.scope == "app")], off)

    def while_typing(self, actions: list[Action]) -> list[Action]:
        """Leave out what a field with the focus takes as text, or for itself. There, F1 leads to the help instead of ?."""
        focused = self.focused
        if focused is None or not takes_text(focused):
            return actions
        taken = {"enter"} if focused.has_class(OWN_ENTER) else set()
        help = next(action for action in self.actions() if action.id == "help")
        usable = [help if action.id == "menu" else action for action in actions]
        return [action for action in usable if len(action.key_shown) > 1 and action.key_shown not in taken]

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.refresh_actions()

    def action_back(self) -> None:
        self.dismiss()

    # -- what is typed without a field ---------------------------------------------------------------------------------

    def on_paste(self, event: events.Paste) -> None:
        """Notify the user that there is no field for the pasted text."""
        if not takes_text(self.focused):
            event.stop()
            self.deck.say_no_field()

    def on_page_footer_chosen(self, message: PageFooter.Chosen) -> None:
        self.deck.perform(message.action)

    def on_tray_opened(self, message: Tray.Opened) -> None:
        self.deck.action_open("progress")

    # -- news --------------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        # Textual runs on_mount of every class in the hierarchy, and subclasses also call this one: subscribe only once.
        self.deck.news.unsubscribe(self)
        self.deck.news.subscribe(self, self._hear)
        self.refresh_frame()

    def on_screen_resume(self) -> None:
        # A notification of another page would cover this one; a very recent one explains how the user got here.
        self.deck.forget_told(_WAY_SECONDS)
        self.refresh_frame()

    def _hear(self, message: Message) -> None:
        self.heard(message)
        self.refresh_frame()

    def heard(self, message: Message) -> None:
        """React to `StatusRead`, `EngineEvent` or `OperationFinished`. Show the state on disk, not the event."""

    def refresh_frame(self) -> None:
        """Draw header, tray and footer from the current state."""
        status, now = self.deck.status, self.deck.now()
        right, role = "", "text-muted"
        if status is not None:
            right = timer_shown(status.timer, now)
            role = {"on": "severity-green", "off": "severity-yellow", "dead": "severity-red"}.get(
                status.timer.state, "text-muted"
            )
            if status.timer.last_outcome == "failed" and not status.timer.resolved:
                role = "severity-red"
        self.query_one(PageHeader).show(
            title=self.page_title, detail=self.page_detail, right=right, role=role, yields=self.title_yields
        )
        words, outcome = self.deck.under_way() if self.tells_progress else ("", "running")
        self.query_one(Tray).show(words, outcome)
        self.refresh_actions()

    tells_progress = True
    """Whether the tray shows the running operation; not on the screen that shows it anyway."""

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
            # A hidden widget loses the focus: give it back when the widget is shown again.
            self.call_after_refresh(self.set_focus, self._before_small)
        if small:
            least = f"certdeck needs {SMALLEST[0]} × {SMALLEST[1]} characters."
            words = f"{least}\nThis window has {width} × {height}.\n\nMake it larger, or press q."
            self.mount(Static(words, classes="too-small", markup=False))
        else:
            self.query(".too-small").remove()
