"""The first screen: every certificate, its state, and the actions on it."""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec.structs import replace
from textual import events
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from core.errors import CertdeckError
from core.operations import LineageStatus
from tui.actions import Situation, bindings, of_scope
from tui.deck import StatusRead
from tui.screens import operations
from tui.screens.certificate_actions import CertificateActions
from tui.screens.listing import Listing
from tui.screens.ordering import URGENT_FIRST, Order
from tui.screens.waiting import open_orders, rows_of, waiting_among
from tui.widgets.certificate_table import CertificateTable
from tui.widgets.details import details
from tui.widgets.horizon import walked
from tui.widgets.lanes import Lanes
from tui.widgets.notice import empty, failed
from tui.widgets.overview import Overview
from tui.widgets.sheet import Sheet
from tui.wording import certificate_filter, text
from tui.wording.state import STANDINGS

_WIDE: Final = 110
"""From this width on the details are right of the list; on a tall screen the list gets more columns instead."""
_TALL: Final = 30
"""From this height on there is room for spacing, and beside the details for a lane per certificate."""
_DETAIL_ROWS: Final = 9
"""The details' share of the height, below the list: as many rows at least."""

_AT_ONCE: Final = 500
"""Certificates whose searched text is built in one go; takes about a millisecond."""
_PAUSE_SECONDS: Final = 0.005

_REST_SECONDS: Final = 0.25
"""On a slow line, how long the cursor rests on a row before the details are drawn."""


