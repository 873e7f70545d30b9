"""Step 2: how control of the names is proven to the CA, and what that needs (ST-11, ST-13)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Static

from core.config.model import Http01
from core.operations import DnsProviderInfo
from tui.screens.issue.draft import BY_HAND, BY_PROVIDER, HTTP_01, NO_PROOF, ONCE, Draft, Offer, is_below
from tui.screens.issue.names import companions_told, keep_companions, show_companions
from tui.screens.issue.step import WizardStep
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, wrap
from tui.widgets.one_of import OneOf
from tui.widgets.prose import Prose, marked
from tui.widgets.row_list import Column, Row, RowList
from tui.wording import text

_ADD: Final = "+add"
"""The key of the row that opens the provider form."""
_METHODS: Final = (
    (HTTP_01, "HTTP-01", "the CA fetches a file from port 80 of each name"),
    (BY_PROVIDER, "DNS, by a provider", "certdeck writes the records; wildcards too"),
    (BY_HAND, "DNS, manually", "you set the records, anywhere; wildcards too"),
    (ONCE, "DNS, set once", "one record that stays, if the CA supports it"),
    (NO_PROOF, "No validation", "signed at once by the private CA of this box"),
)
_SERVED: Final = 3
"""How many names outside a provider's zones are listed."""


