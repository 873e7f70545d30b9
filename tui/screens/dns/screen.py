"""The DNS providers of this box: the zones of each, the certificates that need it, and whether it works."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Final

from msgspec import Struct

from core.errors import CertdeckError
from core.operations import DnsKind, DnsProviderInfo
from tui.actions import bindings, of_scope
from tui.screens.dns import words
from tui.screens.dns.last_tests import LastTest, last_tests
from tui.screens.list_page import ListPage
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import facts, marked
from tui.widgets.row_list import Column, Row
from tui.wording import text
from tui.wording.narration import step_shown

_ENTRIES: Final = 500
"""How many log entries are searched for the last tests."""


class Known(Struct, frozen=True, kw_only=True):
    """A provider entry, its kind if it is known here, and its last test."""

    entry: DnsProviderInfo
    kind: DnsKind | None
    last: LastTest | None


class DnsScreen(ListPage[Known]):
    """The list of entries, and everything about the selected one except its secrets."""

    SCOPE = "dns"
    BINDINGS: ClassVar = bindings(of_scope("dns", "page"))
    HELP_TEXT = (
        "The DNS providers of your zones. With a provider that certdeck can write to, names are validated by DNS "
        "records: for boxes that the internet cannot reach, and for wildcards. Each entry is used for its zones: a "
        "certificate uses the entry whose zone contains its names, unless you choose another.\n\n"
        "A test runs every step of an order: it tests the credentials, finds the zone, writes a TXT record, checks "
        "it on every name server of the zone, and removes it. If a step fails, the page shows what to fix. "
        "Credentials are stored encrypted in the vault (AES-256-GCM) and are never shown again.\n\n"
        "Other records of a zone are never changed."
    )
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (140, "-wide")]  # noqa: RUF012
    CSS_PATH: ClassVar = [*ListPage.CSS_PATH, Path(__file__).parent / "dns.tcss"]
    COLUMNS = (
        Column("Name"),
        Column("Provider", flexible=True, least=16),
        Column("Zones", flexible=True),
        Column("Used by"),
        Column("State"),
    )
    LIST_TITLE = "DNS providers"
    EMPTY = (
        "No DNS provider yet",
        (
            "n adds the provider of your zones, for example Cloudflare: names are then validated through DNS "
            "automatically, wildcards "
            "too, and this box need not be reachable from the internet."
        ),
        "Without one, records can be set manually at any provider: choose it in the wizard (i).",
    )

    page_title = "DNS providers"

    def fetch(self) -> tuple[Known, ...]:
        entries = self.engine.dns_providers()
        kinds: dict[str, DnsKind] = {}
        for each in entries:
            # An entry of an unknown kind is still listed.
            with suppress(CertdeckError):
                kinds[each.kind] = self.engine.dns_kind(each.kind)
        tests: dict[str, LastTest] = {}
        with suppress(CertdeckError):
            tests.update(last_tests(self.engine.log(limit=_ENTRIES)))
        return tuple(Known(entry=each, kind=kinds.get(each.kind), last=tests.get(each.name)) for each in entries)

    def name_of(self, item: Known) -> str:
        return item.entry.name

    def kind_of(self, item: Known) -> str:
        return item.entry.kind

    def row(self, item: Known) -> Row:
        entry = item.entry
        state, said = words.state_of(entry, item.last, self.deck.now())
        mark = text.MARKS[state]
        cells = (
            entry.name,
            (entry.title, "text-muted"),
            (words.zones_shown(entry), "foreground" if entry.zones else "text-muted"),
            (words.users_shown(entry), "foreground" if entry.lineages else "text-muted"),
            (said, mark.colour),
        )
        return Row(entry.name, cells, (mark.glyph, mark.colour))

    def about(self, item: Known, width: int, ink: Ink) -> list[Line]:
        entry, kind, last = item.entry, item.kind, item.last
        lines: list[Line] = []
        if entry.missing:
            lines += marked("✖", "severity-red", words.missing_shown(entry, kind), width, ink)
        elif last is None:
            said = "It was not tested yet. x writes a record, checks it on every name server, and removes it."
            lines += marked("○", "text-muted", said, width, ink)
        elif last.is_good:
            said = f"It worked when it was tested, {text.ago(last.at, self.deck.now())}."
            lines += marked("✔", "severity-green", said, width, ink)
        else:
            failed = ", ".join(step_shown(step).lower() for step in last.failed)
            said = f"Its last test failed, {text.ago(last.at, self.deck.now())}: {failed}. x tests again and shows what to fix."
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
            self.app.push_screen(ConnectionTestScreen(self.chosen.entry))

    def opened(self) -> None:
        self.action_test()

    def action_add(self) -> None:
        from tui.screens.dns.kinds import KindScreen

        self.app.push_screen(KindScreen(), lambda name: self.read(name or ""))

    def action_change(self) -> None:
        """Open the form with all current settings except the secrets."""
        if self.chosen is None:
            return
        entry = self.chosen.entry
        from tui.screens.dns.form import ProviderForm

        def known(answer: DnsKind | CertdeckError) -> None:
            if isinstance(answer, CertdeckError):
                self.deck.show_error(answer)
            elif self.is_current:
                self.app.push_screen(ProviderForm(answer, entry))

        kind = entry.kind
        self.ask(lambda: self.engine.dns_kind(kind), known)

    def action_remove(self) -> None:
        if self.chosen is None:
            return
        entry = self.chosen.entry
        name = entry.name
        said = "Its settings and secrets are removed. Records in your zones are unchanged."
        if entry.lineages:
            users = ", ".join(text.printable(each) for each in entry.lineages)
            used = (
                f"These certificates use it for validation: {users}. Removing it is refused until they use another one."
            )
            said = f"{used}\n\n{said}"
        self.ask_first(
            f"Remove {name}?",
            said,
            lambda: self.engine.remove_dns_provider(name),
            f"{name} and its secrets are removed.",
        )