class LineagesScreen(CertificateActions):
    """Overview, list, details."""

    SCOPE = "certificates"
    BINDINGS: ClassVar = [
        *bindings(of_scope("certificates", "page")),
        # With priority: otherwise text typed right after it would be taken for keys of this screen.
        Binding("slash", "filter", show=False, priority=True),
        Binding("left", "walk(-1)", show=False),
        Binding("right", "walk(1)", show=False),
    ]
    AUTO_FOCUS = "CertificateTable"
    help_title = "Certificates"
    title_yields = True
    HELP_TEXT = (
        "Every certificate on this box. The bar shows how much of its life is used, with a tick where it renews. The two lines "
        "above the list show the next hundred days: ◇ renews, a mark ends, a digit is several, + ten or more. "
        "← and → go along them.\n\n"
        "✖ needs you: it is about to expire, it is revoked, or a deployment failed. ◐ waits for DNS records that you set; Enter "
        "shows them. ▲ is a warning: its last renewal failed, a service serves another certificate, there is no timer, or it "
        "renews soon. ● is healthy. The column State says which. A click on a counter filters for it.\n\n"
        "The filter takes words and terms: state:failed, service:nginx, issuer:lets, due<30d, renews<7d. A - before a term "
        "excludes it. A click on the head of a column sorts by it, once more reverses the order."
    )

    DEFAULT_CSS = """
    LineagesScreen.-tall Overview { margin: 1 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._order = Order()
        self._filter = ""
        self._listing = Listing()
        self._resting: Timer | None = None
        """Until the details are drawn."""

    def body(self) -> ComposeResult:
        yield Overview()
        with Container(id="deck"):
            yield CertificateTable(self._follow, id="list")
            with Container(id="below"):
                yield Sheet(id="detail")
                yield Lanes(id="lanes")

    def on_mount(self) -> None:
        self.page_title = ""
        self.query_one(Lanes).border_title = "The next 100 days"
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
        orders = open_orders(self.engine) if self.deck.status_error is None else {}
        self.waiting = waiting_among(orders)
        every = (*lineages, *rows_of(orders, lineages)) if orders else lineages
        self._listing = Listing(every, self.waiting)

    def refresh_frame(self) -> None:
        status = self.deck.status
        if status is not None:
            self.page_title = status.appliance if status.appliance != "certdeck" else ""
            self.page_detail = status.hostname
        super().refresh_frame()

    def _show(self, keeps_detail: LineageStatus | None = None) -> None:
        """Show what is known. `keeps_detail`: if the cursor stays on it, its details stay as they are."""
        status, now = self.deck.status, self.deck.now()
        every, standings = self._listing.every, self._listing.standings
        rows = self._listing.rows(self._order, self._filter, now)
        self.query_one(Overview).show(
            every if status else None, now, *self._note(), standings=standings, only=self._standing_shown()
        )
        table = self.query_one(CertificateTable)
        table.show(rows, now, standings=standings, sorting=self._order.arrow)
        table.border_title = f"Certificates  {len(every):,}"
        if self._filter:
            table.border_title = f"Certificates  {len(rows):,} of {len(every):,}  / {text.printable(self._filter)}"
        if keeps_detail is None or self.chosen is not keeps_detail:
            self._show_detail()
        else:
            self._show_lanes()
        self._share_height()

    def _standing_shown(self) -> str:
        """Return the standing that the filter names, if it contains nothing else."""
        word = self._filter.removeprefix("state:")
        return word if self._filter.startswith("state:") and word in STANDINGS else ""

    def _note(self) -> tuple[str, str]:
        """Return the text at the end of the first line, and its colour."""
        status = self.deck.status
        if self.deck.status_error is not None and status is not None and status.lineages:
            return "✖ configuration broken · !", "severity-red"
        if status is not None and status.problems:
            return f"▲ {text.plural(len(status.problems), 'file')} unreadable · !", "severity-yellow"
        if "no-timer" in self._listing.words:
            return "▲ nothing renews · S", "severity-yellow"
        return ("asking the services …" if self.deck.is_looking else ""), "text-muted"

    def _show_detail(self) -> None:
        sheet, chosen = self.query_one("#detail", Sheet), self.chosen
        error, status = self.deck.status_error, self.deck.status
        if error is not None and (status is None or not self._listing.every):
            sheet.border_title = "The configuration cannot be used"
            sheet.write(failed(error))
        elif chosen is not None:
            sheet.border_title = text.printable(chosen.name)
            look = "asking it …" if self.deck.is_looking else ""
            order, linear = self.waiting.get(chosen.name), self.deck.terminal.is_linear
            sheet.write(details(chosen, self.deck.now(), look=look, order=order, linear=linear))
            self.query_one(Overview).choose(chosen)
            self._show_lanes()
        else:
            sheet.border_title = "Welcome" if not self._filter else "Nothing found"
            sheet.write(empty(self._filter))

    def _show_lanes(self) -> None:
        table = self.query_one(CertificateTable)
        self.query_one(Lanes).show(table.rows, table.place, self.deck.now())

    def _follow(self) -> None:
        """Show the row under the cursor; on a slow line only once the cursor rests there."""
        if self._resting is not None:
            self._resting.stop()
        if self.deck.terminal.is_slow:
            self._resting = self.set_timer(_REST_SECONDS, self._show_detail)
        else:
            self._show_detail()
        self.refresh_actions()

    def on_certificate_table_opened(self, message: CertificateTable.Opened) -> None:
        self.action_zoom()

    # -- room --------------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self._share_height()

    def _share_height(self) -> None:
        """Give the list the rows it needs and the details the rest, but at least nine."""
        width, height = self.app.size
        is_wide, is_tall = width >= _WIDE and not self.deck.terminal.is_linear, height >= _TALL
        rows = len(self.query_one(CertificateTable).rows)
        self.set_class(is_tall, "-tall")
        self.set_class(is_wide and not is_tall, "-wide")
        self.set_class(is_wide and is_tall, "-roomy")
        self.set_class(rows == 0, "-empty")
        room = height - (7 if is_tall else 5) - (1 if self.query("Input") else 0)
        detail = _DETAIL_ROWS + (5 if is_tall else 0)
        height_of_list = max(min(rows + 3, room - detail), 5)
        self.query_one(CertificateTable).styles.height = None if self.has_class("-wide") else height_of_list

    # -- actions -----------------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> LineageStatus | None:
        return self.query_one(CertificateTable).chosen

    def situation(self) -> Situation:
        narrowed = self.has_class("-zoomed") or bool(self.query("#filter"))
        return replace(super().situation(), lineage=self.chosen, can_go_back=narrowed)

    def action_sort(self) -> None:
        self._order = self._order.following
        self._show()

    def action_sort_back(self) -> None:
        """Reverse the sort order."""
        self._order = self._order.by(self._order.key)
        self._show()

    def on_certificate_table_sorted(self, message: CertificateTable.Sorted) -> None:
        self._order = self._order.by(message.key) if message.key != URGENT_FIRST else Order()
        self._show()

    def action_walk(self, step: int) -> None:
        """Move along the horizon to the certificate that expires next."""
        chosen, names = self.chosen, walked(self.query_one(CertificateTable).rows, self.deck.now())
        if names:
            here = names.index(chosen.name) if chosen is not None and chosen.name in names else -1
            self.choose(names[max(0, min(here + step, len(names) - 1))])

    def on_lanes_picked(self, message: Lanes.Picked) -> None:
        self.choose(message.names[0])

    def on_overview_picked(self, message: Overview.Picked) -> None:
        chosen = self.chosen
        here = message.names.index(chosen.name) if chosen is not None and chosen.name in message.names else -1
        self.choose(message.names[(here + 1) % len(message.names)])

    async def on_overview_filtered(self, message: Overview.Filtered) -> None:
        wanted = f"state:{message.word}"
        if self._filter == wanted:
            self.action_back()
            return
        await self._open_filter(wanted)
        self.query_one("#list").focus()

    def on_overview_note_chosen(self, message: Overview.NoteChosen) -> None:
        if "no-timer" in self._listing.words and self.deck.status_error is None:
            self.deck.action_open("schedule")
        else:
            self.action_problems()

    def action_look_again(self) -> None:
        self.deck.refresh_status()
        self.deck.look_at_services()
        self._show()

    def action_zoom(self) -> None:
        """Toggle the full-screen details; for a waiting order, show the records it waits for."""
        chosen = self.chosen
        if chosen is not None and chosen.name in self.waiting and not self.has_class("-zoomed"):
            operations.records(self.deck, chosen)
            return
        self.toggle_class("-zoomed")
        self.query_one("#detail" if self.has_class("-zoomed") else "#list").focus()
        self.refresh_actions()

    def action_back(self) -> None:
        """Undo the last change to the view. There is no page to go back to."""
        if self.has_class("-zoomed"):
            self.action_zoom()
        elif self.query("#filter"):
            self._set_filter("")
            self.query("#filter").remove()
            self.query_one("#list").focus()

    def choose(self, name: str) -> None:
        """Put the cursor on a lineage, even if the filter hides it."""
        if not self.query_one(CertificateTable).choose(name):
            self._set_filter("")
            self.query_one(CertificateTable).choose(name)

    async def action_filter(self) -> None:
        if isinstance(self.focused, Input):
            raise SkipAction  # a slash within the typed text
        await self._open_filter()
        self.set_focus(self.query_one("#filter Input"))

    async def _open_filter(self, words: str | None = None) -> None:
        """Show the filter field with this text; None keeps its text."""
        from tui.widgets.filter_field import FilterField

        if not self.query(FilterField):
            field = FilterField(certificate_filter.HINT, id="filter")
            await self.mount(field, after=self.query_one(Overview))
            self.call_after_refresh(self._share_height)
            self._prepare_filter()
        if words is not None:
            self.query_one("#filter Input", Input).value = words
            self._set_filter(words)

    def _prepare_filter(self) -> None:
        """Build what the filter searches, in steps that delay no key: the first letter would have to wait for all of it."""
        if not self._listing.prepare(_AT_ONCE):
            self.set_timer(_PAUSE_SECONDS, self._prepare_filter)

    def on_filter_field_typed(self, message: Message) -> None:
        self._set_filter(getattr(message, "text", ""))

    def on_filter_field_left(self, message: Message) -> None:
        if not self._filter:
            self.query("#filter").remove()
            self.call_after_refresh(self._share_height)
        self.query_one("#list").focus()

    def _set_filter(self, words: str) -> None:
        self._filter = words.strip()
        self._show(keeps_detail=self.chosen)
        self.refresh_actions()

    def action_problems(self) -> None:
        status, error = self.deck.status, self.deck.status_error
        found: list[CertdeckError] = [*([error] if error else []), *(status.problems if status else ())]
        for problem in reversed(found):
            self.deck.show_error(problem)
