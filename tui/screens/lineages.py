"""The first screen: every certificate, how it stands, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from msgspec.structs import replace
from textual import events
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.message import Message
from textual.widgets import Input

from core.errors import CertdeckError
from core.operations import LineageStatus, OpenOrder
from tui import text
from tui.actions import Action, Situation, bindings, of_scope
from tui.screens import operations
from tui.screens.page import Page, StatusRead
from tui.screens.waiting import rows_of, waiting_orders
from tui.widgets.certificate_table import CertificateTable
from tui.widgets.details import details
from tui.widgets.notice import empty, failed
from tui.widgets.overview import Overview
from tui.widgets.sheet import Sheet

_WIDE: Final = 110
"""From this width on the details stand to the right of the list."""
_TALL: Final = 30
"""From this height on there is room for some air."""
_DETAIL_ROWS: Final = 9
"""The details' share of the height, below the list: as many rows at least."""

_FOREVER: Final = datetime.max.replace(tzinfo=UTC)
_RANK: Final = {"red": 0, "waits": 1, "yellow": 2, "green": 3}
_NEEDS_A_LINEAGE: Final = frozenset({"renew", "deploy", "show-pem", "roll-back", "export", "auto-renew", "delete"})
"""Actions that a mere order cannot take: there is no certificate of that name yet."""

ORDERS: Final[dict[str, Callable[[LineageStatus, bool], tuple[object, ...]]]] = {
    "what needs you first": lambda row, waits: (
        _RANK[text.mark_of(row, waits)],
        row.not_after or datetime.min.replace(tzinfo=UTC),
    ),
    "what ends first": lambda row, waits: (row.not_after or _FOREVER,),
    "name": lambda row, waits: (),
    "issuer": lambda row, waits: (text.issuer_shown(row).casefold(),),
}
"""How the list can be sorted, from a row and whether its order waits for a person; rows that are equal stand by name."""


