"""The targets: their settings, the certificate that each has, and whether they are in order."""

from __future__ import annotations

import shlex
from typing import ClassVar

from core.errors import CertdeckError
from core.operations import Finding, KindInfo, TargetInfo, TargetState
from tui.actions import bindings, of_scope
from tui.screens.list_page import TestedListPage
from tui.screens.target_kinds import kind_lines
from tui.widgets.finding_lines import finding_lines
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import facts, marked
from tui.widgets.row_list import Column, Row
from tui.wording import text


class TargetsScreen(TestedListPage[TargetInfo, tuple[Finding, ...]]):
    """The list of targets, and the details of the selected one."""

    SCOPE = "targets"
    BINDINGS: ClassVar = bindings(of_scope("targets", "page"))
    HELP_TEXT = (
        "The services of this box that use certificates. Each has the paths of its certificate and key, the commands "
        "that test and reload it, and the addresses where it uses TLS. A deployment tests first, switches the files "
        "in one step, reloads, and checks what is served. If a step fails, the previous pair is restored.\n\n"
        "A test here checks the paths, runs the configuration test and checks what is served. It changes nothing."
    )
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (140, "-wide")]  # noqa: RUF012
    COLUMNS = (
        Column("Service"),
        Column("Kind", optional=True),
        Column("Certificate file", flexible=True),
        Column("Carries"),
        Column("State"),
    )
    LIST_TITLE = "Targets"
    EMPTY = (
        "No target yet",
        "A target is a service that certificates are deployed to, for example a web server.",
        "B finds the services of this box, with their files and ports, and takes them over.",
        "n adds one manually. Its certificates are then deployed there automatically.",
    )

    page_title = "Targets"

    def __init__(self) -> None:
        super().__init__()
        self._kinds: dict[str, KindInfo] = {}

    def fetch(self) -> tuple[TargetInfo, ...]:
        if not self._kinds:
            self._kinds = {kind.name: kind for kind in self.engine.target_kinds()}
        return self.engine.targets()

    def name_of(self, item: TargetInfo) -> str:
        return item.name

    def kind_of(self, item: TargetInfo) -> str:
        from core.web.servers import find_server

        return "web" if find_server(item.kind, item.test) is not None else "service"

    def _state(self, name: str) -> TargetState | None:
        """Return what the last live check found for a target."""
        status = self.deck.status
        states = (state for lineage in status.lineages for state in lineage.targets) if status else ()
        return next((state for state in states if state.name == name), None)

    def row(self, item: TargetInfo) -> Row:
        target = item
        state = self._state(target.name)
        mark = text.MARKS.get(state.state, text.MARKS["unknown"]) if state else text.MARKS["unknown"]
        word = mark.word if state else "nothing of certdeck"
        carries = (target.lineage, "foreground") if target.lineage else ("–", "text-muted")
        cells = (
            target.name,
            (target.kind, "text-muted"),
            (target.certificate, "text-muted"),
            carries,
            (word, mark.colour),
        )
        return Row(target.name, cells, (mark.glyph, mark.colour))

    def about(self, item: TargetInfo, width: int, ink: Ink) -> list[Line]:
        lines, target = self.tested(item, width, ink), item
        state = self._state(target.name)
        if state is not None and state.why:
            mark = text.MARKS.get(state.state, text.MARKS["unknown"])
            lines += [*marked(mark.glyph, mark.colour, state.why, width, ink), []]
        rows = [
            ("Kind", target.kind),
            ("Carries", target.lineage or "nothing of certdeck yet"),
            ("Certificate", target.certificate),
            ("Key", target.key),
            ("Test", words_shown(target.test) or "none: it is not tested before a switch"),
            ("Reload", words_shown(target.reload) or "none: it must notice new files itself"),
            ("TLS address", ", ".join(target.probe) or "not checked"),
            ("Window", f"{target.window}: scheduled runs deploy only then" if target.window else ""),
        ]
        lines += facts(rows, width, ink, label=13)
        kind = self._kinds.get(target.kind)
        if kind is not None and (kind.measured or kind.remarks):
            lines += [[], [(f"About {kind.title}", ink("frame-title", bold=True))], *kind_lines(kind, width, ink)]
        return lines

    # -- actions -----------------------------------------------------------------------------------------------------

    def test(self, name: str) -> tuple[Finding, ...]:
        return self.engine.test_target(name)

    def found(self, answer: tuple[Finding, ...], width: int, ink: Ink) -> list[Line]:
        return finding_lines(answer, width, ink)

    def action_add(self) -> None:
        from tui.screens.target_form import TargetForm

        self.open_form(TargetForm())

    def action_change(self) -> None:
        """Open the form with the current settings of the target."""
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
            self.open_form(TargetForm(known))

    def action_remove(self) -> None:
        if self.chosen is None:
            return
        name = self.chosen.name
        self.ask_first(
            f"Remove {name}?",
            "certdeck no longer deploys to it. Its files are unchanged.",
            lambda: self.engine.remove_target(name),
            f"{name} was removed. Its files are unchanged.",
        )

    def action_kinds(self) -> None:
        """Show every kind of service, with the cursor on the kind of the selected target."""
        from tui.screens.target_kinds import KindsScreen

        self.app.push_screen(KindsScreen(self.chosen.kind if self.chosen is not None else ""))

    def action_web(self) -> None:
        """Show the web settings of the target."""
        if self.chosen is not None:
            from tui.screens.web import WebScreen

            self.app.push_screen(WebScreen(self.chosen.name))


def words_shown(words: tuple[str, ...]) -> str:
    """Return an argument list in the form in which it is typed."""
    return shlex.join(words)
