"""The DNS providers of this box: what each serves, which certificates need it, and whether it works."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Final

from msgspec.structs import replace
from textual import events, on
from textual.app import ComposeResult
from textual.message import Message

from core.errors import CertdeckError
from core.operations import DnsKind, DnsProviderInfo
from tui import text
from tui.actions import Situation, bindings, of_scope
from tui.screens.dns import words
from tui.screens.dns.last_tests import LastTest, last_tests
from tui.screens.form import FORM_CSS
from tui.screens.page import Page, StatusRead
from tui.widgets.field import wrong
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import facts, marked
from tui.widgets.row_list import Column, Row, RowList
from tui.widgets.sheet import Sheet

_COLUMNS: Final = (
    Column("Name"),
    Column("Provider", optional=True),
    Column("Zones", flexible=True),
    Column("Used by"),
    Column("State"),
)
_ENTRIES: Final = 500
"""Of the log, in which the last tests are looked for."""

Known = tuple[tuple[DnsProviderInfo, ...], dict[str, DnsKind], dict[str, LastTest]]


class DnsScreen(Page[None]):
    """Every entry, and everything about the chosen one but its secrets."""

    SCOPE = "dns"
    BINDINGS: ClassVar = bindings(of_scope("dns", "page"))
    HELP_TEXT = (
        "Who serves the DNS of your names. With a provider that certdeck can write to, names are proved by records in the DNS: "
        "for boxes that the internet cannot reach, and for wildcards. Each entry is active for its zones: a certificate takes "
        "the one whose zone its names end in, unless you choose another.\n\n"
        "A test goes the whole way that an order goes: it tries the credentials, finds the zone, writes a TXT record, asks every "
        "name server of the zone for it, and removes it. Each step that fails says what to mend. Credentials lie encrypted in "
        "the vault (AES-256-GCM) and are never shown again.\n\n"
        "Other records of a zone are never touched."
    )
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (140, "-wide")]  # noqa: RUF012
    AUTO_FOCUS = "RowList"
    CSS_PATH: ClassVar = [
        FORM_CSS,
        Path(__file__).parent.parent / "tables.tcss",
        Path(__file__).parent / "dns.tcss",
    ]

    page_title = "DNS providers"

    def __init__(self) -> None:
        super().__init__()
        self._entries: tuple[DnsProviderInfo, ...] = ()
        self._kinds: dict[str, DnsKind] = {}
        self._tests: dict[str, LastTest] = {}
        self._error: CertdeckError | None = None
        self._wanted = ""
        """The entry that gets the cursor once it has been read."""

    def body(self) -> ComposeResult:
        yield RowList(_COLUMNS, id="rows")
        yield Sheet(id="about")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#rows").border_title = "DNS providers"
        self.read()

    # -- what is shown -----------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Ask the engine what there is."""
        self.bridge.ask(self._known, self._read)

    def _known(self) -> Known:
        entries = self.engine.dns_providers()
        kinds: dict[str, DnsKind] = {}
        for each in entries:
            # An entry whose kind is not known here is listed all the same.
            with suppress(CertdeckError):
                kinds[each.kind] = self.engine.dns_kind(each.kind)
        tests: dict[str, LastTest] = {}
        with suppress(CertdeckError):
            tests.update(last_tests(self.engine.log(limit=_ENTRIES)))
        return entries, kinds, tests

    def _read(self, answer: Known | CertdeckError) -> None:
        if not self.is_mounted:
            return
        self._error = answer if isinstance(answer, CertdeckError) else None
        if not isinstance(answer, CertdeckError):
            self._entries, self._kinds, self._tests = answer
        rows = self.query_one("#rows", RowList)
        rows.show([self._row(each) for each in self._entries])
        if self._wanted in rows.keys:
            rows.choose(self._wanted)
            self._wanted = ""
        self._show()
        self.refresh_actions()

    def heard(self, message: Message) -> None:
        if isinstance(message, StatusRead):
            self.read()

    @property
    def chosen(self) -> DnsProviderInfo | None:
        """The entry under the cursor."""
        key = self.query_one("#rows", RowList).chosen
        return next((each for each in self._entries if each.name == key), None)

    def situation(self) -> Situation:
        entry = self.chosen if self.is_mounted else None
        return replace(super().situation(), row=entry.name if entry else "", row_kind=entry.kind if entry else "")

    def _row(self, entry: DnsProviderInfo) -> Row:
        state, said = words.state_of(entry, self._tests.get(entry.name), self.deck.now())
        mark = text.MARKS[state]
        cells = (
            entry.name,
            (entry.title, "text-muted"),
            (words.zones_shown(entry), "foreground" if entry.zones else "text-muted"),
            (words.users_shown(entry), "foreground" if entry.lineages else "text-muted"),
            (said, mark.colour),
        )
        return Row(entry.name, cells, (mark.glyph, mark.colour))

    @on(RowList.Moved)
    def _on_moved(self) -> None:
        self._show()
        self.refresh_actions()

    def _show(self) -> None:
        sheet, entry, error = self.query_one("#about", Sheet), self.chosen, self._error
        if error is not None:
            sheet.border_title = "The configuration cannot be read"
            sheet.write(lambda width, ink: wrong(error, width, ink))
        elif entry is None:
            sheet.border_title = "No DNS provider yet"
            sheet.write(_empty)
        else:
            sheet.border_title = text.printable(entry.name)
            sheet.write(lambda width, ink: self._about(entry, width, ink))

    def _about(self, entry: DnsProviderInfo, width: int, ink: Ink) -> list[Line]:
        kind, last = self._kinds.get(entry.kind), self._tests.get(entry.name)
        lines: list[Line] = []
        if entry.missing:
            lines += marked("✖", "severity-red", words.missing_shown(entry, kind), width, ink)
        elif last is None:
            said = "It was not tested yet. x writes a record, looks for it at every name server, and removes it."
            lines += marked("○", "text-muted", said, width, ink)
        elif last.is_good:
            said = f"It worked when it was tested, {text.ago(last.at, self.deck.now())}."
            lines += marked("✔", "severity-green", said, width, ink)
        else:
            failed = ", ".join(words.STEPS.get(step, step).lower() for step in last.failed)
            said = f"Its last test failed, {text.ago(last.at, self.deck.now())}: {failed}. x tests again and says what to mend."
            lines += marked("✖", "severity-red", said, width, ink)
        labels = words.labels_of(kind)
        rows = [
            ("Provider", f"{entry.title} ({entry.kind})" if entry.title != entry.kind else entry.kind),
            ("Zones", words.zones_shown(entry)),
            ("Used by", ", ".join(entry.lineages) or "no certificate yet"),
            ("Delegated", "\n".join(f"{domain} → {target}" for domain, target in entry.delegations.items())),
            *((labels.get(key, key), value) for key, value in entry.settings.items()),
            *((labels.get(key, key), "kept in the vault" if has else "missing") for key, has in entry.secrets.items()),
        ]
        widest = max(len(label) for label, value in rows if value)
        lines += [[], *facts(rows, width, ink, label=min(max(widest + 2, 12), width // 2))]
        for note in kind.notes if kind is not None else ():
            lines += [[], *marked("·", "key", note, width, ink, of="text-muted")]
        return lines

    # -- actions -----------------------------------------------------------------------------------------------------

    def action_test(self) -> None:
        from tui.screens.dns.connection_test import ConnectionTestScreen

        if self.chosen is not None:
            self.app.push_screen(ConnectionTestScreen(self.chosen))

    def action_add(self) -> None:
        from tui.screens.dns.kinds import KindScreen

        self.app.push_screen(KindScreen(), self._added)

    def action_change(self) -> None:
        """Open the form with everything that is set, secrets apart."""
        entry = self.chosen
        if entry is None:
            return
        from tui.screens.dns.form import ProviderForm

        def known(answer: DnsKind | CertdeckError) -> None:
            if isinstance(answer, CertdeckError):
                self.deck.show_error(answer)
            elif self.is_current:
                self.app.push_screen(ProviderForm(answer, entry))

        kind = entry.kind
        self.bridge.ask(lambda: self.engine.dns_kind(kind), known)

    def action_remove(self) -> None:
        entry = self.chosen
        if entry is None:
            return
        from tui.screens.dialogs.confirm import ConfirmDialog

        name = entry.name

        def answered(answer: object) -> None:
            if isinstance(answer, CertdeckError):
                self.deck.show_error(answer)
            else:
                self.notify(text.printable(f"{name} and its secrets are forgotten."), markup=False)
            self.deck.refresh_status()

        def decided(agreed: bool | None) -> None:
            if agreed:
                self.bridge.ask(lambda: self.engine.remove_dns_provider(name), answered)

        said = "Its settings go, and its secrets. Records in your zones stay as they are."
        if entry.lineages:
            users = ", ".join(text.printable(each) for each in entry.lineages)
            said = f"These certificates prove their names with it: {users}. It is refused until they have another way.\n\n{said}"
        self.app.push_screen(ConfirmDialog(f"Remove {text.printable(name)}?", said, yes="Remove", danger=True), decided)

    def _added(self, name: str | None) -> None:
        if name:
            self._wanted = name
            self.read()

    def on_click(self, event: events.Click) -> None:
        if event.chain == 2 and isinstance(event.widget, RowList):
            self.action_test()


def _empty(width: int, ink: Ink) -> list[Line]:
    adds = (
        "n adds who serves your zones, for example Cloudflare: then names are proved through the DNS by themselves, wildcards "
        "too, and the internet need not reach this box."
    )
    said = (adds, "Without one, records can be set by hand at any provider: choose it in the wizard (i).")
    lines: list[Line] = []
    for sign, each in zip("○·", said, strict=True):
        lines += [*marked(sign, "text-muted", each, width, ink), []]
    return lines
