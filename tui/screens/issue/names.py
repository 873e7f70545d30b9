"""Step 1: the domain names, typed or pasted, and the name of the certificate."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.widget import Widget
from textual.widgets import TextArea

from core.errors import CertdeckError
from core.identifiers import check_lineage_name
from core.operations import LineageStatus
from tui.screens.issue.draft import Draft, Parsed
from tui.screens.issue.step import WizardStep
from tui.widgets.field import Field
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import Prose, marked
from tui.widgets.row_list import Column, Row, RowList
from tui.wording import text

_MOST_SHOWN = 40


class NamesBox(TextArea):
    """Accepts names in any layout. Enter goes to the wizard; pasted text may have several lines."""

    BINDINGS: ClassVar = [Binding("enter,ctrl+j", "submit", show=False)]

    class Submitted(Message):
        """Enter was pressed."""

    async def _on_key(self, event: events.Key) -> None:
        if event.key in ("enter", "ctrl+j"):
            event.stop()
            event.prevent_default()
            self.post_message(self.Submitted())
            return
        await super()._on_key(event)


class NamesStep(WizardStep):
    """Names, companions, and the name of the lineage."""

    TITLE = "Names"
    HELP = (
        "Names: one or more, separated by spaces, commas or new lines. You can type international names in their own "
        "script; the encoded form is shown next to them. For a bare domain, the www. name is offered too, and with "
        "validation through DNS also its wildcard."
    )

    def compose(self) -> ComposeResult:
        box = NamesBox(
            self.draft.typed,
            placeholder="e.g. shop.example.com pay.example.com",
            soft_wrap=True,
            compact=True,
            id="names",
        )
        box.border_title = "Names of the certificate"
        yield box
        yield Prose(id="parsed")
        yield Prose(id="offered")
        yield RowList((Column("Name"), Column("Why", flexible=True)), marking="many", titles=False, id="companions")
        yield Field(
            "Called",
            value=self.draft.name,
            hint="(default: its first name)",
            check=self._wrong_name,
            id="lineage",
        )

    def enter(self) -> None:
        self._show()

    def first(self) -> Widget | None:
        return self.query_one(NamesBox)

    # -- what is typed -----------------------------------------------------------------------------------------------

    @on(TextArea.Changed, "#names")
    def _on_typed(self, message: TextArea.Changed) -> None:
        message.stop()
        self.draft.typed = message.text_area.text
        self._show(typing=True)

    @on(events.DescendantBlur)
    def _on_left(self) -> None:
        self._show()

    @on(NamesBox.Submitted)
    def _on_submitted(self, message: NamesBox.Submitted) -> None:
        message.stop()
        self.wizard.action_next()

    @on(RowList.Marked, "#companions")
    def _on_ticked(self, message: RowList.Marked) -> None:
        message.stop()
        keep_companions(message.row_list, self.draft)
        self._show()

    @on(Field.Changed, "#lineage")
    def _on_named(self, message: Field.Changed) -> None:
        message.stop()
        self.draft.name = message.value
        self._show_name()
        self.wizard.show_title()

    # -- what is shown -----------------------------------------------------------------------------------------------

    def _show(self, *, typing: bool = False) -> None:
        parsed = self.draft.parsed()
        # A word is not reported as wrong while it is being typed.
        if typing and parsed and parsed[-1].error is not None and self.draft.typed[-1:].strip(" ,;\n"):
            parsed = parsed[:-1]
        self.query_one("#parsed", Prose).write(
            (lambda width, ink: _parsed_lines(parsed, width, ink)) if parsed else None
        )
        self._show_companions()
        self._show_name()
        self.wizard.show_title()

    def _show_companions(self) -> None:
        pairs = self.draft.companions()
        show_companions(self.query_one("#companions", RowList), self.draft)
        self.query_one("#offered", Prose).say(companions_told(self.draft) if pairs else "")

    def _show_name(self) -> None:
        field = self.query_one("#lineage", Field)
        name = self.draft.lineage
        if field.error is None or not field.value:
            status = self.wizard.deck.status
            is_known = bool(status and any(each.name == name for each in status.lineages))
            if is_known:
                field.note = f"▲ The certificate {name} exists already: it gets these names, and keeps its services."
            elif (holder := self._holder()) is not None:
                left = text.days_left(holder, self.wizard.deck.now())
                field.note = (
                    f"▲ {text.printable(holder.name)} has one of these names already, {left}: "
                    "this orders another certificate."
                )
            elif name:
                field.note = f"Its name in commands and folders is {name}."
            else:
                field.note = "Its name in commands and folders. The default is its first name."

    def _holder(self) -> LineageStatus | None:
        """Return a valid certificate that already has one of the names."""
        status = self.wizard.deck.status
        wanted = {identifier.value for identifier in self.draft.identifiers()}
        for each in status.lineages if status and wanted else ():
            if each.sha256 and not each.self_signed and wanted.intersection(each.domains):
                return each
        return None

    @staticmethod
    def _wrong_name(value: str) -> CertdeckError | None:
        if not value:
            return None
        try:
            check_lineage_name(value)
        except CertdeckError as exc:
            return exc
        return None

    def proceed(self, go: Callable[[], None]) -> None:
        self._show()
        box = self.query_one(NamesBox)
        parsed = self.draft.parsed()
        if not parsed:
            self.query_one("#parsed", Prose).write(
                lambda width, ink: marked(
                    "✖",
                    "severity-red",
                    "No name was given. Enter at least one, for example www.example.com.",
                    width,
                    ink,
                )
            )
        if not parsed or any(each.error is not None for each in parsed):
            box.focus()
        elif not self.query_one("#lineage", Field).examine():
            self.query_one("#lineage Input").focus()
        else:
            go()


def companions_told(draft: Draft) -> str:
    """Return why companions are offered."""
    if draft.is_over_dns or draft.wildcards:
        return "These wildcards are added too. Space removes one."
    return "These names are added too. Space removes one."


def show_companions(listed: RowList, draft: Draft) -> None:
    """List the companions of bare domains, ticked unless declined."""
    pairs = draft.companions()
    listed.display = bool(pairs)
    listed.show(
        [
            Row(extra.value, (text.name_shown(extra.value), (f"beside {text.name_shown(beside.value)}", "text-muted")))
            for extra, beside in pairs
        ]
    )
    listed.mark([extra.value for extra, _ in pairs if extra.value not in draft.declined])


def keep_companions(listed: RowList, draft: Draft) -> None:
    """Remember which companions the user declined."""
    draft.declined -= set(listed.marked)
    draft.declined |= set(listed.keys) - set(listed.marked)


def _parsed_lines(parsed: list[Parsed], width: int, ink: Ink) -> list[Line]:
    """Return the invalid names with their reasons, then the valid ones that need a remark."""
    lines: list[Line] = []
    for each in (one for one in parsed if one.error is not None):
        error = each.error
        assert error is not None
        lines += marked("✖", "severity-red", f"{error.what} {error.why}", width, ink)
        lines += [[("  ", ink("foreground")), *line] for line in marked("→", "key", error.fix, width - 2, ink)]
    right = [each.identifier for each in parsed if each.identifier is not None]
    for identifier in right[:_MOST_SHOWN]:
        shown = text.name_shown(identifier.value)
        sent = f"  sent as {identifier.value}" if shown != identifier.value else ""
        kind = (
            "  an IP address"
            if identifier.type == "ip"
            else "  every name one level below"
            if identifier.wildcard
            else ""
        )
        lines.append(
            [
                ("✔ ", ink("severity-green")),
                (shown, ink("foreground")),
                (f"{sent}{kind}", ink("text-muted")),
            ]
        )
    if len(right) > _MOST_SHOWN:
        lines.append([(f"  and {len(right) - _MOST_SHOWN:,} more", ink("text-muted"))])
    return lines