class LineagesScreen(Page[None]):
    """Overview, list, details."""

    SCOPE = "certificates"
    BINDINGS: ClassVar = [
        *bindings(of_scope("certificates", "page")),
        # With priority: else what is typed right behind it would be taken for keys of this screen.
        Binding("slash", "filter", show=False, priority=True),
    ]
    AUTO_FOCUS = "CertificateTable"
    title_yields = True
    HELP_TEXT = (
        "Every certificate on this box. The bar shows how much of its life is used; the tick shows where it renews. The line "
        "above the list shows what ends within the next hundred days.\n\n"
        "✖ needs you: it ends within a week, or its last renewal or deployment failed. ◐ waits for you: its order wants DNS "
        "records that you set; Enter shows them. ▲ renews soon, or something about it is unfinished. ● is healthy. Below 90 days "
        "of life these limits are in proportion."
    )

    DEFAULT_CSS = """
    LineagesScreen.-tall Overview { margin: 1 0 1 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._order = "what needs you first"
        self._filter = ""
        self._waiting: Mapping[str, OpenOrder] = {}
        """Orders that want DNS records which a person sets, by the name of their lineage."""
        self._every: tuple[LineageStatus, ...] = ()
        """The lineages, and the orders whose lineage does not exist yet."""

    def body(self) -> ComposeResult:
        yield Overview()
        with Container(id="deck"):
            yield CertificateTable(self._follow, id="list")
            yield Sheet(id="detail")

    def on_mount(self) -> None:
        self.page_title = ""
        self._read_orders()
        self._show()
        super().on_mount()

    # -- what is shown -----------------------------------------------------------------------------------------------

    def heard(self, message: Message) -> None:
        if isinstance(message, StatusRead):
            self._read_orders()
            self._show()

    def _read_orders(self) -> None:
        lineages = self.deck.status.lineages if self.deck.status else ()
        self._waiting = waiting_orders(self.engine) if self.deck.status_error is None else {}
        self._every = (*lineages, *rows_of(self._waiting, lineages)) if self._waiting else lineages

    def refresh_frame(self) -> None:
        status = self.deck.status
        if status is not None:
            self.page_title = status.appliance if status.appliance != "certdeck" else ""
            self.page_detail = status.hostname
        super().refresh_frame()

    def rows(self) -> list[LineageStatus]:
        """Return the lineages that the filter leaves, in the order that is on."""
        found: Iterable[LineageStatus] = self._every
        if self._filter:
            found = (row for row in found if matches(row, self._filter))
        key, waiting = ORDERS[self._order], self._waiting
        return sorted(found, key=lambda row: (*key(row, row.name in waiting), row.name.casefold()))

    def _show(self) -> None:
        status, now = self.deck.status, self.deck.now()
        every, rows = self._every, self.rows()
        self.query_one(Overview).show(every if status else None, now, *self._note(), waiting=self._waiting)
        table = self.query_one(CertificateTable)
        table.show(rows, now, waiting=self._waiting)
        count = f"{len(rows):,} of {len(every):,}" if self._filter else f"{len(every):,}"
        table.border_title = f"Certificates  {count}"
        order = "" if self._order == "what needs you first" else f"by {self._order}"
        table.border_subtitle = order
        self._show_detail()
        self._share_height()

    def _note(self) -> tuple[str, str]:
        """Return what stands at the end of the first line, and its colour."""
        status = self.deck.status
        if self.deck.status_error is not None and status is not None and status.lineages:
            return "✖ configuration broken · !", "severity-red"
        if status is not None and status.problems:
            return f"▲ {text.plural(len(status.problems), 'file')} unreadable · !", "severity-yellow"
        return ("asking the services …" if self.deck.is_looking else ""), "text-muted"

    def _show_detail(self) -> None:
        sheet, chosen = self.query_one("#detail", Sheet), self.query_one(CertificateTable).chosen
        error, status = self.deck.status_error, self.deck.status
        if error is not None and (status is None or not self._every):
            sheet.border_title = "The configuration cannot be used"
            sheet.write(failed(error))
        elif chosen is not None:
            sheet.border_title = text.printable(chosen.name)
            look = "asking it …" if self.deck.is_looking else ""
            sheet.write(details(chosen, self.deck.now(), look=look, order=self._waiting.get(chosen.name)))
        else:
            sheet.border_title = "Welcome" if not self._filter else "Nothing found"
            sheet.write(empty(self._filter))

    def _follow(self) -> None:
        """Show what the cursor is on now."""
        self._show_detail()
        self.refresh_actions()

    def on_certificate_table_opened(self, message: CertificateTable.Opened) -> None:
        self.action_zoom()

    # -- room --------------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self._share_height()

    def _share_height(self) -> None:
        """Give the list what it needs and the details the rest, but nine rows at least."""
        width, height = self.app.size
        self.set_class(width >= _WIDE, "-wide")
        rows = len(self.rows())
        self.set_class(rows == 0, "-empty")
        table = self.query_one(CertificateTable)
        self.set_class(height >= _TALL, "-tall")
        room = height - (6 if height >= _TALL else 5) - (1 if self.query("Input") else 0)
        table.styles.height = None if width >= _WIDE else max(min(rows + 3, room - _DETAIL_ROWS), 5)

    # -- actions -----------------------------------------------------------------------------------------------------

    def situation(self) -> Situation:
        narrowed = self.has_class("-zoomed") or bool(self.query("#filter"))
        return replace(super().situation(), lineage=self.query_one(CertificateTable).chosen, can_go_back=narrowed)

    def actions(self) -> tuple[Action, ...]:
        """Say what Enter does where an order waits, and offer nothing that a mere order cannot take."""
        chosen = self.query_one(CertificateTable).chosen if self.is_mounted else None
        if chosen is None or chosen.name not in self._waiting:
            return super().actions()
        status = self.deck.status
        is_order = status is None or all(row.name != chosen.name for row in status.lineages)
        changed: dict[str, dict[str, Any]] = {
            "zoom": {
                "label": "Records",
                "title": "Show the DNS records that it waits for",
                "footer": 1,
                "help": "Opens the records to be set, and says which name server has them already. Esc comes back here.",
            },
            "complete": {"footer": 0},
            **({each: {"applies": _never} for each in _NEEDS_A_LINEAGE} if is_order else {}),
        }
        return tuple(
            replace(each, **changed.get(each.id, {})) if each.scope == self.SCOPE else each
            for each in super().actions()
        )

    def action_sort(self) -> None:
        names = list(ORDERS)
        self._order = names[(names.index(self._order) + 1) % len(names)]
        self._show()

    def action_look_again(self) -> None:
        self.deck.refresh_status()
        self.deck.look_at_services()
        self._show()

    def action_zoom(self) -> None:
        """Give the details the whole screen, and back; where an order waits for somebody, show what it waits for."""
        chosen = self.query_one(CertificateTable).chosen
        if chosen is not None and chosen.name in self._waiting and not self.has_class("-zoomed"):
            operations.records(self.deck, chosen)
            return
        self.toggle_class("-zoomed")
        self.query_one("#detail" if self.has_class("-zoomed") else "#list").focus()
        self.refresh_actions()

    def action_back(self) -> None:
        """Undo what was done to the view, the last thing first. There is nowhere to go back to."""
        if self.has_class("-zoomed"):
            self.action_zoom()
        elif self.query("#filter"):
            self._set_filter("")
            self.query("#filter").remove()
            self.query_one("#list").focus()

    def choose(self, name: str) -> None:
        """Put the cursor on a lineage, whatever the filter hides."""
        if not self.query_one(CertificateTable).choose(name):
            self._set_filter("")
            self.query_one(CertificateTable).choose(name)

    async def action_filter(self) -> None:
        from tui.widgets.filter_field import FilterField

        if isinstance(self.focused, Input):
            raise SkipAction  # a slash in what is typed
        if not self.query(FilterField):
            field = FilterField("name, domain, issuer …   ↵ keeps it, esc shows all", id="filter")
            await self.mount(field, after=self.query_one(Overview))
            self.call_after_refresh(self._share_height)
        self.set_focus(self.query_one("#filter Input"))

    def on_filter_field_typed(self, message: Message) -> None:
        self._set_filter(getattr(message, "text", ""))

    def on_filter_field_left(self, message: Message) -> None:
        if not self._filter:
            self.query("#filter").remove()
            self.call_after_refresh(self._share_height)
        self.query_one("#list").focus()

    def _set_filter(self, words: str) -> None:
        self._filter = words.strip()
        self._show()
        self.refresh_actions()

    def action_problems(self) -> None:
        status, error = self.deck.status, self.deck.status_error
        found: list[CertdeckError] = [*([error] if error else []), *(status.problems if status else ())]
        for problem in reversed(found):
            self.deck.show_error(problem)

    def action_issue(self) -> None:
        operations.issue(self.deck)

    def _with_chosen(self, do: Callable[..., None]) -> None:
        chosen = self.query_one(CertificateTable).chosen
        if chosen is not None:
            do(self.deck, chosen)

    def action_renew(self) -> None:
        self._with_chosen(operations.renew)

    def action_deploy(self) -> None:
        self._with_chosen(operations.deploy)

    def action_roll_back(self) -> None:
        self._with_chosen(operations.roll_back)

    def action_complete(self) -> None:
        chosen = self.query_one(CertificateTable).chosen
        waits = chosen is not None and chosen.name in self._waiting
        self._with_chosen(operations.records if waits else operations.complete)

    def action_export(self) -> None:
        self._with_chosen(operations.export)

    def action_auto_renew(self) -> None:
        self._with_chosen(operations.auto_renew)

    def action_delete(self) -> None:
        self._with_chosen(operations.delete)

    def action_show_pem(self) -> None:
        self._with_chosen(operations.show_pem)


def _never(situation: Situation) -> bool:
    return False


def matches(row: LineageStatus, words: str) -> bool:
    """Say whether every word of a filter is in the name, a domain, or the issuer."""
    names = (f"{domain} {text.name_shown(domain)}" for domain in row.domains)
    haystack = " ".join((row.name, *names, text.issuer_shown(row), row.issuer, row.method)).casefold()
    return all(word in haystack for word in words.casefold().split())
