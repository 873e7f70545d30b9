"""The configured issuers, what each accepts, and the accounts with them."""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec import Struct

from core.errors import CertdeckError
from core.operations import AccountInfo, IssuerInfo, IssuerTest, PemView
from tui.actions import bindings, of_scope
from tui.screens.list_page import TestedListPage
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import facts, marked, to_do
from tui.widgets.row_list import Column, Row
from tui.wording import text

_KINDS: Final = {"acme": "ACME", "private-ca": "private CA of this box", "self-signed": "self-signed"}


class Known(Struct, frozen=True, kw_only=True):
    """An issuer, and its account if one exists."""

    issuer: IssuerInfo
    account: AccountInfo | None


class IssuersScreen(TestedListPage[Known, IssuerTest]):
    """The default issuer first; below or beside the list everything about the selected one."""

    SCOPE = "issuers"
    BINDINGS: ClassVar = bindings(of_scope("issuers", "page"))
    HELP_TEXT = (
        "The certificate authorities that this box can order from, the default one first: built-in ones and those of "
        "your configuration. The wizard offers only what an issuer supports.\n\n"
        "The first order creates an account. A CA that requires an external account binding (EAB) gives its "
        "customers a key ID and an HMAC key; enter them here first. A test reads the issuer's directory and changes "
        "nothing."
    )
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012
    COLUMNS = (
        Column("Issuer"),
        Column("Kind", optional=True),
        Column("Name", optional=True),
        Column("Account", flexible=True, least=20),
    )
    LIST_TITLE = "Issuers"
    TESTING = "Asking its directory …"

    page_title = "Issuers and accounts"

    def fetch(self) -> tuple[Known, ...]:
        accounts = {each.issuer: each for each in self.engine.accounts()}
        issuers = sorted(self.engine.issuers(), key=lambda each: not each.is_default)
        return tuple(Known(issuer=each, account=accounts.get(each.name)) for each in issuers)

    def name_of(self, item: Known) -> str:
        return item.issuer.name

    def kind_of(self, item: Known) -> str:
        return item.issuer.kind

    def title_of(self, item: Known) -> str:
        return item.issuer.title

    def row(self, item: Known) -> Row:
        issuer = item.issuer
        sign = ("●", "severity-green") if issuer.is_default else ("", "text-muted")
        title = f"{issuer.title} (default)" if issuer.is_default else issuer.title
        kind = {"acme": "ACME", "private-ca": "private"}.get(issuer.kind, issuer.kind)
        cells = (title, (kind, "text-muted"), (issuer.name, "text-muted"), _account_in_short(issuer))
        return Row(issuer.name, cells, sign)

    def about(self, item: Known, width: int, ink: Ink) -> list[Line]:
        return [*self.tested(item, width, ink), *_about(item, width, ink)]

    def test(self, name: str) -> IssuerTest:
        return self.engine.test_issuer(name)

    def found(self, answer: IssuerTest, width: int, ink: Ink) -> list[Line]:
        return _said_lines(answer, width, ink)

    # -- actions -----------------------------------------------------------------------------------------------------

    def action_make_default(self) -> None:
        issuer = self.chosen.issuer if self.chosen else None
        if issuer is not None and not issuer.is_default:
            name = issuer.name
            self.carry_out(lambda: self.engine.set_default_issuer(name), f"{issuer.title} is now the default.")

    def action_limits(self) -> None:
        """Show the rate limits of the issuer, and how much this box has used."""
        from tui.screens.issuer_limits import IssuerLimitsScreen

        if self.chosen is not None:
            self.app.push_screen(IssuerLimitsScreen(self.chosen.issuer))

    def action_compare(self) -> None:
        """Show all CAs side by side."""
        from tui.screens.issuer_compare import CompareIssuersScreen

        self.app.push_screen(CompareIssuersScreen())

    def action_add(self) -> None:
        from tui.screens.issuer_forms import IssuerForm

        self.open_form(IssuerForm())

    def action_change(self) -> None:
        """Open the form with the current settings of the issuer."""
        from tui.screens.issuer_forms import IssuerForm

        if self.chosen is None:
            return
        issuer = self.chosen.issuer
        try:
            known = self.engine.config().issuers.get(issuer.name)
        except CertdeckError as exc:
            self.deck.show_error(exc)
            return
        self.open_form(IssuerForm(issuer, known))

    def action_agree(self) -> None:
        """Show the address of the terms, and accept them after confirmation."""
        if self.chosen is None:
            return
        name, title = self.chosen.issuer.name, self.chosen.issuer.title

        def read(answer: IssuerTest | CertdeckError) -> None:
            if isinstance(answer, CertdeckError):
                self.deck.show_error(answer)
                return
            where = answer.terms_of_service
            words = f"They are at {text.printable(where)}." if where else "Its directory has no link to the terms."
            self.ask_first(
                f"Accept the terms of {title}?",
                f"{words} Orders from it need this agreement.",
                lambda: self.engine.agree_terms(name),
                f"You accepted the terms of {title}.",
                yes="Accept",
                danger=False,
            )

        self.ask(lambda: self.engine.test_issuer(name), read)

    def _account_of_chosen(self) -> AccountInfo | None:
        account = self.chosen.account if self.chosen else None
        if account is None:
            self.notify("The first order creates an account.", title="There is no account yet", markup=False)
        return account

    def action_contact(self) -> None:
        from tui.screens.issuer_forms import ContactForm

        if self.chosen is not None and (account := self._account_of_chosen()) is not None:
            self.open_form(ContactForm(self.chosen.issuer, account.contact or ""))

    def action_new_key(self) -> None:
        if self.chosen is None or self._account_of_chosen() is None:
            return
        name, title = self.chosen.issuer.name, self.chosen.issuer.title
        self.ask_first(
            f"New account key at {title}?",
            "The account stays; its key is replaced at the CA and in the vault.",
            lambda: self.engine.roll_over_account(name),
            "The account has a new key.",
            yes="New key",
            danger=False,
        )

    def action_import_account(self) -> None:
        from tui.screens.issuer_forms import AccountForm

        if self.chosen is not None:
            self.open_form(AccountForm(self.chosen.issuer))

    def action_deactivate(self) -> None:
        if self.chosen is None or self._account_of_chosen() is None:
            return
        name, title = self.chosen.issuer.name, self.chosen.issuer.title
        self.ask_first(
            f"Deactivate the account at {title}?",
            "This cannot be undone. Certificates stay valid; the next order creates a new account.",
            lambda: self.engine.deactivate_account(name),
            f"The account at {title} is deactivated.",
            yes="Deactivate",
        )

    def action_root(self) -> None:
        """Show the root certificate of the private CA, to copy or to save."""

        def read(answer: bytes | CertdeckError) -> None:
            from tui.screens.pem import PemScreen

            if isinstance(answer, CertdeckError):
                self.deck.show_error(answer)
            else:
                self.app.push_screen(PemScreen(PemView(name="private CA, root", fullchain=answer.decode(), sha256="")))

        self.ask(self.engine.export_ca_root, read)

    def action_set_eab(self) -> None:
        from tui.screens.issuer_forms import EabForm

        if self.chosen is not None:
            self.open_form(EabForm(self.chosen.issuer))

    def action_remove(self) -> None:
        if self.chosen is None:
            return
        name, title = self.chosen.issuer.name, self.chosen.issuer.title
        self.ask_first(
            f"Remove {title}?",
            "Its settings are removed. A built-in issuer stays, with its built-in settings.",
            lambda: self.engine.remove_issuer(name),
            f"The settings of {title} are removed.",
        )


