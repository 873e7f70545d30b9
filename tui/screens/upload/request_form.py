"""The form of a signing request: its names, its key, and other details that the CA asks for."""

from __future__ import annotations

from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from core.errors import CertdeckError, UsageError
from core.identifiers import lineage_name_for, parse_identifiers
from core.key_types import KEY_TYPES
from core.upload.values import CsrRequest, SigningRequest
from core.x509.subject import parse_subject, subject_text
from tui.screens.form import FormPage, wrong_name
from tui.widgets.field import Check, Field
from tui.widgets.one_of import OneOf
from tui.widgets.prose import Prose
from tui.wording import text

_SUBJECT: Final = (
    ("O", "Organization", "e.g. Acme Ltd"),
    ("L", "City", "e.g. Berlin"),
    ("ST", "State", "e.g. Bavaria"),
    ("C", "Country", "e.g. DE"),
)


class RequestForm(FormPage):
    """Creates a key and a signing request."""

    page_title = "New signing request"
    intro = "A certificate signing request (CSR): its private key is created here and stays here; only the request goes to the CA."

    def __init__(self, suggested: str = "", names: tuple[str, ...] = ()) -> None:
        """`suggested`, `names`: the preset name and domain names; the user can change them."""
        super().__init__()
        self._suggested, self._names = suggested, names
        self.value_of_name = ""
        """Its name, once it has been created."""

    def fields(self) -> ComposeResult:
        yield Field(
            "Names",
            value=" ".join(self._names),
            hint="e.g. shop.example.com www.shop.example.com",
            note="With *.example.com ask for example.com as well: a wildcard does not cover it.",
            check=_wrong_names,
            id="names",
        )
        yield Field("Called", value=self._suggested, hint="(default: its first name)", check=_wrong_called, id="called")
        with Horizontal(classes="line"):
            yield Static("Key", classes="label", markup=False)
            yield OneOf([(each, text.key_shown(each)) for each in KEY_TYPES], value=self._key_type(), id="key")
        for kind, label, hint in _SUBJECT:
            note = "Only if your CA requires it; most CAs insert what they have verified." if kind == "C" else ""
            yield Field(label, hint=hint, note=note, check=_part_of_subject(kind), id=f"subject-{kind}")

    def _key_type(self) -> str:
        try:
            return self.engine.config().defaults.key_type
        except CertdeckError:
            return KEY_TYPES[0]

    def save(self) -> None:
        self._make(replace=False)

    def _make(self, *, replace: bool) -> None:
        names = self.value("names").split()
        name = self.value("called") or lineage_name_for(parse_identifiers(names)[0])
        key_type = self.query_one("#key", OneOf).value
        given = tuple((kind, self.value(f"subject-{kind}")) for kind, _, _ in _SUBJECT)
        subject = subject_text(tuple((kind, value) for kind, value in given if value))
        self._saving = True
        verdict = self.query_one("#verdict", Prose)
        verdict.say("◐ Creating the key …")
        self.call_after_refresh(verdict.scroll_visible, animate=False)

        def answered(answer: SigningRequest | CertdeckError) -> None:
            self._saving = False
            if self not in self.app.screen_stack:
                return  # a large key takes long: the user has left the form and finds the request in the list
            if isinstance(answer, SigningRequest):
                self.value_of_name = answer.name
                self.dismiss(True)
            elif answer.details.get("needs") == "replace":
                self._ask_replace(answer)
            else:
                self.refuse(answer)

        wanted = CsrRequest(name, names, key_type, subject, replace)
        self.ask_to_change(lambda: self.engine.make_csr(wanted), answered)

    def _ask_replace(self, error: CertdeckError) -> None:
        from tui.screens.dialogs.confirm import ConfirmDialog

        def decided(agreed: bool | None) -> None:
            if agreed:
                self._make(replace=True)
            else:
                self.refuse(error)

        words = text.printable(f"{error.what} {error.why}")
        dialog = ConfirmDialog("Replace it?", words, yes="Replace", no="Keep", danger=True)
        self.app.push_screen(dialog, decided)


def _wrong_called(value: str) -> CertdeckError | None:
    return wrong_name(value) if value else None


def _wrong_names(value: str) -> CertdeckError | None:
    if not value:
        return UsageError(
            "The names are missing.", "A certificate needs at least one name.", "Enter them, separated by spaces."
        )
    try:
        parse_identifiers([value])
    except CertdeckError as exc:
        return exc
    return None


def _part_of_subject(kind: str) -> Check:
    """Return a check for one part of the subject; empty is valid."""

    def check(value: str) -> CertdeckError | None:
        try:
            if value:
                parse_subject(subject_text(((kind, value),)))
        except CertdeckError as exc:
            return exc
        return None

    return check
