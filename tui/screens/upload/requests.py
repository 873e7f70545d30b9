"""Signing requests whose certificates have not come yet: looked at, copied, saved, forgotten. Their keys are not shown (CL-15)."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult

from core.errors import CertdeckError
from core.upload.values import SigningRequest
from tui import text
from tui.actions import Situation, bindings, of_scope
from tui.screens.form import FORM_CSS
from tui.screens.page import Page
from tui.screens.plain import print_plainly
from tui.widgets.field import wrong
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, wrap
from tui.widgets.prose import facts, marked
from tui.widgets.row_list import Column, Row, RowList
from tui.widgets.sheet import Sheet

_COLUMNS: Final = (Column("Request"), Column("For", flexible=True), Column("Key", optional=True), Column("Made"))
_MOST_NAMES: Final = 20


class RequestsScreen(Page[None]):
    """The open ones; below the list the chosen one as text, and where its answer goes."""

    SCOPE = "requests"
    BINDINGS: ClassVar = bindings(of_scope("requests", "page"))
    HELP_TEXT = (
        "A CA that is asked by hand wants a certificate signing request (CSR). It is made here together with a private key that "
        "never leaves this box: only the request goes to the CA, by copy, as a file, or plainly on the terminal.\n\n"
        "When the certificate comes, give it on the upload screen. No key is needed with it: the one that was made here is found "
        "by itself. Once the certificate is in use, its request is gone from this list."
    )
    AUTO_FOCUS = "RowList"
    CSS_PATH: ClassVar = [FORM_CSS, Path(__file__).parents[1] / "tables.tcss"]

    page_title = "Signing requests"

    def __init__(self, suggested: str = "", names: tuple[str, ...] = ()) -> None:
        """`suggested`, `names`: what a new request is called and is for, unless somebody types something else."""
        super().__init__()
        self._suggested, self._names = suggested, names
        self._requests: tuple[SigningRequest, ...] = ()
        self._error: CertdeckError | None = None
        self._is_first = True

    def body(self) -> ComposeResult:
        yield RowList(_COLUMNS, id="rows")
        yield Sheet(id="about")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#rows").border_title = "Open requests"
        self.read()

    # -- what is shown -----------------------------------------------------------------------------------------------

    def read(self, then: str | None = None) -> None:
        """Ask the engine what there is; `then`: the request to choose."""

        def answered(answer: tuple[SigningRequest, ...] | CertdeckError) -> None:
            if not self.is_mounted:
                return
            self._error = answer if isinstance(answer, CertdeckError) else None
            self._requests = () if isinstance(answer, CertdeckError) else answer
            rows = self.query_one("#rows", RowList)
            rows.show([_row(each) for each in self._requests])
            if then is not None:
                rows.choose(then)
            self._show()
            self.refresh_actions()
            if self._is_first and not self._requests and self._error is None:
                self.action_new()
            self._is_first = False

        self.bridge.ask(self.engine.csrs, answered)

    @property
    def chosen(self) -> SigningRequest | None:
        """The request under the cursor."""
        key = self.query_one("#rows", RowList).chosen
        return next((each for each in self._requests if each.name == key), None)

    def situation(self) -> Situation:
        request = self.chosen if self.is_mounted else None
        return replace(super().situation(), row=request.name if request else "")

    @on(RowList.Moved)
    def _on_moved(self) -> None:
        self._show()
        self.refresh_actions()

    def _show(self) -> None:
        sheet, request, error = self.query_one("#about", Sheet), self.chosen, self._error
        if error is not None:
            sheet.border_title = "The requests cannot be read"
            sheet.write(lambda width, ink: wrong(error, width, ink))
        elif request is not None:
            sheet.border_title = text.printable(request.name)
            sheet.write(lambda width, ink: _about(request, width, ink))
        else:
            sheet.border_title = "None is open"
            sheet.write(
                lambda width, ink: marked("○", "text-muted", "n makes one, for a CA that wants it.", width, ink)
            )

    # -- actions -----------------------------------------------------------------------------------------------------

    def action_new(self) -> None:
        from tui.screens.upload.request_form import RequestForm

        form = RequestForm(self._suggested, self._names)

        def made(is_made: bool | None) -> None:
            if is_made:
                self.read(form.value_of_name)
            elif not self._requests and self._error is None:
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
                self.bridge.ask(lambda: self.engine.write_csr(name, path), lambda answer: self._saved(path, answer))

        words = "The request as PEM, to be sent to the CA. A file that is there is replaced."
        self.app.push_screen(PathDialog("Save the request", words, value=f"~/{name}.csr"), answered)

    def _saved(self, path: Path, answer: object) -> None:
        if isinstance(answer, CertdeckError):
            words = text.printable(f"{answer.what} {answer.why} {answer.fix}")
            self.notify(words, title="Not saved", severity="error", markup=False)
        else:
            self.notify(text.printable(f"The request is in {path}."), title="Saved", markup=False)

    def action_forget(self) -> None:
        """Forget it, after asking."""
        from tui.screens.dialogs.confirm import ConfirmDialog

        request = self.chosen
        if request is None:
            return
        name = request.name

        def decided(agreed: bool | None) -> None:
            if agreed:
                self.bridge.ask(lambda: self.engine.remove_csr(name), self._forgotten)

        words = "Its private key is forgotten with it. A certificate that still comes for it would be of no use."
        title = text.printable(f"Forget the request {name}?")
        self.app.push_screen(ConfirmDialog(title, words, yes="Forget", no="Keep", danger=True), decided)

    def _forgotten(self, answer: object) -> None:
        if isinstance(answer, CertdeckError):
            words = text.printable(f"{answer.what} {answer.why} {answer.fix}")
            self.notify(words, title="Not forgotten", severity="error", markup=False)
        self.read()


def _row(request: SigningRequest) -> Row:
    sign = ("▲", "severity-yellow") if request.advice else ("", "text-muted")
    made = (text.day(request.created), "text-muted")
    key = (text.key_shown(request.key_type), "text-muted")
    return Row(request.name, (request.name, text.names_shown(request.domains), key, made), sign)


def _about(request: SigningRequest, width: int, ink: Ink) -> list[Line]:
    """Return what it is for, where its answer goes, and the request itself."""
    lines: list[Line] = []
    for advice in request.advice:
        lines += marked("▲", "severity-yellow", advice, width, ink)
    lines += facts(
        [
            ("Names", "  ".join(map(text.name_shown, request.domains[:_MOST_NAMES]))),
            ("Subject", request.subject),
            (
                "Then",
                "Give the CA this text. When its certificate comes: u on the first screen, no key is needed with it.",
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
