"""Certificates that other ACME clients manage on this host: what was found, what to take over, and the result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from core.adoption import Adoptable, Adoption, AdoptRequest, OtherTimer
from core.errors import CertdeckError
from tui.actions import bindings, of_scope
from tui.screens.list_page import ListPage
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import facts, marked
from tui.widgets.row_list import Column, Row, RowList
from tui.widgets.sheet import Sheet
from tui.wording import text

_STATES = {
    "new": ("", "text-muted", "ready"),
    "adopted": ("✔", "severity-green", "adopted"),
    "taken": ("▲", "severity-yellow", "name taken"),
    "unusable": ("✖", "severity-red", "unusable"),
}


class AdoptScreen(ListPage[Adoptable]):
    """The list of certificates; below it how the selected one is renewed, or the result of taking some over."""

    SCOPE = "adopt"
    BINDINGS: ClassVar = bindings(of_scope("adopt", "page"))
    HELP_TEXT = (
        "The certificates that certbot, acme.sh, lego, dehydrated, uacme, getssl, Caddy, mod_md and acmetool manage "
        "on this box. Taking one over copies its certificate, its key and its renewal settings. The other client's "
        "files are not changed. You turn off its timer yourself; the command for that is shown."
    )
    COLUMNS = (
        Column("Certificate", flexible=True),
        Column("Client"),
        Column("Ends"),
        Column("Issuer", optional=True),
        Column("Challenge", optional=True),
        Column("State"),
    )
    LIST_TITLE = "Found on this box"
    EMPTY = (
        "Nothing found",
        "No certificate of another ACME client was found in the usual folders.",
        "To look in another folder, run: certdeck adopt --dir DIR",
    )
    UNREADABLE = "Reading failed"

    page_title = "Certificates of other clients"

    def __init__(self) -> None:
        super().__init__()
        self.timers: tuple[OtherTimer, ...] = ()
        self.result: Adoption | None = None
        """The result of the last attempt; cleared when the cursor moves."""

    def body(self) -> ComposeResult:
        yield RowList(self.COLUMNS, marking="many", id="rows")
        yield Sheet(id="about")

    def fetch(self) -> Sequence[Adoptable]:
        found = self.engine.adoptable()
        self.timers = found.timers
        return found.found

    def name_of(self, item: Adoptable) -> str:
        return item.name

    def title_of(self, item: Adoptable) -> str:
        if self.result is not None:
            return "What would be done" if self.result.dry_run else "What was done"
        return item.name

    def kind_of(self, item: Adoptable) -> str:
        return item.state

    def row(self, item: Adoptable) -> Row:
        sign, role, words = _STATES[item.state]
        if item.state == "new" and (item.expired or item.revoked):
            sign, role = "▲", "severity-yellow"
            words = "revoked" if item.revoked else "expired"
        ends = text.day(item.not_after) if item.not_after is not None else "–"
        proof = item.dns or item.dns_name or item.challenge or "–"
        cells = (item.name, item.client, ends, (item.issuer or "–", "text-muted"), (proof, "text-muted"), words)
        return Row(item.name, cells, (sign, role))

    def about(self, item: Adoptable, width: int, ink: Ink) -> list[Line]:
        if self.result is not None:
            return self._outcome(self.result, width, ink)
        rows = [
            ("Names", ", ".join(item.names)),
            ("File", str(item.path)),
            ("Key", item.key_type),
            ("Issuer", f"{item.issuer}  {item.directory}".strip()),
            ("Account", item.account_url or str(item.account or "")),
            ("Webroot", ", ".join(item.webroots)),
            ("DNS", item.dns or item.dns_name),
            *((f"{hook.kind} hook", hook.text) for hook in item.hooks),
            ("Used by", ", ".join(item.used_by)),
        ]
        lines = facts(rows, width, ink)
        if item.problem:
            lines += [[], *marked("✖", "severity-red", f"{item.problem} {item.fix}", width, ink)]
        for note in item.notes:
            lines += marked("·", "text-muted", note, width, ink)
        for timer in self.timers:
            if timer.client == item.client:
                both = f" It and certdeck both renew {', '.join(timer.names)}." if timer.names else ""
                words = f"{timer.client} renews automatically ({timer.file}).{both}"
                lines += [[], *marked("▲", "severity-yellow", words, width, ink), *_switch_off(timer, width, ink)]
        return lines

    def _outcome(self, result: Adoption, width: int, ink: Ink) -> list[Line]:
        lines: list[Line] = []
        for done in result.adopted:
            words = (
                "would be taken over"
                if result.dry_run
                else "was already taken over"
                if done.unchanged
                else "is taken over"
            )
            lines += marked("✔", "severity-green", f"{done.name} {words}.", width, ink, bold=True)
            for step in done.steps:
                lines += marked("·", "text-muted", step, width, ink)
            for left in done.left:
                lines += marked("▲", "severity-yellow", left, width, ink)
        for failed in result.failed:
            lines += marked("✖", "severity-red", f"{failed.name}: {failed.why} {failed.fix}", width, ink)
        for timer in result.timers:
            if timer.names:
                words = f"{timer.client} still renews {', '.join(timer.names)}."
                lines += [[], *marked("▲", "severity-yellow", words, width, ink), *_switch_off(timer, width, ink)]
        return lines

    @on(RowList.Moved)
    def _forget_result(self) -> None:
        self.result = None
        self.show()

    @property
    def _wanted(self) -> tuple[str, ...]:
        """Return the names of the ticked certificates, or of the one under the cursor if none is ticked."""
        rows = self._rows
        ticked = rows.marked if rows is not None else ()
        return ticked or ((self.chosen.name,) if self.chosen is not None else ())

    def action_take_over(self) -> None:
        self._ask(dry_run=False)

    def action_try(self) -> None:
        self._ask(dry_run=True)

    def action_tick_all(self) -> None:
        """Tick everything that can be taken over, or untick it if all of it is ticked already."""
        rows = self._rows
        if rows is not None:
            every = tuple(each.name for each in self.items if each.state == "new")
            rows.mark(() if rows.marked == every else every)

    def _ask(self, *, dry_run: bool) -> None:
        names, deck = self._wanted, self.deck
        if not names:
            return

        def answered(answer: Adoption | CertdeckError) -> None:
            if isinstance(answer, CertdeckError):
                deck.show_error(answer)
                return
            rows = self._rows
            if rows is None:
                return
            self.result = answer
            if not dry_run:
                rows.mark(())
                deck.refresh_status()
            self.show()

        self.ask_to_change(lambda: self.engine.adopt(AdoptRequest(names, dry_run=dry_run)), answered)


def _switch_off(timer: OtherTimer, width: int, ink: Ink) -> list[Line]:
    """Return the command that turns off a timer, on lines of its own so that it can be copied."""
    words = marked(" ", "text-muted", "When everything that it renews is taken over, turn it off:", width, ink)
    return [*words, *marked(" ", "text-muted", timer.off, width, ink, of="key")]
