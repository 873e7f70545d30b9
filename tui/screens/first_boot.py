"""The self-signed certificate of a new box, for immediate HTTPS. Opens automatically if there is no certificate at all."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from textual.app import ComposeResult
from textual.message import Message

from core.errors import CertdeckError, UsageError
from core.identifiers import parse_identifier
from core.operations import FirstBoot
from tui.actions import bindings, of_scope
from tui.bridge import Operation, OperationFinished
from tui.screens.form import FORM_CSS, FormPage
from tui.widgets.field import Field
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import marked
from tui.widgets.result import result_lines
from tui.widgets.sheet import Sheet, Writer
from tui.wording import text


class FirstBootScreen(FormPage):
    """Asks for the names of the box, creates the certificate, and shows its fingerprint."""

    SCOPE = "first-boot"
    BINDINGS: ClassVar = [*bindings(of_scope("first-boot", "page"))]
    CSS_PATH: ClassVar = [FORM_CSS, Path(__file__).parent / "first_boot.tcss"]
    HELP_TEXT = (
        "Sets up HTTPS on this box before anything else: a self-signed certificate for its host name, its addresses, "
        "localhost, and the address that people open it by. It is deployed to every service that has no certificate "
        "yet.\n\n"
        "No CA has signed this certificate, so browsers show a warning. Compare its SHA-256 with the one in your "
        "browser before you continue, and issue a trusted certificate as soon as the names point to this box. You "
        "can run this again: it changes something only if the names have changed, and keeps the key."
    )
    tells_progress = False

    page_title = "First boot"
    intro = (
        "This box gets a self-signed certificate now, for its host name, its addresses and localhost, so that its services can "
        "use HTTPS at once. Browsers warn about it, because no CA has signed it. It is for setup and internal use, until a "
        "certificate from a CA replaces it."
    )

    def fields(self) -> ComposeResult:
        host, url = "", ""
        try:
            appliance = self.engine.config().appliance
            host, url = appliance.hostname or "", appliance.external_url or ""
        except CertdeckError:
            pass  # running it says what is wrong with the configuration
        yield Field(
            "Host name",
            value=host,
            hint=f"({self.engine.env.host.name()}, says the system)",
            note="The name of this box. Empty: the system's host name.",
            check=_wrong_host,
            id="hostname",
        )
        yield Field(
            "External URL",
            value=url,
            hint="e.g. https://box.example.com:8443",
            note="Its address in a browser, if that is another name. Empty: none.",
            check=_wrong_url,
            id="url",
        )
        yield Sheet(id="result")

    def on_mount(self) -> None:
        super().on_mount()
        self.operation: Operation | None = None
        self.query_one("#result").display = False

    def save(self) -> None:
        """Create the certificate."""
        hostname, url = self.value("hostname") or None, self.value("url") or None
        self.operation = self.bridge.start(
            "First boot",
            "creating the first certificate",
            lambda report, cancel: self.engine.first_boot(
                hostname=hostname, external_url=url, report=report, cancel=cancel
            ),
            lineage="default",
        )
        if self.operation is None:
            self.deck.say_busy()
            return
        self._result(
            "In progress",
            lambda width, ink: marked("◐", "bar-used", "Creating the key and the certificate …", width, ink),
        )

    def action_save(self) -> None:
        """Run the operation; when it succeeds, the page is done."""
        if self.operation is not None and isinstance(self.operation.result, FirstBoot):
            self.dismiss(True)
        elif self.operation is None or not self.operation.runs:
            super().action_save()

    def action_back(self) -> None:
        if self.operation is None or self.operation.outcome == "failed":
            super().action_back()
        else:
            self.dismiss(self.operation.outcome == "done")

    def heard(self, message: Message) -> None:
        if not isinstance(message, OperationFinished) or message.operation is not self.operation:
            return
        message.operation.seen = True
        made = message.operation.result
        if isinstance(made, FirstBoot):
            self.add_class("-made")
            self._result("Done", lambda width, ink: self._made_lines(made, width, ink))
            self.query_one("#result").focus()
        else:
            self.query_one("#result").display = False
            if message.operation.error is not None:
                self.refuse(message.operation.error)

    def _result(self, title: str, writer: Writer) -> None:
        result = self.query_one("#result", Sheet)
        result.display = True
        result.border_title = title
        result.write(writer)
        result.scroll_visible(animate=False)

    def _made_lines(self, made: FirstBoot, width: int, ink: Ink) -> list[Line]:
        status = made.status
        if made.created:
            headline = "The certificate was created."
        elif made.remade:
            headline = f"A new certificate was created with the same key. {made.why}".rstrip()
        else:
            names = ", ".join(text.printable(each) for each in made.new_targets)
            headline = "The certificate exists already. " + (
                f"It is deployed to {names} now." if names else "Nothing was changed."
            )
        lines = [*result_lines(status, headline, width, ink), []]
        if status.self_signed:
            words = "Browsers warn about it. Compare the SHA-256 with the one they show before you continue."
            lines += marked("▲", "severity-yellow", words, width, ink)
        if not status.targets:
            words = "Find the services of this box, and let them use it: B on the first screen."
            lines += marked("→", "key", words, width, ink)
        return [*lines, *marked("→", "key", "Next, issue a trusted one: i on the first screen.", width, ink)]


def _wrong_host(value: str) -> CertdeckError | None:
    if not value:
        return None
    try:
        parse_identifier(value)
    except CertdeckError as exc:
        return exc
    return None


def _wrong_url(value: str) -> CertdeckError | None:
    try:
        parts = urlsplit(value)
        if not value or (parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port)):
            return None
    except ValueError:
        pass  # a port that is no number, or brackets that do not close
    return UsageError(
        f"{value!r} is not a valid URL.",
        "It is the address of this box in a browser.",
        "Include the scheme, for example https://box.example.com:8443.",
    )
