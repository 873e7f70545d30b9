"""The forms of the issuers' screen: another issuer, and an external account binding."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult

from core.config.model import IssuerConfig
from core.errors import CertdeckError, UsageError
from core.input_file import read_secret_file
from core.operations import IssuerInfo
from core.secret_text import NotSecretText, secret_line
from tui.screens.form import FormPage, needed, wrong_name, wrong_path
from tui.widgets.field import Field
from tui.wording import text


class IssuerForm(FormPage):
    """Adds an issuer to the configuration."""

    page_title = "New issuer"
    intro = (
        "Another CA that speaks ACME (RFC 8555): a public one that certdeck does not know, or one within your company."
    )

    def fields(self) -> ComposeResult:
        yield Field(
            "Name", hint="e.g. company", note="What it is called here and in commands.", check=wrong_name, id="name"
        )
        yield Field(
            "Directory", hint="e.g. https://ca.example.com/acme/directory", check=_wrong_directory, id="directory"
        )
        yield Field("Title", hint="e.g. Example Company CA", note="How it is shown. Empty: its name.", id="title")
        yield Field(
            "CA bundle",
            hint="e.g. /etc/ssl/company-root.pem",
            note="The roots that its own HTTPS certificate is checked with. Empty: those of the system.",
            check=wrong_path,
            id="bundle",
        )
        yield Field(
            "E-mail",
            hint="e.g. admin@example.com",
            note="Where it may write to about problems. Empty: none.",
            id="email",
        )

    def save(self) -> None:
        name = self.value("name")
        config = IssuerConfig(
            directory=self.value("directory"),
            title=self.value("title") or None,
            ca_bundle=self.value("bundle") or None,
            email=self.value("email") or None,
        )
        self.keep(lambda: self.engine.add_issuer(name, config), f"{name} is added. x tests its directory.")


class EabForm(FormPage):
    """Keeps the key id and the HMAC key that a CA gave its customer."""

    page_title = "Account binding"
    intro = (
        "An external account binding ties the account of this box to yours at the CA. Its dashboard gives a key id and an HMAC "
        "key; the HMAC key goes into the vault and is never shown again."
    )

    def __init__(self, issuer: IssuerInfo) -> None:
        super().__init__()
        self._issuer = issuer
        self.page_detail = text.printable(issuer.title)

    def fields(self) -> ComposeResult:
        yield Field("Key id", check=needed("The key id", "kid-1"), id="kid")
        yield Field(
            "HMAC key", secret=True, note="As the CA gives it (base64url). Or name a file that holds it:", id="hmac"
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
        self.keep(lambda: self.engine.set_eab(name, kid=kid, hmac=hmac), f"The binding of {self.page_detail} is kept.")


def _wrong_directory(value: str) -> CertdeckError | None:
    if value.startswith("https://") and len(value) > len("https://"):
        return None
    return UsageError(
        "An ACME directory is an https address.",
        "It is spoken to over HTTPS only (RFC 8555 §6.1).",
        "Give it, for example https://ca.example.com/acme/directory.",
    )


def _content(path: str) -> str:
    """Return what a key file holds. Raises UsageError."""
    if not path:
        raise UsageError("The HMAC key is missing.", "Neither was it typed nor a file named.", "Do one of the two.")
    try:
        return secret_line(read_secret_file(Path(path))).strip().decode()
    except NotSecretText as exc:
        raise UsageError(f"{path} cannot be used.", str(exc), "Name a file that holds the HMAC key alone.") from exc
