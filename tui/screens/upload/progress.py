"""The progress of an upload, and at its end what is live now and what to do next."""

from __future__ import annotations

from textual.app import ComposeResult

from core.upload.values import Imported
from tui.bridge import Operation
from tui.screens.progress import ProgressScreen
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.order_progress import OrderProgress
from tui.widgets.prose import marked
from tui.widgets.result import result_lines
from tui.widgets.sheet import Sheet
from tui.wording import text


class UploadProgress(ProgressScreen):
    """The steps, as for any operation, with the result below them."""

    CSS = """
    UploadProgress OrderProgress, UploadProgress #told { height: 1fr; margin-top: 1; padding: 1 2; }
    UploadProgress #result { height: 1fr; margin-top: 1; display: none; }
    UploadProgress #told { display: none; }
    UploadProgress.-applied #result { display: block; }
    UploadProgress.-applied #steps { height: auto; max-height: 45%; }
    UploadProgress.-applied.-short #steps { display: none; }
    UploadProgress.-in-full #told { display: block; }
    UploadProgress.-in-full #steps, UploadProgress.-in-full #result { display: none; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-short"), (36, "-tall")]  # noqa: RUF012
    HELP_TEXT = (
        "The certificate is stored next to the previous one, deployed to each service, tested, reloaded, and checked "
        "over the network. If a service fails, the previous pair is restored on every service, and the reason is "
        "shown here; esc then goes back to your input."
    )

    def __init__(self, operation: Operation, had: int | None) -> None:
        """`had`: the version that was live before."""
        super().__init__(operation)
        self._had = had

    def body(self) -> ComposeResult:
        yield from super().body()
        yield Sheet(id="result")

    def _lead_on(self) -> None:
        """Close immediately if only a question is open: nothing has been done, and there is nothing to read."""
        error = self.operation.error
        if error is not None and error.details.get("needs") == "replace" and self.app.screen is self:
            self.operation.seen = True
            self.dismiss()
        else:
            super()._lead_on()

    def _show(self) -> None:
        super()._show()
        result = self.operation.result
        if not isinstance(result, Imported) or self.has_class("-applied"):
            return
        self.add_class("-applied")
        steps = self.query_one(OrderProgress)
        steps.show(self.operation.reports, self.deck.now(), "done", expects=self.operation.expects)
        sheet = self.query_one("#result", Sheet)
        sheet.border_title = "Upload applied"
        sheet.write(lambda width, ink: self._result(result, width, ink))
        sheet.focus()

    def _result(self, imported: Imported, width: int, ink: Ink) -> list[Line]:
        status = imported.status
        name = text.printable(status.name)
        headline = f"{name} has its new certificate."
        if imported.unchanged:
            headline = f"{name} already has this certificate; it was deployed again."
        lines = result_lines(status, headline, width, ink)
        lines += [[], [("What next", ink("frame-title", bold=True))]]
        for key, words in self._next(imported):
            lines += marked(key, "key", words, width, ink)
        return lines

    def _next(self, imported: Imported) -> list[tuple[str, str]]:
        status = imported.status
        found = [("·", "It does not renew automatically: upload a new one in time. The first screen reminds you.")]
        if self._had and not imported.unchanged:
            found.append(("·", f"b on the first screen rolls back to version {self._had}."))
        found.append(("·", "e on the first screen exports it, as PEM or PFX, for another machine."))
        if not status.targets:
            where = self.engine.paths.state / "live" / status.name
            found.append(("·", f"Services find it in {where}."))
        return found
