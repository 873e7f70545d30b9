"""Step 2: how the CA is convinced that the names are ours, and what that needs (ST-11)."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Static

from core.config.model import Http01
from tui.screens.issue.draft import HTTP_01, NO_PROOF
from tui.screens.issue.step import Step
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, wrap
from tui.widgets.one_of import OneOf
from tui.widgets.prose import Prose, marked
from tui.widgets.row_list import Column, Row, RowList

_METHODS = (
    Row(HTTP_01, ("HTTP-01", ("the CA fetches a file from every name, over port 80", "text-muted"))),
    Row(NO_PROOF, ("No proof", ("the private CA of this box signs; nothing is asked from outside", "text-muted"))),
)


class ProofStep(Step):
    """HTTP-01, or an issuer that needs no proof."""

    TITLE = "Proof"
    HELP = (
        "Proof: a public CA wants to see that the names are yours. With HTTP-01 it fetches a file from port 80 of each of "
        "them, so that port must be reachable from the internet, and the names must lead here. The private CA of this box "
        "asks for nothing."
    )

    def compose(self) -> ComposeResult:
        yield RowList((Column("Method"), Column("How", flexible=True)), marking="one", titles=False, id="method")
        yield Prose(id="needs")
        yield Static(
            "Another web server has port 80? It needs these lines:", classes="label", id="snippet-label", markup=False
        )
        yield OneOf(id="server")
        yield Prose(id="snippet")

    def on_mount(self) -> None:
        self.query_one("#method", RowList).show(_METHODS)

    def enter(self) -> None:
        self.query_one("#method", RowList).choose(self.draft.proof)
        if self.offer is not None:
            server = self.query_one("#server", OneOf)
            server.offer([(name, name) for name in self.offer.snippets], server.value)
        self._show()

    def first(self) -> Widget | None:
        return self.query_one("#method")

    @on(RowList.Moved, "#method")
    def _on_chosen(self, message: RowList.Moved) -> None:
        message.stop()
        self.draft.proof = message.key
        self._show()
        self.wizard.refresh_actions()

    @on(OneOf.Changed, "#server")
    def _on_server(self, message: OneOf.Changed) -> None:
        message.stop()
        self._show()

    @property
    def snippet(self) -> str:
        """The lines for the chosen web server."""
        return self.offer.snippets.get(self.query_one("#server", OneOf).value, "") if self.offer is not None else ""

    def _show(self) -> None:
        over_http = self.draft.proof == HTTP_01
        for id in ("#snippet-label", "#server", "#snippet"):
            self.query_one(id).display = over_http and bool(self.snippet)
        http01 = self.offer.config.http01 if self.offer is not None else Http01()
        wildcards = [each.display for each in self.draft.identifiers() if each.wildcard]

        def needs(width: int, ink: Ink) -> list[Line]:
            if not over_http:
                words = "Nothing to do. Clients trust the certificate once the root of this box's CA is in their trust store."
                return [[], *marked("○", "text-muted", words, width, ink)]
            lines: list[Line] = [[]]
            if wildcards:
                words = f"A wildcard like {wildcards[0]} cannot be proven by HTTP-01."
                lines += marked("✖", "severity-red", words, width, ink)
                lines += marked(
                    "→", "key", "Go back and list the names one by one, or take the private CA of this box.", width, ink
                )
            lines += marked("1", "key", "Port 80 of every name is reachable from the internet.", width, ink)
            lines += marked("2", "key", "The DNS entries (A and AAAA) of every name lead to this box.", width, ink)
            return [*lines, *marked("●", "severity-green", _answered_by(http01), width, ink, of="text-muted")]

        def snippet(width: int, ink: Ink) -> list[Line]:
            lines: list[Line] = []
            for line in self.snippet.splitlines():
                role = "text-muted" if line.startswith("#") else "foreground"
                indent = len(line) - len(line.lstrip())
                wrapped = wrap(line, width - 2 - indent)
                lines += [[("│ ", ink("faint")), (" " * indent + each, ink(role))] for each in wrapped]
            return lines

        self.query_one("#needs", Prose).write(needs)
        self.query_one("#snippet", Prose).write(snippet)

    def proceed(self, go: Callable[[], None]) -> None:
        if self.draft.proof == HTTP_01 and any(each.wildcard for each in self.draft.identifiers()):
            self.query_one("#method").focus()
            return
        go()


def _answered_by(http01: Http01) -> str:
    if http01.mode == "webroot":
        return f"The file is put into {http01.webroot}, where your web server shows it (webroot, from certdeck.toml)."
    return (
        f"certdeck itself answers on {http01.address}:{http01.port} while the order is under way (from certdeck.toml)."
    )
