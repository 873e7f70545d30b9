"""The upload screen: one input box, immediate checks, old and new side by side, then applied as one transaction."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from msgspec.structs import replace
from textual import events, on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input

from core.errors import CertdeckError
from core.operations import LineageStatus, TargetInfo
from core.upload.values import Upload, UploadCheck
from tui.actions import Situation, bindings, of_scope
from tui.bridge import OperationFinished
from tui.deck import Deck
from tui.screens.asking import AskingPage
from tui.screens.form import FORM_CSS, wrong_name
from tui.screens.page import Page
from tui.screens.upload.applying import Applying, Wanted
from tui.screens.upload.box import NameField, Pasted, PathLine, UploadBox
from tui.screens.upload.checklist import Standing, counts, standing
from tui.screens.upload.given import Piece, source
from tui.screens.upload.inspection import PAUSE_SECONDS, Given, Inspection
from tui.screens.upload.naming import prefilled
from tui.screens.upload.panels import checks_panel, compare_panel, found_line, services_words
from tui.screens.upload.passphrase import PassphraseAsking
from tui.screens.upload.services import ServicesDialog, ServicesLine
from tui.widgets.field import Field
from tui.widgets.prose import Prose, marked
from tui.widgets.sheet import Sheet
from tui.wording import text

_CALLED: Final = "(default: its first name)"


class UploadScreen(AskingPage[None]):
    """One box, one checklist, one comparison."""

    SCOPE = "upload"
    BINDINGS: ClassVar = [
        *bindings(of_scope("upload", "page")),
        # If no field has the focus, a mistyped key would discard the input.
        Binding("q", "back", show=False),
        # With priority: otherwise text typed right after the key would still reach the previous field.
        Binding("up", "next_field(-1)", show=False, priority=True),
        Binding("down", "next_field(1)", show=False, priority=True),
    ]
    HELP_TEXT = (
        "Uploads a certificate that was bought or comes from another PKI. Paste everything into the box, or type the path of a "
        "file (Tab completes it, ^o asks for it): PEM, DER, PFX or PKCS#7, in one piece or several, in any order. The parts are "
        "recognized and put in order. Nothing of a paste is shown, only what it is.\n\nEach check shows its result. A warning "
        "lets you apply; a failure does not. Beside the checks you see what the services have now and what they would have then. "
        "If part of the chain is missing and the certificate names its address, ^l downloads it; nothing else is "
        "downloaded.\n\nFor a CA that needs a signing request (CSR), ^r makes one. Its key stays on this box and is found "
        "automatically.\n\nApply keeps the old pair, puts the new one onto every service, tests, reloads and checks what is "
        "served. If a step fails, the old pair is restored and your input is still here."
    )
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012
    AUTO_FOCUS = "PathLine"
    CSS_PATH: ClassVar = [FORM_CSS, Path(__file__).parent / "upload.tcss"]

    page_title = "Upload"

    def __init__(self, lineage: LineageStatus | None = None) -> None:
        """`lineage`: the lineage under the cursor."""
        super().__init__()
        self._suggested = prefilled(lineage)
        self._targets: tuple[TargetInfo, ...] = ()
        self._chosen: tuple[str, ...] | None = None
        """The services that the user ticked; None: those of the lineage."""
        self._check: UploadCheck | CertdeckError | None = None
        self._upload: Upload | None = None
        """The checked input. This is what is applied, even if a file has changed since."""
        self._pieces: tuple[Piece, ...] = ()
        """What the passphrase is for."""
        self._fetches = False
        """The user asked to fetch the missing part of the chain."""
        self._passphrase = PassphraseAsking(self, lambda: self._look_soon(0.01))
        self._inspection = Inspection(self, self._given, self._keep, self._show_found)
        self._apply_then = False
        """Ctrl+S was pressed before the checks had finished."""
        self._applying = Applying(self, self._begun)

    @classmethod
    def opened_from(cls, deck: Deck) -> UploadScreen | None:
        """Open the screen for the certificate under the cursor, if it applies; the app's keys do not check this themselves."""
        if not isinstance(deck.screen, Page):
            return None
        situation = deck.screen.situation()
        applies = next(each.applies for each in of_scope("app") if each.id == "upload")
        return cls(situation.lineage) if applies(situation) else None

    # -- the parts ---------------------------------------------------------------------------------------------------

    def body(self) -> ComposeResult:
        yield UploadBox(id="box")
        yield Prose(id="found")
        with Horizontal(id="panels"):
            yield Sheet(id="checks")
            yield Sheet(id="compare")
        # The fallback certificate is kept for emergencies: an upload takes over its services, not its name.
        if self._suggested == self._fallback:
            self._suggested = ""
        yield NameField("Certificate", value=self._suggested, hint=_CALLED, check=self._wrong_name, id="name")
        yield ServicesLine(id="services")
        yield Prose(id="standing")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#checks").border_title = "Checks"
        self.query_one("#compare").border_title = "Now → then"
        status = self.deck.status
        known = [each.name for each in status.lineages] if status else []
        self.query_one("#name Input", Input).suggester = SuggestFromList(known)
        self.ask(self.engine.targets, self._listed)
        self._show()

    @staticmethod
    def _wrong_name(value: str) -> CertdeckError | None:
        return wrong_name(value) if value else None

    def _listed(self, answer: tuple[TargetInfo, ...] | CertdeckError) -> None:
        if self.is_mounted:
            self._targets = () if isinstance(answer, CertdeckError) else answer
            self._show()

    # -- what it is for ------------------------------------------------------------------------------------------------

    @property
    def called(self) -> str | None:
        """The name of the lineage that gets it: as typed, else as suggested by the certificate."""
        typed = self._typed_name
        if typed:
            return typed
        check = self._check
        found = check.certificate if isinstance(check, UploadCheck) else None
        return found.name if found is not None else None

    @property
    def _typed_name(self) -> str:
        return self.query_one("#name", Field).value if self.is_mounted else self._suggested

    @property
    def lineage(self) -> LineageStatus | None:
        """The existing lineage with that name, or None."""
        status, name = self.deck.status, self.called
        return next((each for each in status.lineages if each.name == name), None) if status else None

    @property
    def services(self) -> tuple[str, ...]:
        """The targets that get it. For a new lineage: those without a certificate, or with only the fallback certificate."""
        if self._chosen is not None:
            return self._chosen
        lineage = self.lineage
        if lineage is not None:
            return tuple(target.name for target in lineage.targets)
        return tuple(target.name for target in self._targets if target.lineage in (None, self._fallback))

    @property
    def _fallback(self) -> str:
        try:
            return self.engine.config().defaults.fallback_certificate
        except CertdeckError:
            return ""

    def situation(self) -> Situation:
        return replace(super().situation(), row_kind=_kind(self._check, fetches=self._fetches))

    # -- looking at it -------------------------------------------------------------------------------------------------

    def _look_soon(self, delay: float = PAUSE_SECONDS) -> None:
        self._inspection.soon(delay)

    def _given(self) -> Given:
        typed = self._typed_name
        name = typed if typed and wrong_name(typed) is None else None
        return Given(self.query_one(UploadBox).pieces(), name, self._passphrase.value, self._fetches)

    def _keep(self, upload: Upload | None, check: UploadCheck | CertdeckError | None) -> None:
        self._upload, self._check = upload, check
        if isinstance(check, UploadCheck) and self._is_another(check):
            # Check again under its own name: replacing another certificate is a decision that requires its name.
            self._suggested = self.query_one("#name", Field).value = ""
        if check is None:
            self._apply_then = False
        self._show()
        if isinstance(check, UploadCheck) and check.passphrase:
            self._passphrase.checked(check.passphrase)
        if self._apply_then:
            self._apply_then = False
            self.action_apply()

    def _is_another(self, check: UploadCheck) -> bool:
        """Return whether it shares no name with the certificate under the cursor, which was not chosen explicitly."""
        if not self._suggested or self._typed_name != self._suggested or not (check.certificate and check.current):
            return False
        return not {*check.certificate.domains} & {*check.current.domains}

    @property
    def is_pending(self) -> bool:
        """Whether the input has changed since the last check."""
        return self._inspection.is_pending

    # -- what is shown -------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        check = self._check
        self._show_found()
        checks = self.query_one("#checks", Sheet)
        checks.write(checks_panel(check))
        checks.border_subtitle = counts(check) if isinstance(check, UploadCheck) else ""
        compare = self.query_one("#compare", Sheet)
        is_new = isinstance(check, UploadCheck) and check.certificate is not None and check.current is None
        compare.border_title = "New" if is_new else "Now → then"
        compare.write(compare_panel(check))
        self._show_services()
        self._show_standing()
        self._show_title()
        self.refresh_actions()

    def _show_found(self) -> None:
        where = source(self.query_one(UploadBox).pieces())
        self.query_one("#found", Prose).write(found_line(self._check, where, is_looking=self._inspection.is_looking))

    def _show_services(self) -> None:
        self.query_one(ServicesLine).show(*services_words(self.services, self._targets, self.called))

    def _standing(self) -> Standing:
        fault = ""
        typed = self._typed_name
        error = wrong_name(typed) if typed else None
        if error is not None:
            fault = f"{error.what} {error.why} {error.fix}"
        unread = self.query_one(UploadBox).fault
        if unread:
            fault = f"the text in the box is not a file that can be added. {unread}"
        return standing(self._check, fault=fault, busy=self.bridge.busy)

    def _show_standing(self) -> None:
        now = self._standing()
        self.query_one("#standing", Prose).write(
            lambda width, ink: marked(now.sign, now.role, now.words, width, ink, of="foreground")[:2]
        )

    def _show_title(self) -> None:
        name, services = self.called, self.services
        self.query_one("#name Input", Input).placeholder = f"{name}  (unless you enter another)" if name else _CALLED
        served = f", served by {text.listed(services)}" if services else ""
        self.page_detail = text.printable(f"to {name}{served}") if name else ""
        self.refresh_frame()

    def hidden(self) -> tuple[str, ...]:
        """Hide Apply if it would do nothing."""
        now = self._standing()
        return () if now.allowed or now.overridable else ("apply",)

    # -- news ----------------------------------------------------------------------------------------------------------

    @on(UploadBox.Changed)
    def _on_given(self, message: UploadBox.Changed) -> None:
        message.stop()
        pieces = self.query_one(UploadBox).pieces()
        if pieces != self._pieces:
            self._pieces = pieces
            self._passphrase.forget()
            self._fetches = False
        self._show_standing()
        self._look_soon()

    @on(Pasted)
    def _on_pasted(self, message: Pasted) -> None:
        message.stop()
        self.query_one(UploadBox).add_text(message.text)

    def on_paste(self, event: events.Paste) -> None:
        """Take a paste wherever the focus is."""
        event.stop()
        event.prevent_default()  # the page itself would report that there is no field
        self.query_one(UploadBox).add_text(event.text)

    @on(Field.Changed, "#name")
    def _on_named(self, message: Field.Changed) -> None:
        message.stop()
        self._chosen = None
        self._show_services()
        self._show_standing()
        self._show_title()
        self._look_soon()

    @on(Input.Submitted, "#name Input")
    def _on_name_left(self, message: Input.Submitted) -> None:
        message.stop()
        self.action_next_field(1)

    @on(ServicesLine.Opened)
    def _on_services(self, message: ServicesLine.Opened) -> None:
        message.stop()

        def chosen(targets: tuple[str, ...] | None) -> None:
            if targets is not None:
                self._chosen = targets
                self._show()

        if self._targets:
            self.app.push_screen(ServicesDialog(self.called or "", self._targets, self.services), chosen)
        else:
            self.notify("The screen Targets (y on the first screen) adds services.", markup=False)

    def heard(self, message: Message) -> None:
        if isinstance(message, OperationFinished) and message.operation is self._applying.operation:
            if message.operation.outcome == "done" and self.is_current:
                self._applying.follow()
            elif message.operation.outcome == "failed":
                self._look_soon()
        self._show_standing()

    # -- actions -------------------------------------------------------------------------------------------------------

    def action_next_field(self, step: int) -> None:
        """Move to the next field, skipping the read-only panels."""
        if isinstance(self.focused, Sheet):
            raise SkipAction  # it scrolls
        fields = [self.query_one(PathLine), self.query_one("#name Input", Input), self.query_one(ServicesLine)]
        here = next((number for number, field in enumerate(fields) if field.has_focus), 0)
        self.set_focus(fields[max(min(here + step, len(fields) - 1), 0)])

    def action_choose_file(self) -> None:
        from tui.screens.dialogs.path import PathDialog

        def chosen(path: Path | None) -> None:
            if path is not None:
                self.query_one(UploadBox).add_path(str(path))

        words = "A certificate, a chain, a key, or a bundle of them. Tab completes the path."
        self.app.push_screen(PathDialog("Add a file", words, must_exist=True), chosen)

    def action_apply(self) -> None:
        """Apply the upload, or show why not. If the checks are still running, wait for them."""
        if self.is_pending:
            self._apply_then = True
            return
        now, name = self._standing(), self.called
        if name is None or self._upload is None or not (now.allowed or now.overridable):
            self.notify(text.printable(now.words), title="Not applied", severity="warning", markup=False)
            return
        check, lineage = self._check, self.lineage
        failures = check.failures if isinstance(check, UploadCheck) else ()
        self._applying.ask(
            Wanted(
                name=name,
                upload=self._upload,
                targets=self.services,
                lineage=lineage,
                fetch_chain=self._fetches,
                overridden=failures,
            )
        )

    def _begun(self, wanted: Wanted) -> None:
        # If it fails, the lineage may exist without services: another attempt must use the same services.
        self._chosen = wanted.targets

    def action_passphrase(self) -> None:
        """Ask for the passphrase again, with three new attempts."""
        self._passphrase.ask_again()

    def action_fetch_chain(self) -> None:
        """Check again, and fetch the missing part of the chain."""
        self._fetches = True
        self._look_soon(0.01)

    def action_requests(self) -> None:
        """Show the open signing requests, or the form of a new one."""
        from tui.screens.upload.requests import RequestsScreen

        lineage = self.lineage
        self.app.push_screen(RequestsScreen(self._typed_name, lineage.domains if lineage is not None else ()))

    def action_back(self) -> None:
        """Leave; ask first if input would be lost."""
        if self.query_one(UploadBox).is_empty:
            self.dismiss()
            return
        from tui.screens.dialogs.confirm import ConfirmDialog

        def decided(agreed: bool | None) -> None:
            if agreed:
                self.dismiss()

        words = "Your input is discarded. Nothing was changed."
        self.app.push_screen(ConfirmDialog("Leave?", words, yes="Leave", no="Stay", danger=True), decided)


def _kind(check: UploadCheck | CertdeckError | None, *, fetches: bool) -> str:
    """Return what an upload lacks, as the kind of the row that decides about keys."""
    if not isinstance(check, UploadCheck):
        return "no certificate"
    if check.passphrase:
        return "protected"
    if check.can_be_fetched:
        return "incomplete"
    if not check.chain_state:
        return "no certificate"
    if check.chain_state not in ("incomplete", "open"):
        return ""
    return "fetched" if fetches else "no address"
