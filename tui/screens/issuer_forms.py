"""The forms of the issuers screen: an issuer, its account, and an external account binding."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace
from textual.app import ComposeResult

from core.config import rules
from core.config.model import IssuerConfig
from core.errors import CertdeckError, UsageError
from core.input_file import read_secret_file
from core.limit_table import as_line, from_line
from core.operations import IssuerInfo
from core.secret_text import NotSecretText, secret_line
from tui.screens.form import FormPage, needed, wrong_name, wrong_path
from tui.widgets.field import Field
from tui.wording import text


class IssuerForm(FormPage):
    """Adds an issuer to the configuration or changes one; settings that the form does not show are kept."""

    intro = "A CA with ACME (RFC 8555): a public one that is not built in, or one within your company."

    def __init__(self, issuer: IssuerInfo | None = None, config: IssuerConfig | None = None) -> None:
        """`issuer`: the issuer to change; `config`: its current settings."""
        super().__init__()
        self._issuer, self._config = issuer, config or IssuerConfig()
        self.page_title = "Change an issuer" if issuer else "New issuer"
        self.page_detail = text.printable(issuer.title) if issuer else ""

    def fields(self) -> ComposeResult:
        known, issuer = self._config, self._issuer
        name = Field(
            "Name",
            value=issuer.name if issuer else "",
            hint="e.g. company",
            note="Its name here and in commands.",
            check=wrong_name,
            id="name",
        )
        name.display = issuer is None
        yield name
        yield Field(
            "Directory",
            value=known.directory or (issuer.directory if issuer else "") or "",
            hint="e.g. https://ca.example.com/acme/directory",
            check=_wrong_directory,
            id="directory",
        )
        yield Field(
            "Title",
            value=known.title or "",
            hint="e.g. Example Company CA",
            note="How it is shown. Empty: its name.",
            id="title",
        )
        yield Field(
            "CA bundle",
            value=known.ca_bundle or "",
            hint="e.g. /etc/ssl/company-root.pem",
            note="The roots for verifying its HTTPS certificate. Empty: those of the system.",
            check=wrong_path,
            id="bundle",
        )
        yield Field(
            "E-mail",
            value=known.email or "",
            hint="e.g. admin@example.com",
            note="The address for messages about problems. Empty: none.",
            id="email",
        )
        yield Field(
            "Limits",
            value=as_line(known.limits),
            hint="e.g. orders=300/3h, certificates_per_domain=50/7d",
            note="The limits to count against, or an issuer that has the same ones. Empty: the built-in ones.",
            check=_wrong_limits,
            id="limits",
        )

    def save(self) -> None:
        name = self.value("name")
        directory = self.value("directory")
        is_built_in = self._issuer is not None and self._issuer.built_in and directory == self._issuer.directory
        config = replace(
            self._config,
            directory=self._config.directory if is_built_in else directory,
            title=self.value("title") or None,
            ca_bundle=self.value("bundle") or None,
            email=self.value("email") or None,
            limits=from_line(self.value("limits")),
        )
        self.keep_unless_there(
            name,
            lambda: self._issuer is None and any(each.name == name for each in self.engine.issuers()),
            lambda: self.engine.add_issuer(name, config),
            f"{name} is saved. x tests its directory.",
        )


class ContactForm(FormPage):
    """Changes the contact address of an account."""

    page_title = "Account contact"
    intro = "The address that the CA may write to about problems. Empty: none."

    def __init__(self, issuer: IssuerInfo, contact: str) -> None:
        super().__init__()
        self._issuer, self._contact = issuer, contact.removeprefix("mailto:")
        self.page_detail = text.printable(issuer.title)

    def fields(self) -> ComposeResult:
        yield Field("E-mail", value=self._contact, hint="e.g. admin@example.com", id="email")

    def save(self) -> None:
        name, email = self._issuer.name, self.value("email") or None
        self.keep(lambda: self.engine.set_account_contact(name, email), "The contact is saved at the CA.")


class AccountForm(FormPage):
    """Imports the account of another client from its key."""

    page_title = "Import an account"
    verb = "Import"
    intro = "The account key of another ACME client: PEM, or JWK as certbot, acme.sh and lego store it. The file is not changed."

    def __init__(self, issuer: IssuerInfo) -> None:
        super().__init__()
        self._issuer = issuer
        self.page_detail = text.printable(issuer.title)

    def fields(self) -> ComposeResult:
        yield Field("Key file", hint="e.g. /etc/letsencrypt/accounts/…/private_key.json", check=_wanted_path, id="file")
        yield Field("Passphrase", secret=True, note="Only for a protected key.", id="passphrase")

    def save(self) -> None:
        name = self._issuer.name
        try:
            key = read_secret_file(Path(self.value("file")))
        except CertdeckError as exc:
            self.refuse(exc)
            return
        passphrase = self.value("passphrase").encode() or None
        has_account = self._issuer.account_url is not None
        self.keep_unless_there(
            f"An account at {self.page_detail}",
            lambda: has_account,
            lambda: self.engine.import_account(name, key, replace=has_account, passphrase=passphrase),
            "The account is imported.",
        )


def _wanted_path(value: str) -> CertdeckError | None:
    return needed("The key file", "/root/account.pem")(value) or wrong_path(value)


class EabForm(FormPage):
    """Stores the key id and the HMAC key that a CA issued to its customer."""

    page_title = "Account binding"
    intro = (
        "An external account binding links the account of this box to your account at the CA. The CA's dashboard shows a key ID "
        "and an HMAC key. The HMAC key is stored in the vault and never shown again."
    )

    def __init__(self, issuer: IssuerInfo) -> None:
        super().__init__()
        self._issuer = issuer
        self.page_detail = text.printable(issuer.title)

    def fields(self) -> ComposeResult:
        yield Field("Key ID", check=needed("The key ID", "kid-1"), id="kid")
        yield Field(
            "HMAC key", secret=True, note="As shown by the CA (base64url). Or give a file that contains it:", id="hmac"
        )
        yield Field("File", hint="e.g. /root/eab.txt", check=wrong_path, id="file")

    def save(self) -> None:
        typed, path = self.value("hmac"), self.value("file")
        try:
            hmac = (typed or _content(path)).encode()
        except CertdeckError as exc:
            self.refuse(exc)
            return
        kid, name = self.value("kid"), self._issuer.name
        self.keep(lambda: self.engine.set_eab(name, kid=kid, hmac=hmac), f"The binding of {self.page_detail} is saved.")


def _wrong_directory(value: str) -> CertdeckError | None:
    if value.startswith("https://") and len(value) > len("https://"):
        return None
    return UsageError(
        "An ACME directory is an https address.",
        "ACME works over HTTPS only (RFC 8555 §6.1).",
        "Enter it, for example https://ca.example.com/acme/directory.",
    )


def _wrong_limits(value: str) -> CertdeckError | None:
    limits = from_line(value)
    wrong = rules.limits(limits) if limits else None
    return None if wrong is None else UsageError("These limits cannot be used.", f"{wrong[0]}.", wrong[1])


def _content(path: str) -> str:
    """Return the content of a key file. Raises UsageError if it cannot be used."""
    if not path:
        raise UsageError(
            "The HMAC key is missing.", "It was not entered, and no file was given.", "Enter it, or give a file."
        )
    try:
        return secret_line(read_secret_file(Path(path))).strip().decode()
    except NotSecretText as exc:
        raise UsageError(f"{path} cannot be used.", str(exc), "Choose a file that contains only the HMAC key.") from exc
