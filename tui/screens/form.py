"""The base of a form page, saved as a whole: the first boot, an issuer, an account binding, a target."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Input

from core.errors import CertdeckError, UsageError
from core.identifiers import check_lineage_name
from tui.actions import Action, bindings, of_scope
from tui.screens.asking import AskingPage
from tui.widgets.field import Field, wrong
from tui.widgets.prose import Prose
from tui.wording import text

FORM_CSS = Path(__file__).parent / "form.tcss"


TAB_KEYS: Final[tuple[BindingType, ...]] = (
    # With priority: else what is typed right behind it, or arrives with it, would go to the field before.
    Binding("shift+tab", "app.focus_previous", show=False, priority=True),
    Binding("tab", "app.focus_next", show=False, priority=True),
)


class FormPage(AskingPage[bool]):
    """Dismisses with True once it has been saved. A subclass provides `fields` and `save`."""

    SCOPE = "form"
    BINDINGS: ClassVar = [
        *bindings(of_scope("form", "page")),
        *TAB_KEYS,
        Binding("up", "app.focus_previous", show=False, priority=True),
        Binding("down", "app.focus_next", show=False, priority=True),
    ]
    AUTO_FOCUS = "Input"
    CSS_PATH: ClassVar = [FORM_CSS]
    intro = ""
    """The purpose of the page, shown above the fields."""
    verb: ClassVar[str] = "Save"
    """What Enter does here, for the footer."""
    saved_as = ""
    """The name under which it was saved, if the form asks for one."""

    def actions(self) -> tuple[Action, ...]:
        """Say what Enter does on this form."""
        found = super().actions()
        return tuple(
            replace(each, label=self.verb) if each.id == "save" and each.scope == "form" else each for each in found
        )

    def fields(self) -> ComposeResult:
        """Yield the fields."""
        raise NotImplementedError

    def save(self) -> None:
        """Save the form. Every visible field is valid."""
        raise NotImplementedError

    def body(self) -> ComposeResult:
        with VerticalScroll(id="form", can_focus=False):
            yield Prose(id="intro")
            yield from self.fields()
            yield Prose(id="verdict")

    def on_mount(self) -> None:
        super().on_mount()
        self._saving = False
        self._at_first = self._entered()
        self.query_one("#intro", Prose).say(self.intro)

    def value(self, id: str) -> str:
        """Return the value of the field with that id."""
        return self.query_one(f"#{id}", Field).value

    def _entered(self) -> tuple[str, ...]:
        return tuple(field.value for field in self.query(Field))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.action_save()

    def action_save(self) -> None:
        """Check every field, then save."""
        shown = [field for field in self.query(Field) if field.display]
        bad = [field for field in shown if not field.examine()]
        if bad:
            bad[0].query_one(Input).focus()
            # The error is below the line and must be visible with it.
            self.call_after_refresh(bad[0].scroll_visible, animate=False)
        elif not self._saving:
            self.query_one("#verdict", Prose).write(None)
            self.save()

    def keep(self, call: Callable[[], object], said: str) -> None:
        """Have the engine save it; then leave with the message `said`, or stay and show the error."""
        self._saving = True
        self.saved_as = self.saved_as or next((field.value for field in self.query("#name").results(Field)), "")

        def answered(answer: object) -> None:
            self._saving = False
            if isinstance(answer, CertdeckError):
                self.refuse(answer)
                return
            self.deck.refresh_status()
            self.notify(said, markup=False)
            self.dismiss(True)

        self.ask_to_change(call, answered)

    def keep_unless_there(self, what: str, is_there: Callable[[], bool], call: Callable[[], object], said: str) -> None:
        """Have the engine save it; if the name is taken, ask before replacing it."""
        try:
            exists = is_there()
        except CertdeckError as exc:
            self.refuse(exc)
            return
        if not exists:
            self.keep(call, said)
            return
        from tui.screens.dialogs.confirm import ConfirmDialog

        def decided(agreed: bool | None) -> None:
            if agreed:
                self.keep(call, said)
            else:
                self.deck.say_nothing_changed()

        self.deck.open_dialog(
            ConfirmDialog(
                f"Replace {text.printable(what)}?",
                "It already exists. Your input replaces it.",
                yes="Replace",
                danger=True,
            ),
            decided,
        )

    def refuse(self, error: CertdeckError) -> None:
        """Show an error below the fields."""
        verdict = self.query_one("#verdict", Prose)
        verdict.write(lambda width, ink: wrong(error, width, ink))
        verdict.scroll_visible(animate=False)

    def action_back(self) -> None:
        """Leave the page; ask first if input would be lost."""
        if self._entered() == self._at_first:
            self.dismiss(False)
            return
        from tui.screens.dialogs.confirm import ConfirmDialog

        def decided(agreed: bool | None) -> None:
            if agreed:
                self.dismiss(False)

        words = "Your input is discarded. Nothing was changed."
        self.app.push_screen(ConfirmDialog("Leave?", words, yes="Leave", no="Stay", danger=True), decided)


def needed(what: str, example: str = "") -> Callable[[str], CertdeckError | None]:
    """Return a check that requires a value."""
    fix = f"Enter it, for example {example}." if example else "Enter it."

    def check(value: str) -> CertdeckError | None:
        return None if value else UsageError(f"{what} is missing.", "It is required.", fix)

    return check


def wrong_name(value: str) -> CertdeckError | None:
    """Check the name of an issuer, a target or a certificate."""
    if not value:
        return UsageError("The name is missing.", "It is required.", "Enter one, for example web.")
    try:
        check_lineage_name(value)
    except CertdeckError as exc:
        return exc
    return None


def wrong_path(value: str) -> CertdeckError | None:
    """Check an absolute path; empty is valid."""
    if not value or value.startswith("/"):
        return None
    return UsageError(
        f"{value!r} is not an absolute path.",
        "Programs resolve a relative path differently.",
        "Start it with a slash.",
    )