class ProofStep(WizardStep):
    """HTTP-01, one of three DNS proofs, or an issuer that needs no proof."""

    TITLE = "Validation"
    HELP = (
        "Validation: a public CA validates that you control the names. With HTTP-01, it fetches a file from port 80 "
        "of each name, so that port must be reachable from the internet, and the names must point to this box.\n\n"
        "Through DNS, it checks a record for each name: for boxes that the internet cannot reach, and the only way "
        "for wildcards. A provider sets the records automatically, also for renewals (n adds one, x tests it). Or "
        "you set them manually at your DNS provider; such a certificate does not renew automatically. With "
        "dns-persist-01, if the CA supports it, you set one record that stays.\n\n"
        "The private CA of this box needs no validation."
    )

    def compose(self) -> ComposeResult:
        yield RowList((Column("Method"), Column("How", flexible=True)), marking="one", titles=False, id="method")
        columns = (Column("Name"), Column("Provider", optional=True), Column("Zones", flexible=True))
        yield RowList(columns, marking="one", titles=False, id="providers")
        yield Prose(id="needs")
        yield Prose(id="also")
        yield RowList((Column("Name"), Column("Why", flexible=True)), marking="many", titles=False, id="beside")
        yield Static(
            "Another web server uses port 80? It needs these lines:", classes="label", id="snippet-label", markup=False
        )
        yield OneOf(id="server")
        yield Prose(id="snippet")

    def enter(self) -> None:
        draft = self.draft
        self._is_forced = draft.proof == HTTP_01 and bool(draft.wildcards)
        if self._is_forced:
            draft.proof = BY_PROVIDER
        self._list_methods()
        self.query_one("#method", RowList).choose(draft.proof)
        if self.offer is not None:
            server = self.query_one("#server", OneOf)
            server.offer([(name, name) for name in self.offer.snippets], server.value)
            if self.offer.provider(draft.dns) is None:
                draft.dns = draft.serving(self.offer.providers)
        self._show()

    def on_mount(self) -> None:
        self._is_forced = False

    def first(self) -> Widget | None:
        return self.query_one("#method")

    # -- choosing ------------------------------------------------------------------------------------------------------

    @on(RowList.Moved, "#method")
    def _on_chosen(self, message: RowList.Moved) -> None:
        message.stop()
        self.draft.proof = message.key
        self._show()
        self.wizard.show_title()
        self.wizard.refresh_actions()

    @on(RowList.Moved, "#providers")
    def _on_provider(self, message: RowList.Moved) -> None:
        message.stop()
        self.draft.dns = "" if message.key == _ADD else message.key
        self._show()
        self.wizard.refresh_actions()

    @on(RowList.Marked, "#beside")
    def _on_ticked(self, message: RowList.Marked) -> None:
        message.stop()
        keep_companions(message.row_list, self.draft)
        self.wizard.show_title()
        self._show()

    @on(OneOf.Changed, "#server")
    def _on_server(self, message: OneOf.Changed) -> None:
        message.stop()
        self._show()

    @property
    def snippet(self) -> str:
        """The lines for the chosen web server."""
        return self.offer.snippets.get(self.query_one("#server", OneOf).value, "") if self.offer is not None else ""

    # -- what is shown -------------------------------------------------------------------------------------------------

    def _list_methods(self) -> None:
        no_files = bool(self.draft.wildcards)
        rows = [
            Row(
                key,
                (
                    title,
                    ("not for wildcards", "severity-yellow") if key == HTTP_01 and no_files else (how, "text-muted"),
                ),
            )
            for key, title, how in _METHODS
        ]
        self.query_one("#method", RowList).show(rows)

    def _show(self) -> None:
        self._show_providers()
        over_http = self.draft.proof == HTTP_01
        for id in ("#snippet-label", "#server", "#snippet"):
            self.query_one(id).display = over_http and bool(self.snippet)
        self.query_one("#needs", Prose).write(lambda width, ink: [[], *self._needs(width, ink)])
        beside = self.query_one("#beside", RowList)
        show_companions(beside, self.draft)
        beside.display = beside.display and self.draft.is_over_dns
        self.query_one("#also", Prose).write(
            (lambda width, ink: [[], *marked("·", "key", companions_told(self.draft), width, ink)])
            if beside.display
            else None
        )
        self.query_one("#snippet", Prose).write(self._snippet_lines)

    def _show_providers(self) -> None:
        listed = self.query_one("#providers", RowList)
        listed.display = self.draft.proof == BY_PROVIDER
        providers = self.offer.providers if self.offer is not None else ()
        rows = [_provider_row(each) for each in providers]
        listed.show([*rows, Row(_ADD, (("add a provider …", "key"), ("", "text-muted"), ("", "text-muted")))])
        listed.choose(self.draft.dns or _ADD)

    def _needs(self, width: int, ink: Ink) -> list[Line]:
        proof, wildcards = self.draft.proof, self.draft.wildcards
        lines: list[Line] = []
        if wildcards and proof == HTTP_01:
            name = text.name_shown(wildcards[0].value)
            words = f"A wildcard such as {name} cannot be validated by HTTP-01: a CA would see only one host."
            lines += marked("✖", "severity-red", words, width, ink)
            fix = "Validate it through DNS, or go back and list the names one by one."
            lines += marked("→", "key", fix, width, ink)
        elif self._is_forced and self.draft.is_over_dns:
            words = f"{text.name_shown(wildcards[0].value)} can be validated only through DNS." if wildcards else ""
            lines += marked("▲", "severity-yellow", words, width, ink) if words else []
        match proof:
            case "http-01":
                lines += marked("1", "key", "Port 80 of every name is reachable from the internet.", width, ink)
                lines += marked("2", "key", "The DNS records (A and AAAA) of every name point to this box.", width, ink)
                http01 = self.offer.config.http01 if self.offer is not None else Http01()
                lines += marked("●", "severity-green", _answered_by(http01), width, ink, of="text-muted")
            case "dns-provider":
                lines += self._provider_lines(width, ink)
            case "dns-by-hand":
                words = "You get all records at once, to set at your DNS provider; certdeck checks its name servers."
                lines += marked("1", "key", words, width, ink)
                lines += marked(
                    "2",
                    "key",
                    "The CA validates when all of them have every record. You may leave meanwhile.",
                    width,
                    ink,
                )
                lines += marked(
                    "▲", "severity-yellow", "It does not renew automatically: certdeck reminds you in time.", width, ink
                )
                out = "To change that: a provider; a CNAME of _acme-challenge into its zone; or one persistent record."
                lines += marked("→", "key", out, width, ink, of="text-muted")
            case "dns-persist-01":
                words = "You set one persistent record that allows your account at this CA to get certificates for the name."
                lines += marked("1", "key", words, width, ink)
                lines += marked("2", "key", "It stays. Renewals then need no DNS change.", width, ink)
                words = "Only some CAs support it (dns-persist-01). Others refuse the order, and nothing is lost."
                lines += marked("○", "text-muted", words, width, ink, of="text-muted")
            case _:
                words = "Nothing to do. Clients trust the certificate once the root of this box's CA is in their trust store."
                lines += marked("○", "text-muted", words, width, ink)
        return lines

    def _provider_lines(self, width: int, ink: Ink) -> list[Line]:
        entry = self.offer.provider(self.draft.dns) if self.offer is not None else None
        if entry is None:
            words = "enter opens the form of a provider, and comes back here. Nothing you entered is lost."
            return marked("·", "key", words, width, ink, of="text-muted")
        if entry.missing:
            words = f"{entry.name} is incomplete: h opens the DNS providers; fix it there with e."
            return marked("✖", "severity-red", words, width, ink)
        words = f"{entry.title} gets the records; certdeck checks all its name servers, then removes them."
        lines = marked("●", "severity-green", words, width, ink, of="text-muted")
        strangers = [
            text.name_shown(each.value)
            for each in self.draft.identifiers()
            if entry.zones and not any(is_below(each.value.removeprefix("*."), zone) for zone in entry.zones)
        ]
        if strangers:
            more = f" and {len(strangers) - _SERVED} more" if len(strangers) > _SERVED else ""
            outside = f"Not in a zone of {entry.name}: {', '.join(strangers[:_SERVED])}{more}."
            words = f"{outside} It works only with a CNAME into such a zone."
            lines += marked("▲", "severity-yellow", words, width, ink)
        return lines

    def _snippet_lines(self, width: int, ink: Ink) -> list[Line]:
        lines: list[Line] = []
        for line in self.snippet.splitlines():
            role = "text-muted" if line.startswith("#") else "foreground"
            indent = len(line) - len(line.lstrip())
            wrapped = wrap(line, width - 2 - indent)
            lines += [[("│ ", ink("faint")), (" " * indent + each, ink(role))] for each in wrapped]
        return lines

    # -- going on ------------------------------------------------------------------------------------------------------

    def proceed(self, go: Callable[[], None]) -> None:
        draft = self.draft
        if draft.proof == HTTP_01 and draft.wildcards:
            self.query_one("#method").focus()
            return
        if draft.proof == BY_PROVIDER:
            entry = self.offer.provider(draft.dns) if self.offer is not None else None
            if entry is None:
                self.wizard.action_add_provider()
                return
            if entry.missing:
                self.query_one("#providers").focus()
                return
        go()


def proof_shown(draft: Draft, offer: Offer | None) -> str:
    """Return a short description of the chosen proof."""
    if draft.proof == BY_PROVIDER:
        entry = offer.provider(draft.dns) if offer is not None else None
        return f"DNS, by {draft.dns}{f' ({entry.title})' if entry is not None else ''}"
    return next((title for key, title, _ in _METHODS if key == draft.proof), "")


def _provider_row(entry: DnsProviderInfo) -> Row:
    zones = ", ".join(map(text.name_shown, entry.zones)) or "any zone of the account"
    cells = (
        entry.name,
        (entry.title, "text-muted"),
        ("incomplete", "severity-red") if entry.missing else (zones, "text-muted"),
    )
    return Row(entry.name, cells)


def _answered_by(http01: Http01) -> str:
    if http01.mode == "webroot":
        return f"The file is put into {http01.webroot}, where your web server serves it (webroot, from certdeck.toml)."
    return f"certdeck itself responds on {http01.address}:{http01.port} during the order (from certdeck.toml)."
