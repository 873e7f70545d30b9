"""A comparison of the CAs: what each costs, issues and accepts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.message import Message

from core.operations import IssuerFacts
from tui.actions import bindings, of_scope
from tui.screens.list_page import ListPage
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import facts, marked
from tui.widgets.row_list import Column, Row
from tui.wording.issuers import VALIDATION, fact_rows, known


class CompareIssuersScreen(ListPage[IssuerFacts]):
    """A row for each CA; below the list everything known about the selected one."""

    SCOPE = "issuer-compare"
    BINDINGS: ClassVar = bindings(of_scope("issuer-compare", "page"))
    HELP_TEXT = (
        "The CAs that certdeck knows, with price, lifetime, names, limits and profiles. The default comes first. Each shows the "
        "date of its facts; the CA may have changed them since.\n\n{VALIDATION} To get one, create a signing request, "
        "order with it at the CA, and upload the certificate."
    )
    COLUMNS: ClassVar = (
        Column("Issuer"),
        Column("Price", flexible=True),
        Column("Lifetime", flexible=True),
        Column("Wildcards"),
        Column("IP", optional=True),
        Column("EAB"),
        Column("ARI", optional=True),
    )
    LIST_TITLE = "CAs"
    EMPTY: ClassVar = ("Comparing", "Reading the facts …")
    page_title = "Compare CAs"

    def heard(self, message: Message) -> None:
        """Do nothing: these facts do not change while the console runs."""

    def fetch(self) -> Sequence[IssuerFacts]:
        return self.engine.compare_issuers()

    def name_of(self, item: IssuerFacts) -> str:
        return item.name

    def title_of(self, item: IssuerFacts) -> str:
        return item.title

    def row(self, item: IssuerFacts) -> Row:
        return Row(
            item.name,
            (
                item.title,
                (item.price, "text-muted"),
                (item.lifetime, "text-muted"),
                known(item.wildcard, "yes", "no"),
                (_in_short(item.ip), "text-muted"),
                known(item.eab, "needed", "no"),
                (item.ari, "text-muted"),
            ),
        )

    def about(self, item: IssuerFacts, width: int, ink: Ink) -> list[Line]:
        rows = [("Name", item.name), *fact_rows(item)]
        return [
            *facts(rows, width, ink, label=14),
            [],
            *marked("·", "text-muted", VALIDATION, width, ink, of="text-muted"),
        ]


def _in_short(words: str) -> str:
    """Return `yes`, `no`, `unknown`, or `partly` if there are conditions."""
    first = words.partition(" ")[0]
    return {"not": "no", "none": "no"}.get(first, first if first in ("yes", "no", "unknown") else "partly")
