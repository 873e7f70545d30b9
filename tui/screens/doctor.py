"""The doctor's findings: what would stop a certificate from being issued, renewed or served, with a key that opens the fix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult

from core.operations import Finding, IssueRequest
from tui.actions import bindings, of_scope
from tui.deck import Deck
from tui.screens.form import FormPage, needed
from tui.screens.list_page import ListPage
from tui.widgets.field import Field
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import marked, to_do
from tui.widgets.row_list import Column, Row
from tui.wording import text
from tui.wording.text import MARKS

_WORST: Final = ("fail", "warn", "skip", "pass")
_FIXED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "schedule": ("timer", "stored-time"),
    "targets": ("target", "chosen"),
    "dns": ("dns-provider", "dns-zone"),
    "issuers": ("issuer", "directory", "terms", "terms-changed", "eab", "contact", "budget"),
    "adopt": ("other-client",),
    "maintenance": ("backup", "vault"),
}
"""For each page, the ids of the findings fixed there. DNS records, files and the clock are fixed outside the console."""


def fixed_by(finding: Finding) -> str:
    """Return the id of the action that opens the page where a finding is fixed; empty if there is none."""
    return next((page for page, ids in _FIXED_BY.items() if finding.id in ids), "")


class DoctorScreen(ListPage[Finding]):
    """The findings, worst first; Enter opens the page where the selected one is fixed."""

    SCOPE = "doctor"
    BINDINGS: ClassVar = bindings(of_scope("doctor", "page"))
    HELP_TEXT = (
        "Checks everything that can prevent a certificate from being issued, renewed or served: names, DNS, port 80, "
        "the issuer, services, files, the clock and the timer. It changes nothing.\n\n"
        "✖ prevents an order, ▲ may prevent it, ✔ is in order. The fix is shown below; Enter opens the page for it. "
        "r checks again."
    )
    COLUMNS: ClassVar = (Column("Check"), Column("Result", flexible=True))
    LIST_TITLE = "Checks"
    UNREADABLE = "The checks could not run"
    LOOKING = "Checking the network, the issuer and the services …"
    EMPTY: ClassVar = ("No findings", "There is nothing to check.")
    page_title = "Doctor"

    def __init__(self, name: str = "", request: IssueRequest | None = None) -> None:
        super().__init__()
        self._lineage, self._asked = name, request
        self.page_detail = text.printable(name or (", ".join(request.domains) if request else "this box"))

    @classmethod
    def opened_from(cls, deck: Deck) -> DoctorScreen:
        """Return the doctor for the certificate under the cursor, or for the whole box."""
        from tui.screens.page import Page

        chosen = deck.screen.situation().lineage if isinstance(deck.screen, Page) else None
        if chosen is not None and chosen.open_order and not chosen.sha256:
            # It has no settings yet: they are kept with the certificate.
            manual = text.is_manual(chosen)
            challenge = None if manual else chosen.method
            return cls(
                request=IssueRequest(
                    domains=chosen.domains, name=chosen.name, issuer=chosen.ca, challenge=challenge, manual=manual
                )
            )
        return cls(chosen.name if chosen is not None else "")

    def fetch(self) -> Sequence[Finding]:
        found = self.engine.doctor(self._asked, name=self._lineage or None)
        return sorted(found, key=lambda each: _WORST.index(each.status) if each.status in _WORST else 0)

    def heard(self, message: object) -> None:
        """Do nothing: the checks use the network, so they run again only on request."""

    def name_of(self, item: Finding) -> str:
        return item.id

    def kind_of(self, item: Finding) -> str:
        return fixed_by(item) if item.status in ("fail", "warn") else ""

    def title_of(self, item: Finding) -> str:
        return text.name_shown(item.title)

    def row(self, item: Finding) -> Row:
        mark = MARKS.get(item.status, MARKS["unknown"])
        return Row(
            f"{item.id} {item.title}",
            (text.name_shown(item.title), (item.detail, "text-muted")),
            (mark.glyph, mark.colour),
        )

    def about(self, item: Finding, width: int, ink: Ink) -> list[Line]:
        mark = MARKS.get(item.status, MARKS["unknown"])
        lines = [*marked(mark.glyph, mark.colour, item.detail or mark.word, width, ink, bold=True)]
        if item.fix:
            lines += [[], *to_do(item.fix, width, ink)]
        return lines

    def opened(self) -> None:
        self.action_fix()

    def action_fix(self) -> None:
        """Open the page where the finding is fixed."""
        page = fixed_by(self.chosen) if self.chosen is not None else ""
        if page:
            self.deck.action_open(page)

    def action_check_again(self) -> None:
        self.items, self.is_looking = (), True
        if self._rows is not None:
            self._rows.show([])
            self.show()
        self.read()


class BoxDoctorScreen(DoctorScreen):
    """The doctor for the whole box, wherever the cursor is."""

    @classmethod
    def opened_from(cls, deck: Deck) -> DoctorScreen:
        return cls()


class NamesForm(FormPage):
    """Asks for names that have no certificate yet."""

    page_title = "Doctor for names"
    verb = "Check"
    intro = "Checks what can prevent a certificate for new names. Nothing is ordered."

    def fields(self) -> ComposeResult:
        yield Field(
            "Names",
            hint="e.g. shop.example.com www.shop.example.com",
            check=needed("A name", "shop.example.com"),
            id="names",
        )

    def save(self) -> None:
        domains = tuple(self.value("names").replace(",", " ").split())
        self.app.switch_screen(DoctorScreen(request=IssueRequest(domains=domains)))
