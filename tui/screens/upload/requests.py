"""Open signing requests: view, copy, save or delete them. Their keys are never shown (CL-15)."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from core.errors import CertdeckError
from core.upload.values import SigningRequest
from tui.actions import bindings, of_scope
from tui.screens.list_page import ListPage
from tui.screens.plain import print_plainly
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, wrap
from tui.widgets.prose import facts, marked
from tui.widgets.row_list import Column, Row
from tui.wording import text

_MOST_NAMES: Final = 20


class RequestsScreen(ListPage[SigningRequest]):
    """The open requests; below the list the selected one as text, and where to upload its certificate."""

    SCOPE = "requests"
    BINDINGS: ClassVar = bindings(of_scope("requests", "page"))
    HELP_TEXT = (
        "A CA without ACME needs a certificate signing request (CSR). It is created here together with a private key "
        "that never leaves this box. Only the request goes to the CA: copied, as a file, or printed on the terminal.\n\n"
        "When you have the certificate, upload it without a key: the key that was created here is found "
        "automatically. Once the certificate is in use, its request disappears from this list."
    )
    COLUMNS = (Column("Request"), Column("For", flexible=True), Column("Key", optional=True), Column("Made"))
    LIST_TITLE = "Open requests"
    EMPTY = (
        "No open request",
        "A signing request (CSR) is for a CA that issues certificates without ACME. Its key stays on this box.",
        "n creates one.",
    )
    UNREADABLE = "The requests cannot be read"

    page_title = "Signing requests"

    def __init__(self, suggested: str = "", names: tuple[str, ...] = ()) -> None:
        """`suggested`, `names`: the preset name and domain names of a new request."""
        super().__init__()
        self._suggested, self._names = suggested, names
        self._is_first = True

    def fetch(self) -> tuple[SigningRequest, ...]:
        return self.engine.csrs()

    def name_of(self, item: SigningRequest) -> str:
        return item.name

    def row(self, item: SigningRequest) -> Row:
        return _row(item)

    def about(self, item: SigningRequest, width: int, ink: Ink) -> list[Line]:
        return _about(item, width, ink)

    def was_read(self) -> None:
        """Open the form of a new request if none is open."""
        if self._is_first and not self.items and self.error is None:
            self.action_new()
        self._is_first = False

    # -- actions -----------------------------------------------------------------------------------------------------

    def action_new(self) -> None:
        from tui.screens.upload.request_form import RequestForm

        form = RequestForm(self._suggested, self._names)

        def made(is_made: bool | None) -> None:
            if is_made:
                self.read(form.value_of_name)
            elif not self.items and self.error is None:
                self.dismiss()

        self.app.push_screen(form, made)

    def action_copy(self) -> None:
        request = self.chosen
        if request is not None:
            self.app.copy_to_clipboard(request.pem)
            words = "Sent to your terminal's clipboard (OSC 52). If it does not arrive, p prints it plainly."
            self.notify(words, title="Copied", markup=False)

    def action_plain(self) -> None:
        request = self.chosen
        if request is not None:
            print_plainly(self.app, request.pem)

    def action_save_file(self) -> None:
        from tui.screens.dialogs.path import PathDialog

        request = self.chosen
        if request is None:
            return
        name = request.name

        def answered(path: Path | None) -> None:
            if path is not None:
                self.ask_to_change(
                    lambda: self.engine.write_csr(name, path), lambda answer: self._written(path, answer)
                )

        words = "The request as PEM, for the CA. An existing file is replaced."
        self.app.push_screen(PathDialog("Save the request", words, value=f"~/{name}.csr"), answered)

    def _written(self, path: Path, answer: object) -> None:
        if isinstance(answer, CertdeckError):
            words = text.printable(f"{answer.what} {answer.why} {answer.fix}")
            self.notify(words, title="Not saved", severity="error", markup=False)
        else:
            self.notify(text.printable(f"The request is in {path}."), title="Saved", markup=False)

    def action_forget(self) -> None:
        """Delete the request after confirmation."""
        if self.chosen is None:
            return
        name = self.chosen.name
        self.ask_first(
            f"Delete the request {name}?",
            "Its private key is deleted too. A certificate for it can no longer be used.",
            lambda: self.engine.remove_csr(name),
            "",
            yes="Delete",
            no="Keep",
        )


def _row(request: SigningRequest) -> Row:
    sign = ("▲", "severity-yellow") if request.advice else ("", "text-muted")
    made = (text.day(request.created), "text-muted")
    key = (text.key_shown(request.key_type), "text-muted")
    return Row(request.name, (request.name, text.names_shown(request.domains), key, made), sign)


def _about(request: SigningRequest, width: int, ink: Ink) -> list[Line]:
    """Return what the request is for, where to upload its certificate, and the request itself."""
    lines: list[Line] = []
    for advice in request.advice:
        lines += marked("▲", "severity-yellow", advice, width, ink)
    lines += facts(
        [
            ("Names", "  ".join(map(text.name_shown, request.domains[:_MOST_NAMES]))),
            ("Subject", request.subject),
            (
                "Then",
                "Send this text to the CA. When you have the certificate: u on the first screen; no key is needed.",
            ),
        ],
        width,
        ink,
    )
    lines.append([])
    for line in request.pem.splitlines():
        role = "text-muted" if line.startswith("-----") else "foreground"
        lines += [[(part, ink(role))] for part in wrap(text.printable(line), width)]
    return lines