def _account_in_short(issuer: IssuerInfo) -> tuple[str, str]:
    if issuer.kind != "acme":
        return "none needed", "text-muted"
    if issuer.account_url is not None:
        return "ready", "foreground"
    return ("needs EAB", "severity-yellow") if issuer.needs_eab else ("at first order", "text-muted")


def _about(known: Known, width: int, ink: Ink) -> list[Line]:
    """Return everything known about an issuer."""
    issuer, account = known.issuer, known.account
    lines: list[Line] = []
    for note in issuer.notes:
        lines += marked("·", "text-muted", note, width, ink)
    if issuer.notes:
        lines.append([])
    rows = [
        (
            "Name",
            f"{issuer.name}{', the default' if issuer.is_default else ''}{'' if issuer.built_in else ', from the configuration'}",
        ),
        ("Kind", _KINDS.get(issuer.kind, issuer.kind)),
        ("Directory", issuer.directory or ""),
        ("Takes", _takes(issuer)),
        ("Keys", text.keys_shown(issuer.key_types)),
        ("Rehearsal", f"with {issuer.staging}" if issuer.staging else "none" if issuer.kind == "acme" else ""),
        ("Binding", "external account binding (EAB) required" if issuer.needs_eab else ""),
        (
            "Terms",
            ("accepted" if issuer.terms_agreed else "not accepted yet: a accepts them")
            if issuer.kind == "acme"
            else "",
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


def _takes(issuer: IssuerInfo) -> str:
    """Return `100 names, wildcards, no IP addresses; not known: …`."""
    asked = (("wildcards", issuer.wildcard), ("IP addresses", issuer.ip))
    said = [
        f"{issuer.max_names:,} names",
        *(each if takes else f"no {each}" for each, takes in asked if takes is not None),
    ]
    unknown = " and ".join(each for each, takes in asked if takes is None)
    return f"{', '.join(said)}{f'; {unknown}: not known' if unknown else ''}"


def _said_lines(said: IssuerTest, width: int, ink: Ink) -> list[Line]:
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
        ("Binding", "external account binding (EAB) required" if said.eab_required else "none wanted"),
        ("Clock", clock),
    ]
    return [
        *marked("✔", "severity-green", f"Its directory responds in {said.milliseconds} ms.", width, ink, bold=True),
        *facts(rows, width, ink),
        *(
            line
            for each in said.missing
            for line in (*marked("▲", "severity-yellow", f"{each.detail}.", width, ink), *to_do(each.fix, width, ink))
        ),
    ]
