"""The kinds of services: how a new certificate is installed for each, and what to know about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.message import Message

from core.operations import KindInfo
from tui.actions import bindings, of_scope
from tui.screens.list_page import ListPage
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import facts, marked
from tui.widgets.row_list import Column, Row
from tui.wording.services import kind_facts, measured_words, sessions_words, told_words


class KindsScreen(ListPage[KindInfo]):
    """The list of kinds; if a form opened it, Enter chooses a kind."""

    SCOPE = "kinds"
    BINDINGS: ClassVar = bindings(of_scope("kinds", "page"))
    HELP_TEXT = (
        "The services that certdeck supports. For each, it knows which files the service reads and which user reads "
        "the key, how to test its configuration, how to make it use a new certificate, and what happens to "
        "established connections.\n\n"
        "For a service that is not listed, use the kind files and set its reload command."
    )
    COLUMNS: ClassVar = (
        Column("Kind"),
        Column("New certificate", flexible=True),
        Column("Sessions"),
    )
    LIST_TITLE = "Kinds of services"
    EMPTY: ClassVar = ("Kinds", "The kinds are being read …")
    page_title = "Kinds of services"

    def __init__(self, kind: str = "", then: Callable[[str], None] | None = None) -> None:
        """`kind`: the kind under the cursor at first. `then`: called with the name of the chosen kind; None: only show them."""
        super().__init__()
        self._first, self._then = kind, then

    def heard(self, message: Message) -> None:
        """Do nothing: the kinds do not change while the console runs."""

    def read(self, then: str = "") -> None:
        super().read(then or self._first)

    def fetch(self) -> Sequence[KindInfo]:
        return self.engine.target_kinds()

    def name_of(self, item: KindInfo) -> str:
        return item.name

    def kind_of(self, item: KindInfo) -> str:
        return "offered" if self._then is not None else ""

    def title_of(self, item: KindInfo) -> str:
        return item.title

    def row(self, item: KindInfo) -> Row:
        cells = (
            item.name,
            (told_words(item), "text-muted"),
            (sessions_words(item), "severity-yellow" if item.sessions == "cut" and item.measured else "text-muted"),
        )
        return Row(item.name, cells)

    def about(self, item: KindInfo, width: int, ink: Ink) -> list[Line]:
        return kind_lines(item, width, ink)

    def opened(self) -> None:
        self.action_take()

    def action_take(self) -> None:
        """Return the chosen kind to the form that asked for it."""
        if self._then is not None and self.chosen is not None:
            self._then(self.chosen.name)
            self.dismiss()


def kind_lines(kind: KindInfo, width: int, ink: Ink) -> list[Line]:
    """Return the details of a kind."""
    lines = facts(kind_facts(kind), width, ink, label=17)
    lines.append([])
    for remark in kind.remarks:
        lines += marked("·", "key", remark, width, ink)
    return [*lines, *marked("·", "text-muted", measured_words(kind), width, ink, of="text-muted")]
