"""The screen of an order with manual DNS records: what to set, which servers have it, and what happens next."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from msgspec.structs import replace
from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message

from core.errors import Cancelled, CertdeckError, LockHeld, NotFound
from core.operations import Issued, LineageStatus, OpenOrder, Pending, RecordView
from core.ports import CancelToken
from tui.actions import Action, Situation, bindings, of_scope
from tui.bridge import Operation, OperationFinished
from tui.screens.page import Page
from tui.screens.plain import print_plainly
from tui.screens.records import words
from tui.screens.records.boxes import RecordBoxes
from tui.screens.records.servers import server_lines
from tui.screens.records.watch import Watch
from tui.widgets.prose import Prose
from tui.widgets.sheet import Sheet
from tui.wording import text

_TICK_SECONDS: Final = 0.25
_WIDE: Final = 110
_LEAST_RECORDS: Final = 62
_LEAST_BESIDE: Final = 48
"""The width in cells of the name servers beside the records."""
_LEAST_SERVERS: Final = 6
"""The minimum height of the name servers in rows, including the frame."""


class RecordsScreen(Page[None]):
    """Watches an open order, named by its lineage. It can be left at any time: the order is stored on disk."""

    SCOPE = "records"
    BINDINGS: ClassVar = bindings(of_scope("records", "page"))
    AUTO_FOCUS = "RecordBoxes"
    CSS_PATH = Path(__file__).parent / "records.tcss"
    HELP_TEXT = (
        "An order waits for DNS records that you set at your DNS provider. Each box shows one record: its name and "
        "its complete value. If a name has two values, both must exist at the same time; the second does not replace "
        "the first. If the name is a CNAME, set the record at its target.\n\n"
        "certdeck queries all name servers of the zone and shows which of them have the record. A failed challenge "
        "cannot be retried, so certdeck asks the CA to validate only when every responding server has all records; "
        "then it continues automatically.\n\n"
        "You may leave, and the connection may drop: the order stays valid with its values until it expires. The "
        "list shows it as waiting for you. Afterwards you can delete the records.\n\n"
        "A certificate with manual records does not renew automatically; certdeck reminds you in time. There are "
        "three ways to change that: add a DNS provider, make _acme-challenge a CNAME into a zone of a provider, or "
        "set one persistent record (dns-persist-01) if the CA supports it."
    )
    page_title = "DNS records"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name_of_lineage = name
        self.page_detail = text.printable(name)
        self.order: OpenOrder | None = None
        self.watch_state = Watch()
        self._look: CancelToken | None = None
        self._answer: Operation | None = None
        """The operation that completes or gives up this order."""
        self._has_ended = False
        self._version_before = 0
        self._told: object = None
        self._titles = ("", "")

    def body(self) -> ComposeResult:
        yield Prose(id="head")
        with Container(id="parts"):
            yield RecordBoxes(self._follow, id="records")
            yield Sheet(id="servers")

    # -- beginning and end -------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        super().on_mount()
        lineage = self._lineage()
        self._version_before = (lineage.version or 0) if lineage else 0
        self._read()
        self.set_interval(_TICK_SECONDS, self._tick)

    def on_unmount(self) -> None:
        if self._look is not None:
            self._look.cancel()

    def on_screen_suspend(self) -> None:
        """Another screen is on top: no checks are made, and nothing continues unseen."""
        self.watch_state.pause()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self._has_ended:
            self.call_later(self.deck.go_to, self.name_of_lineage)
        elif self.order is not None:
            self.watch_state.look_soon()
            self._read()

    @property
    def _is_in_front(self) -> bool:
        # Textual also calls a screen current if it is directly below the visible one.
        return self.app.screen is self

    def _read(self) -> None:
        """Read the order from disk: another session or the scheduled run may have ended it."""
        self.ask(lambda: self.engine.open_order(self.name_of_lineage), self._took_order)

    def _took_order(self, answer: OpenOrder | CertdeckError) -> None:
        if not self.is_attached or self._has_ended:
            return
        if isinstance(answer, CertdeckError) or not answer.records:
            self._has_ended = True
            self.deck.refresh_status()
            if self._is_in_front:
                self.deck.go_to(self.name_of_lineage)
            if isinstance(answer, CertdeckError) and not isinstance(answer, NotFound):
                self.deck.show_error(answer)
            else:
                self._tell_ended()
            return
        self.order = answer
        self._show()
        self.refresh_actions()

    def _tell_ended(self) -> None:
        """Report that the order was ended elsewhere, and how, if that is known."""
        lineage = self._lineage()
        if lineage is not None and (lineage.version or 0) > self._version_before:
            told = f"The CA has validated the records; version {lineage.version} was issued."
            self.notify(told, title=f"{self.page_detail} has its certificate", timeout=8, markup=False)
        else:
            told = "It was given up, or it failed; see the log. i orders again, with new values."
            self.notify(told, title=f"No order of {self.page_detail} waits", timeout=8, markup=False)

    def _lineage(self) -> LineageStatus | None:
        status = self.deck.status
        rows = status.lineages if status else ()
        return next((each for each in rows if each.name == self.name_of_lineage), None)

    def heard(self, message: Message) -> None:
        if not isinstance(message, OperationFinished) or message.operation is not self._answer:
            return
        operation, watch = message.operation, self.watch_state
        if isinstance(operation.error, LockHeld):
            watch.postpone(self._at)
        elif operation.error is not None:
            watch.hold()
        elif isinstance(operation.result, Pending):
            watch.found(operation.result.views, self.deck.now())
        else:
            self._has_ended = True
            if not isinstance(operation.result, Issued) and self._is_in_front:
                self.deck.go_to(self.name_of_lineage)

    # -- looking -----------------------------------------------------------------------------------------------------

    @property
    def _at(self) -> float:
        return self.engine.env.clock.monotonic()

    def _tick(self) -> None:
        if self.order is None or self._has_ended or not self._is_in_front:
            return
        watch, at = self.watch_state, self._at
        if words.is_over(self.order, self.deck.now()):
            watch.pause()
        elif watch.seconds_to_answer(at) == 0.0 and not self.bridge.busy:
            self._complete(anyway=False)
        elif watch.is_due(at):
            self._begin_look()
        self._show()

    def _begin_look(self) -> None:
        token = self._look = CancelToken()
        self.watch_state.begin(self._at)
        self.ask(lambda: self.engine.look_at_records(self.name_of_lineage, cancel=token), self._looked)

    def _looked(self, answer: tuple[RecordView, ...] | CertdeckError) -> None:
        if not self.is_attached or isinstance(answer, Cancelled):
            return
        self.watch_state.took(answer, self._at, self.deck.now())
        if isinstance(answer, NotFound):
            self._read()
        if not self._is_in_front:
            self.watch_state.pause()
        self._show()

    # -- showing -----------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        order, watch, at, now = self.order, self.watch_state, self._at, self.deck.now()
        if order is None:
            return
        boxes, sheet = self.query_one(RecordBoxes), self.query_one("#servers", Sheet)
        boxes.show(order.records, watch.views)
        view = self._view()
        titles = (self._servers_title(view), words.pacing(watch, at))
        if titles != self._titles:
            # Only on a change: each assignment redraws the whole panel, which is slow on a serial line.
            self._titles = titles
            sheet.border_title, sheet.border_subtitle = titles
        failed = f"{watch.error.what} {watch.error.why}" if watch.error is not None else ""
        head = (
            words.headline(order, watch, at, now),
            words.lifetime(order, now),
            words.next_step(order, watch, now),
        )
        told = (head, view, failed)
        if told != self._told:
            self._told = told
            self.query_one("#head", Prose).write(lambda width, ink: words.head_lines(*head, width, ink))
            sheet.write(lambda width, ink: server_lines(view, width, ink, failed=failed), top=False)
            self._share_height()

    def _view(self) -> RecordView | None:
        """Return the state of the record under the cursor."""
        place, order = self.query_one(RecordBoxes).place, self.order
        if order is None or place >= len(order.records):
            return None
        return next((view for view in self.watch_state.views if view.record == order.records[place]), None)

    def _servers_title(self, view: RecordView | None) -> str:
        of = f" of {text.printable(view.zone)}" if view is not None and view.zone else ""
        count = len(self.order.records) if self.order is not None else 1
        which = f" · record {self.query_one(RecordBoxes).place + 1}" if count > 1 else ""
        return f"{'Name servers' if view is None or of else 'Resolvers'}{of}{which}"

    def _follow(self) -> None:
        """Show the name servers' answers about the record under the cursor."""
        self._show()
        self.query_one("#servers", Sheet).scroll_to(y=0, animate=False)
        self.refresh_actions()

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self._share_height()

    def _share_height(self) -> None:
        """Give the records the rows they need and the name servers the rest, but at least six."""
        width, height = self.app.size
        boxes = self.query_one(RecordBoxes)
        wanted = max(boxes.whole_width, _LEAST_RECORDS)
        # Values come first: if they would be broken beside the name servers, they are placed above them.
        is_wide = width >= _WIDE and wanted + _LEAST_BESIDE <= width
        self.set_class(is_wide, "-wide")
        boxes.styles.width = wanted if is_wide else None
        head = self.query_one("#head", Prose)
        room = (
            height
            - 2
            - (1 if height > 20 else 0)
            - head.get_content_height(self.size, self.size, width - 4)
            - _LEAST_SERVERS
        )
        self.set_class(height <= 20, "-low")
        boxes.styles.height = None if is_wide else max(min(boxes.height_for(width - 1), room), 4)

    # -- actions -----------------------------------------------------------------------------------------------------

    def actions(self) -> tuple[Action, ...]:
        # Here q shows the QR code.
        return tuple(replace(each, key="ctrl+q") if each.id == "quit" else each for each in super().actions())

    def situation(self) -> Situation:
        known, order = super().situation(), self.order
        if order is None or not self.is_mounted:
            return known
        place = self.query_one(RecordBoxes).place
        kind = "several" if len(order.records) > 1 else "one"
        return replace(known, row=order.records[place].name, row_kind=kind, step=0 if self._has_ended else 1)

    def action_next_record(self) -> None:
        if self.order is not None:
            boxes = self.query_one(RecordBoxes)
            boxes.go((boxes.place + 1) % len(self.order.records))

    def action_copy(self) -> None:
        self._copy("value")

    def action_copy_name(self) -> None:
        self._copy("name")

    def _copy(self, part: str) -> None:
        if self.order is None:
            return
        record = words.placed(self.order, self.watch_state.views)[self.query_one(RecordBoxes).place]
        self.app.copy_to_clipboard(record.name if part == "name" else record.value)
        count = len(self.order.records)
        which = f" of record {self.query_one(RecordBoxes).place + 1} of {count}" if count > 1 else ""
        told = (
            "Sent to your terminal's clipboard (OSC 52). If it does not arrive: p prints it plainly, q shows a QR code."
        )
        self.notify(told, title=f"{part.capitalize()}{which} copied", markup=False)

    def action_qr(self) -> None:
        from tui.screens.records.qr_code import QrScreen

        def came_back(place: int | None) -> None:
            if place is not None:
                self.query_one(RecordBoxes).go(place)

        if self.order is not None:
            self.app.push_screen(
                QrScreen(words.placed(self.order, self.watch_state.views), self.query_one(RecordBoxes).place), came_back
            )

    def action_plain(self) -> None:
        if self.order is not None:
            print_plainly(self.app, words.plain(self.order, self.watch_state.views, self.deck.now()))

    def action_zone_file(self) -> None:
        from tui.screens.records.zone_file import ZoneFileScreen

        if self.order is not None:
            self.app.push_screen(ZoneFileScreen(self.order.name, words.zone_lines(self.order, self.watch_state.views)))

    def action_look_now(self) -> None:
        self.watch_state.look_soon()
        self._tick()

    def action_by_itself(self) -> None:
        self.watch_state.toggle(self._at)
        self._show()

    def action_answer(self) -> None:
        """Have the CA validate: immediately if every server has every record, otherwise after confirmation."""
        order, watch = self.order, self.watch_state
        if order is None or self._has_ended:
            return
        if watch.is_ready or not watch.views:
            self._complete(anyway=False)
            return
        from tui.screens.dialogs.confirm import ConfirmDialog

        def decided(agreed: bool | None) -> None:
            if agreed:
                self._complete(anyway=True)

        self.app.push_screen(
            ConfirmDialog(
                "Let the CA check anyway?",
                words.stakes(order, watch, self.deck.now()),
                yes="Let it check",
                no="Keep waiting",
                danger=True,
            ),
            decided,
        )

    def _complete(self, *, anyway: bool) -> None:
        name, lineage = self.name_of_lineage, self._lineage()
        self._answer = self.deck.begin(
            f"Complete {name}",
            f"completing {name}",
            lambda report, cancel: self.engine.complete(name, anyway=anyway, report=report, cancel=cancel),
            lineage=name,
            expects=tuple(target.name for target in lineage.targets) if lineage else (),
        )

    def action_give_up(self) -> None:
        from tui.screens.dialogs.confirm import ConfirmDialog

        name = self.name_of_lineage

        def decided(agreed: bool | None) -> None:
            if agreed:
                self._answer = self.deck.begin(
                    f"Give up the order of {name}",
                    f"giving up the order of {name}",
                    lambda report, cancel: self.engine.give_up(name, report=report),
                    lineage=name,
                    quiet=True,
                )

        told = (
            "The values above are then no longer valid: delete the records. A new order will have new values. The "
            "live certificate is unchanged."
        )
        self.app.push_screen(
            ConfirmDialog("Give this order up?", told, yes="Give up", no="Keep it", danger=True), decided
        )

    def action_back(self) -> None:
        """Leave; the order stays open."""
        if self.order is not None and not self._has_ended:
            until = f" until {text.moment(self.order.expires)}" if self.order.expires else ""
            told = f"Enter on {self.page_detail} comes back to it; so does `certdeck complete {self.page_detail}`."
            self.notify(told, title=f"The order stays open{until}", timeout=8, markup=False)
        if len(self.app.screen_stack) == 2:
            self.deck.go_to(self.name_of_lineage)  # the cursor on its row
        else:
            super().action_back()
