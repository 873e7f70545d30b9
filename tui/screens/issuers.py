"""The issuers that can be ordered from, what each of them takes, and the accounts there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final

from msgspec.structs import replace
from textual import events, on
from textual.app import ComposeResult
from textual.message import Message

from core.errors import CertdeckError
from core.operations import AccountInfo, IssuerInfo, IssuerTest
from tui import text
from tui.actions import Situation, bindings, of_scope
from tui.screens.form import FORM_CSS
from tui.screens.page import Page, StatusRead
from tui.widgets.field import wrong
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import facts, marked
from tui.widgets.row_list import Column, Row, RowList
from tui.widgets.sheet import Sheet

_COLUMNS: Final = (Column("Issuer"), Column("Kind"), Column("Name", optional=True), Column("Account", flexible=True))
_KINDS: Final = {"acme": "ACME", "private-ca": "private CA of this box", "self-signed": "self-signed"}

Known = tuple[tuple[IssuerInfo, ...], tuple[AccountInfo, ...]]


class IssuersScreen(Page[None]):
    """The default one first; below the list, or beside it, everything about the chosen one."""

    SCOPE = "issuers"
    BINDINGS: ClassVar = bindings(of_scope("issuers", "page"))
    HELP_TEXT = (
        "The certificate authorities this box can order from, the default one first: those that certdeck knows by itself, and "
        "those of your configuration. What one of them does not take, the wizard does not offer.\n\n"
        "An account is made with the first order. A CA that wants an external account binding (EAB) gives its customers a key "
        "id and an HMAC key; keep them here first. A test reads the issuer's directory and changes nothing."
    )
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012
    AUTO_FOCUS = "RowList"
    CSS_PATH: ClassVar = [FORM_CSS, Path(__file__).parent / "tables.tcss"]

    page_title = "Issuers and accounts"

    def __init__(self) -> None:
        super().__init__()
        self._issuers: tuple[IssuerInfo, ...] = ()
        self._accounts: dict[str, AccountInfo] = {}
        self._said: dict[str, IssuerTest | CertdeckError | None] = {}
        """What a directory said; None while it is asked."""
        self._error: CertdeckError | None = None

    def body(self) -> ComposeResult:
        yield RowList(_COLUMNS, id="rows")
        yield Sheet(id="about")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#rows").border_title = "Issuers"
        self.read()

    # -- what is shown -----------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Ask the engine what there is."""
        self.bridge.ask(lambda: (self.engine.issuers(), self.engine.accounts()), self._read)

    def _read(self, answer: Known | CertdeckError) -> None:
        if not self.is_mounted:
            return
        self._error = answer if isinstance(answer, CertdeckError) else None
        if not isinstance(answer, CertdeckError):
            self._issuers = tuple(sorted(answer[0], key=lambda each: not each.is_default))
            self._accounts = {each.issuer: each for each in answer[1]}
        self.query_one("#rows", RowList).show([self._row(each) for each in self._issuers])
        self._show()
        self.refresh_actions()

    def heard(self, message: Message) -> None:
        if isinstance(message, StatusRead):
            self.read()

    @property
    def chosen(self) -> IssuerInfo | None:
        """The issuer under the cursor."""
        key = self.query_one("#rows", RowList).chosen
        return next((each for each in self._issuers if each.name == key), None)

    def situation(self) -> Situation:
        known, issuer = super().situation(), self.chosen if self.is_mounted else None
        return replace(known, row=issuer.name if issuer else "", row_kind=issuer.kind if issuer else "")

    def _row(self, issuer: IssuerInfo) -> Row:
        sign = ("●", "severity-green") if issuer.is_default else ("", "text-muted")
        title = f"{issuer.title} (default)" if issuer.is_default else issuer.title
        kind = {"acme": "ACME", "private-ca": "private"}.get(issuer.kind, issuer.kind)
        cells = (title, (kind, "text-muted"), (issuer.name, "text-muted"), _account_in_short(issuer))
        return Row(issuer.name, cells, sign)

    @on(RowList.Moved)
    def _on_moved(self) -> None:
        self._show()
        self.refresh_actions()

    def _show(self) -> None:
        sheet, issuer, error = self.query_one("#about", Sheet), self.chosen, self._error
        if error is not None:
            sheet.border_title = "The configuration cannot be read"
            sheet.write(lambda width, ink: wrong(error, width, ink))
        elif issuer is not None:
            sheet.border_title = text.printable(issuer.title)
            account, said = self._accounts.get(issuer.name), self._said.get(issuer.name)
            is_asked = issuer.name in self._said
            sheet.write(lambda width, ink: _about(issuer, account, said, width, ink, is_asked=is_asked))

    # -- actions -----------------------------------------------------------------------------------------------------

    def action_test(self) -> None:
        """Ask the directory."""
        issuer = self.chosen
        if issuer is None:
            return
        name = issuer.name
        self._said[name] = None

        def answered(answer: IssuerTest | CertdeckError) -> None:
            self._said[name] = answer
            if self.is_mounted:
                self._show()

        self.bridge.ask(lambda: self.engine.test_issuer(name), answered)
        self._show()

    def action_make_default(self) -> None:
        issuer = self.chosen
        if issuer is not None and not issuer.is_default:
            name = issuer.name
            self._change(lambda: self.engine.set_default_issuer(name), f"{issuer.title} is the default now.")

    def action_add(self) -> None:
        from tui.screens.issuer_forms import IssuerForm

        self.app.push_screen(IssuerForm(), self._saved)

    def action_set_eab(self) -> None:
        from tui.screens.issuer_forms import EabForm

        if self.chosen is not None:
            self.app.push_screen(EabForm(self.chosen), self._saved)

    def action_remove(self) -> None:
        issuer = self.chosen
        if issuer is None:
            return
        from tui.screens.dialogs.confirm import ConfirmDialog

        name, title = issuer.name, text.printable(issuer.title)

        def decided(agreed: bool | None) -> None:
            if agreed:
                self._change(
                    lambda: self.engine.remove_issuer(name), f"What the configuration said of {title} is gone."
                )

        words = "What the configuration says of it goes. One that certdeck knows by itself stays, as it was at the beginning."
        self.app.push_screen(ConfirmDialog(f"Remove {title}?", words, yes="Remove", danger=True), decided)

    def _saved(self, saved: bool | None) -> None:
        if saved:
            self.read()

    def _change(self, call: Callable[[], object], said: str) -> None:
        def answered(answer: object) -> None:
            if isinstance(answer, CertdeckError):
                self.deck.show_error(answer)
            else:
                self.notify(text.printable(said), markup=False)
            self.deck.refresh_status()

        self.bridge.ask(call, answered)

    def on_click(self, event: events.Click) -> None:
        if event.chain == 2 and isinstance(event.widget, RowList):
            self.action_test()


