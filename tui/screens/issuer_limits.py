"""The rate limits of one issuer, and how much of each this box has used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct

from core.limit_table import window_words
from core.operations import ClosedLimit, IssuerInfo, IssuerShown, LimitStanding
from tui.actions import bindings, of_scope
from tui.screens.list_page import ListPage
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import facts, marked
from tui.widgets.row_list import Column, Row
from tui.wording import text
from tui.wording.issuers import COUNTED_HERE, EXEMPT, source_words


class Limit(Struct, frozen=True, kw_only=True):
    """A published limit, or a refusal of the CA that lasts until a given time. Exactly one of the two is set."""

    id: str
    standing: LimitStanding | None = None
    closed: ClosedLimit | None = None


class IssuerLimitsScreen(ListPage[Limit]):
    """Current refusals of the CA first, then each published limit."""

    SCOPE = "issuer-limits"
    BINDINGS: ClassVar = bindings(of_scope("issuer-limits", "page"))
    HELP_TEXT = (
        "CAs limit how many certificates they issue in a period. Each row is a published limit, how much of it this "
        "box has used, and how much is left.\n\n"
        "This box counts only its own orders. The CA also counts those of other machines, so it may refuse an order "
        "earlier. If a CA has refused requests, this is shown above the limits, with the time until which it does."
    )
    COLUMNS: ClassVar = (
        Column("Limit"),
        Column("In", optional=True),
        Column("For", flexible=True),
        Column("Used"),
        Column("Left"),
    )
    LIST_TITLE = "Limits"
    UNREADABLE = "The limits cannot be read"
    EMPTY: ClassVar = (
        "No limits",
        "No limits of this CA are known, so nothing is counted against them. It may still limit orders.",
    )
    page_title = "Limits"

    def __init__(self, issuer: IssuerInfo) -> None:
        super().__init__()
        self._issuer = issuer
        self.page_detail = text.printable(issuer.title)
        self._found: IssuerShown | None = None

    def fetch(self) -> Sequence[Limit]:
        self._found = found = self.engine.issuer(self._issuer.name)
        closed = [Limit(id=f"closed {number}", closed=each) for number, each in enumerate(found.closed)]
        return [
            *closed,
            *(Limit(id=f"{each.limit} {each.subject or ''}", standing=each) for each in found.limits),
        ]

    def name_of(self, item: Limit) -> str:
        return item.id

    def title_of(self, item: Limit) -> str:
        return item.standing.words if item.standing is not None else "Refused by the CA"

    def row(self, item: Limit) -> Row:
        closed, standing = item.closed, item.standing
        if standing is None:
            assert closed is not None
            words = f"It {closed.what} for now"
            cells = (words, "", (closed.domain or "–", "text-muted"), "–", ("0", "severity-red"))
            return Row(item.id, cells, ("✖", "severity-red"))
        sign = ("●", "severity-green") if standing.left > 1 else ("▲", "severity-yellow")
        if not standing.left:
            sign = ("✖", "severity-red")
        return Row(
            item.id,
            (
                standing.words,
                (window_words(standing.seconds), "text-muted"),
                (standing.subject or "–", "text-muted"),
                str(standing.used),
                (str(standing.left), sign[1]),
            ),
            sign,
        )

    def about(self, item: Limit, width: int, ink: Ink) -> list[Line]:
        closed, standing = item.closed, item.standing
        if standing is None:
            assert closed is not None
            rows = [
                ("What", f"The CA {closed.what}."),
                ("For", closed.domain),
                ("Until", text.moment(closed.until)),
                ("It said", closed.said),
            ]
            return facts(rows, width, ink)
        rows = [
            ("Limit", f"{standing.words} in {window_words(standing.seconds)}"),
            ("For", standing.subject or "this account"),
            ("Used", f"{standing.used} of {standing.count}, so {standing.left} left"),
            ("One more", "now" if standing.free_at is None else f"from {text.moment(standing.free_at)}"),
            ("All free", text.moment(standing.unused_at) if standing.unused_at else ""),
            ("Source", source_words(self._found.limits_as_of) if self._found is not None else ""),
        ]
        notes = [COUNTED_HERE, *([EXEMPT] if "replaces" in standing.exempt else [])]
        return [
            *facts(rows, width, ink),
            [],
            *(line for note in notes for line in marked("·", "text-muted", note, width, ink, of="text-muted")),
        ]
