"""The services that certificates are put onto: what is set, whose certificate they carry, and whether they are in order."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import ClassVar, Final

from msgspec.structs import replace
from textual import events, on
from textual.app import ComposeResult
from textual.message import Message

from core.errors import CertdeckError
from core.operations import Finding, TargetInfo, TargetState
from tui import text
from tui.actions import Situation, bindings, of_scope
from tui.screens.form import FORM_CSS
from tui.screens.page import Page, StatusRead
from tui.widgets.field import wrong
from tui.widgets.finding_lines import finding_lines
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import facts, marked
from tui.widgets.row_list import Column, Row, RowList
from tui.widgets.sheet import Sheet

_COLUMNS: Final = (
    Column("Service"),
    Column("Kind", optional=True),
    Column("Certificate file", flexible=True),
    Column("Carries"),
    Column("State"),
)


class TargetsScreen(Page[None]):
    """Every target, and everything about the chosen one."""

    SCOPE = "targets"
    BINDINGS: ClassVar = bindings(of_scope("targets", "page"))
    HELP_TEXT = (
        "The services of this box that use certificates. Each says where its certificate and key lie, how its configuration is "
        "tested and how it is reloaded, and where it speaks TLS. A deployment tests first, switches the files in one step, "
        "reloads, and looks at what is served; if anything of that fails, the old pair comes back.\n\n"
        "A test here looks at the paths, runs the configuration test and asks what is served. It changes nothing."
    )
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (140, "-wide")]  # noqa: RUF012
    AUTO_FOCUS = "RowList"
    CSS_PATH: ClassVar = [FORM_CSS, Path(__file__).parent / "tables.tcss"]

    page_title = "Targets"

    def __init__(self) -> None:
        super().__init__()
        self._targets: tuple[TargetInfo, ...] = ()
        self._found: dict[str, tuple[Finding, ...] | CertdeckError | None] = {}
        """What a test found; None while it runs."""
        self._error: CertdeckError | None = None

    def body(self) -> ComposeResult:
        yield RowList(_COLUMNS, id="rows")
        yield Sheet(id="about")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#rows").border_title = "Targets"
        self.read()

    # -- what is shown -----------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Ask the engine what there is."""
        self.bridge.ask(self.engine.targets, self._read)

    def _read(self, answer: tuple[TargetInfo, ...] | CertdeckError) -> None:
        if not self.is_mounted:
            return
        self._error = answer if isinstance(answer, CertdeckError) else None
        if not isinstance(answer, CertdeckError):
            self._targets = answer
        self.query_one("#rows", RowList).show([self._row(each) for each in self._targets])
        self._show()
        self.refresh_actions()

    def heard(self, message: Message) -> None:
        if isinstance(message, StatusRead):
            self.read()

    @property
    def chosen(self) -> TargetInfo | None:
        """The target under the cursor."""
        key = self.query_one("#rows", RowList).chosen
        return next((each for each in self._targets if each.name == key), None)

    def situation(self) -> Situation:
        target = self.chosen if self.is_mounted else None
        return replace(super().situation(), row=target.name if target else "")

    def _state(self, name: str) -> TargetState | None:
        """Return what the last look at the services says of a target."""
        status = self.deck.status
        states = (state for lineage in status.lineages for state in lineage.targets) if status else ()
        return next((state for state in states if state.name == name), None)

    def _row(self, target: TargetInfo) -> Row:
        state = self._state(target.name)
        mark = text.MARKS.get(state.state, text.MARKS["unknown"]) if state else text.MARKS["unknown"]
        word = mark.word if state else "nothing of ours"
        carries = (target.lineage, "foreground") if target.lineage else ("–", "text-muted")
        cells = (
            target.name,
            (target.kind, "text-muted"),
            (target.certificate, "text-muted"),
            carries,
            (word, mark.colour),
        )
        return Row(target.name, cells, (mark.glyph, mark.colour))

    @on(RowList.Moved)
    def _on_moved(self) -> None:
        self._show()
        self.refresh_actions()

    def _show(self) -> None:
        sheet, target, error = self.query_one("#about", Sheet), self.chosen, self._error
        if error is not None:
            sheet.border_title = "The configuration cannot be read"
            sheet.write(lambda width, ink: wrong(error, width, ink))
        elif target is None:
            sheet.border_title = "No target yet"
            words = (
                "n adds a service, for example nginx: then certificates are put there, and stay fresh, by themselves."
            )
            sheet.write(lambda width, ink: marked("○", "text-muted", words, width, ink))
        else:
            sheet.border_title = text.printable(target.name)
            sheet.write(lambda width, ink: self._about(target, width, ink))

    def _about(self, target: TargetInfo, width: int, ink: Ink) -> list[Line]:
        lines: list[Line] = []
        if target.name in self._found:
            found = self._found[target.name]
            if found is None:
                lines += marked("◐", "bar-used", "Testing …", width, ink)
            elif isinstance(found, CertdeckError):
                lines += wrong(found, width, ink)
            else:
                lines += finding_lines(found, width, ink)
            lines.append([])
        state = self._state(target.name)
        if state is not None and state.why:
            mark = text.MARKS.get(state.state, text.MARKS["unknown"])
            lines += [*marked(mark.glyph, mark.colour, state.why, width, ink), []]
        rows = [
            ("Kind", target.kind),
            ("Carries", target.lineage or "nothing of ours yet"),
            ("Certificate", target.certificate),
            ("Key", target.key),
            ("Test", words_shown(target.test) or "none: it is not asked before a switch"),
            ("Reload", words_shown(target.reload) or "none: it has to notice new files by itself"),
            ("Speaks TLS", ", ".join(target.probe) or "not looked at"),
        ]
        return [*lines, *facts(rows, width, ink)]

    # -- actions -----------------------------------------------------------------------------------------------------

    def action_test(self) -> None:
        target = self.chosen
        if target is None:
            return
        name = target.name
        self._found[name] = None

        def answered(answer: tuple[Finding, ...] | CertdeckError) -> None:
            self._found[name] = answer
            if self.is_mounted:
                self._show()

        self.bridge.ask(lambda: self.engine.test_target(name), answered)
        self._show()

    def action_add(self) -> None:
        from tui.screens.target_form import TargetForm

        self.app.push_screen(TargetForm(), self._saved)

    def action_change(self) -> None:
        """Open the form with everything the configuration says of the target."""
        target = self.chosen
        if target is None:
            return
        from tui.screens.target_form import TargetForm

        try:
            known = self.engine.config().targets.get(target.name)
        except CertdeckError as exc:
            self.deck.show_error(exc)
            return
        if known is None:
            self.read()
        else:
            self.app.push_screen(TargetForm(known), self._saved)

    def action_remove(self) -> None:
        target = self.chosen
        if target is None:
            return
        from tui.screens.dialogs.confirm import ConfirmDialog

        name = target.name

        def answered(answer: object) -> None:
            if isinstance(answer, CertdeckError):
                self.deck.show_error(answer)
            else:
                self.notify(text.printable(f"{name} is forgotten; its files stay."), markup=False)
            self.deck.refresh_status()

        def decided(agreed: bool | None) -> None:
            if agreed:
                self.bridge.ask(lambda: self.engine.remove_target(name), answered)

        words = "Nothing is put there any more. Its files stay as they are."
        self.app.push_screen(
            ConfirmDialog(f"Remove {text.printable(name)}?", words, yes="Remove", danger=True), decided
        )

    def _saved(self, saved: bool | None) -> None:
        if saved:
            self._found.clear()
            self.read()

    def on_click(self, event: events.Click) -> None:
        if event.chain == 2 and isinstance(event.widget, RowList):
            self.action_test()


def words_shown(words: tuple[str, ...]) -> str:
    """Return an argument list as one would type it."""
    return shlex.join(words)