def _account_in_short(issuer: IssuerInfo) -> tuple[str, str]:
    if issuer.kind != "acme":
        return "none needed", "text-muted"
    if issuer.account_url is not None:
        return "ready", "foreground"
    return ("needs EAB", "severity-yellow") if issuer.needs_eab else ("with the first order", "text-muted")


def _about(
    issuer: IssuerInfo,
    account: AccountInfo | None,
    said: IssuerTest | CertdeckError | None,
    width: int,
    ink: Ink,
    *,
    is_asked: bool,
) -> list[Line]:
    """Return everything that is known of an issuer, what its directory said at the beginning where it was asked."""
    lines: list[Line] = []
    if is_asked:
        lines += [*_said_lines(said, width, ink), []]
    for note in issuer.notes:
        lines += marked("·", "text-muted", note, width, ink)
    if issuer.notes:
        lines.append([])
    takes = [
        f"{issuer.max_names:,} names",
        "wildcards" if issuer.wildcard else "no wildcards",
        "IP addresses" if issuer.ip else "no IP addresses",
    ]
    rows = [
        (
            "Name",
            f"{issuer.name}{', the default' if issuer.is_default else ''}{'' if issuer.built_in else ', from the configuration'}",
        ),
        ("Kind", _KINDS.get(issuer.kind, issuer.kind)),
        ("Directory", issuer.directory or ""),
        ("Takes", ", ".join(takes)),
        ("Keys", ", ".join(map(text.key_shown, issuer.key_types))),
        ("Rehearsal", f"with {issuer.staging}" if issuer.staging else "none" if issuer.kind == "acme" else ""),
        ("Binding", "an external account binding (EAB) is wanted" if issuer.needs_eab else ""),
        (
            "Terms",
            ("agreed to" if issuer.terms_agreed else "nobody has agreed to them yet") if issuer.kind == "acme" else "",
        ),
    ]
    lines += facts(rows, width, ink)
    if account is not None:
        made = text.moment(account.created) if account.created else ""
        lines += [[], [("Account", ink("frame-title", bold=True))]]
        lines += facts(
            [
                ("Address", account.url),
                ("Contact", account.contact or "none"),
                ("Key", f"{text.key_shown(account.key_type)}, thumbprint {account.thumbprint}"),
                ("Made", made),
            ],
            width,
            ink,
        )
    return lines


def _said_lines(said: IssuerTest | CertdeckError | None, width: int, ink: Ink) -> list[Line]:
    if said is None:
        return marked("◐", "bar-used", "Asking its directory …", width, ink)
    if isinstance(said, CertdeckError):
        return wrong(said, width, ink)
    skew = said.clock_skew_seconds
    clock = (
        ""
        if skew is None
        else "right"
        if abs(skew) < 5
        else f"{abs(skew)} s {'ahead of' if skew > 0 else 'behind'} the issuer's"
    )
    rows = [
        ("Terms", said.terms_of_service or "none"),
        ("Website", said.website or ""),
        ("CAA names", ", ".join(said.caa_identities)),
        ("Profiles", "\n".join(f"{name}: {words}" for name, words in said.profiles.items()) or "none"),
        ("Renewal", "suggests when to renew (ARI)" if said.ari else "suggests no renewal time"),
        ("Binding", "an external account binding (EAB) is wanted" if said.eab_required else "none wanted"),
        ("Our clock", clock),
    ]
    return [
        *marked("✔", "severity-green", f"Its directory answers, in {said.milliseconds} ms.", width, ink, bold=True),
        *facts(rows, width, ink),
        *(
            line
            for each in said.missing
            for line in marked("▲", "severity-yellow", f"{each.detail}. {each.fix}", width, ink)
        ),
    ]
