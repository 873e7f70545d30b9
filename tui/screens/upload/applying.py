"""Applying an upload: the questions before it, the operation, and the screen shown when it has ended."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from core.lineage_status import METHODS_WITHOUT_CA
from core.operations import LineageStatus
from core.upload.values import CheckResult, ImportRequest, Upload
from tui.bridge import Operation
from tui.screens.page import Page
from tui.wording import text


class Wanted(Struct, frozen=True, kw_only=True):
    """The upload to apply, as it was checked."""

    name: str
    upload: Upload
    targets: tuple[str, ...]
    lineage: LineageStatus | None
    """The existing lineage with that name, or None."""
    fetch_chain: bool
    overridden: tuple[CheckResult, ...] = ()
    """Failed checks that the user may override."""


class Applying:
    """Applies an upload for one screen. `begun` is called as soon as the operation runs."""

    def __init__(self, page: Page[None], begun: Callable[[Wanted], None]) -> None:
        self._page, self._begun = page, begun
        self.operation: Operation | None = None
        self._had: int | None = None

    def ask(self, wanted: Wanted) -> None:
        """Ask the necessary questions, then begin."""
        if not wanted.overridden:
            self._ask_for_lineage(wanted)
            return
        from tui.screens.dialogs.confirm import ConfirmDialog

        def decided(agreed: bool | None) -> None:
            if agreed:
                self._ask_for_lineage(wanted)

        failed = " ".join(f"{each.title}: {each.detail}" for each in wanted.overridden)
        words = f"You override: {failed} Services accept it, but their clients may not."
        dialog = ConfirmDialog("Apply it anyway?", text.printable(words), yes="Apply", danger=True)
        self._page.app.push_screen(dialog, decided)

    def _ask_for_lineage(self, wanted: Wanted) -> None:
        lineage = wanted.lineage
        if lineage is not None and lineage.method not in METHODS_WITHOUT_CA:
            self._ask_replace(wanted, so_far(lineage))
        else:
            self._begin(wanted, replace_method=False)

    def _ask_replace(self, wanted: Wanted, why: str) -> None:
        from tui.screens.dialogs.confirm import ConfirmDialog

        def decided(agreed: bool | None) -> None:
            if agreed:
                self._begin(wanted, replace_method=True)

        words = f"{why} An uploaded certificate does not renew automatically: upload a new one in time."
        title = text.printable(f"Replace {wanted.name} by an upload?")
        self._page.app.push_screen(ConfirmDialog(title, text.printable(words), yes="Replace", danger=True), decided)

    def _begin(self, wanted: Wanted, *, replace_method: bool) -> None:
        engine = self._page.engine
        request = ImportRequest(
            name=wanted.name,
            upload=wanted.upload,
            targets=wanted.targets,
            force=bool(wanted.overridden),
            fetch_chain=wanted.fetch_chain,
            replace=replace_method,
        )
        operation = self._page.bridge.start(
            f"Upload {wanted.name}",
            f"uploading {wanted.name}",
            lambda report, cancel: engine.import_upload(request, report=report, cancel=cancel),
            lineage=wanted.name,
            expects=wanted.targets,
        )
        if operation is None:
            self._page.deck.say_busy()
            return
        self.operation = operation
        self._had = wanted.lineage.version if wanted.lineage is not None else None
        self._begun(wanted)
        self.follow(wanted)

    def follow(self, wanted: Wanted | None = None) -> None:
        """Show the progress; after success the upload screen is closed."""
        from tui.screens.upload.progress import UploadProgress

        operation, page = self.operation, self._page
        if operation is None:
            return

        def left(_: None) -> None:
            if operation.outcome == "done":
                page.dismiss()
                if operation.lineage is not None:
                    page.deck.call_after_refresh(page.deck.go_to, operation.lineage)
            elif wanted is not None and _wants_an_answer(operation) and operation.error is not None:
                self._ask_replace(wanted, f"{operation.error.what} {operation.error.why}")

        page.app.push_screen(UploadProgress(operation, self._had), left)


def so_far(lineage: LineageStatus) -> str:
    """Return who has renewed a CA-issued lineage so far."""
    if text.is_manual(lineage):
        return f"{text.issuer_shown(lineage)} issues it now, and it is renewed manually: you set its DNS records."
    if not lineage.auto_renew:
        return f"{text.issuer_shown(lineage)} issues it now, and its automatic renewal is off."
    return f"{text.issuer_shown(lineage)} renews it now."


def _wants_an_answer(operation: Operation) -> bool:
    """Return whether it only asks for permission to replace something; nothing has been done in that case."""
    return operation.error is not None and operation.error.details.get("needs") == "replace"
