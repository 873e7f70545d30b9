"""The web settings of one target: TLS, HSTS, security headers, the redirect, and the lines in the server's configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace
from textual.message import Message

from core.web.answers import HeaderSeen
from core.web.shown import Listener, WebFile, WebState
from tui.actions import Situation, bindings, of_scope
from tui.bridge import OperationFinished
from tui.screens.list_page import ListPage
from tui.screens.operations import ask_then
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, cut, wrap
from tui.widgets.prose import facts, marked
from tui.widgets.row_list import Column, Row
from tui.wording import text
from tui.wording.text import MARKS
from tui.wording.web import REDIRECTS, STATES, header_words, headers_words


class Part(Struct, frozen=True, kw_only=True):
    """One setting, shown as a row."""

    id: str
    title: str
    state: str
    mark: str
    words: tuple[str, ...] = ()
    """The explanation, in paragraphs."""
    headers: tuple[HeaderSeen, ...] = ()
    lines: tuple[str, ...] = ()
    """The lines of a file, as they would be written."""


class WebScreen(ListPage[Part]):
    """The settings and what the server actually sends; `a` applies the settings."""

    SCOPE = "web"
    BINDINGS: ClassVar = bindings(of_scope("web", "page"))
    HELP_TEXT = (
        "TLS settings, security headers and the redirect to HTTPS of nginx, Apache httpd, HAProxy and Caddy. Each "
        "row shows what is set and what the server sends now; the last rows show the lines for each configuration "
        "file.\n\n"
        "HSTS tells browsers to use only HTTPS, and cannot be undone before its time is over. It therefore starts "
        "with five minutes and rises to a year within a month, each time with a scheduled run. A change is tested "
        "before the server reloads; if anything fails, the previous configuration is restored. [web] in "
        "certdeck.toml has hsts, redirect and http_port."
    )
    COLUMNS: ClassVar = (Column("Setting"), Column("Now", flexible=True))
    LIST_TITLE = "Web settings"
    UNREADABLE = "The web settings cannot be read"
    EMPTY: ClassVar = ("Looking", "Reading the server's configuration, and checking what it sends …")
    page_title = "Web settings"

    def __init__(self, target: str) -> None:
        super().__init__()
        self._target = target
        self.page_detail = text.printable(target)
        self._state: WebState | None = None
        """The last answer."""

    def heard(self, message: Message) -> None:
        """Ask the server again after an operation has ended, not after every reading of the status."""
        if isinstance(message, OperationFinished):
            self.read()

    def fetch(self) -> Sequence[Part]:
        self._state = self.engine.web(self._target)
        return _parts(self._state)

    def name_of(self, item: Part) -> str:
        return item.id

    def title_of(self, item: Part) -> str:
        return item.title

    def row(self, item: Part) -> Row:
        mark = MARKS[item.mark]
        return Row(item.id, (item.title, (item.state, "text-muted")), (mark.glyph, mark.colour))

    def about(self, item: Part, width: int, ink: Ink) -> list[Line]:
        lines: list[Line] = []
        for words in item.words:
            lines += [[(line, ink("foreground"))] for line in wrap(text.printable(words), min(width, 96))]
        for header in item.headers:
            mark = MARKS["pass" if header.state == "ok" else "warn"]
            lines += marked(mark.glyph, mark.colour, header.name, width, ink, bold=True)
            lines += facts([("", header_words(header))], width, ink, label=2)
        if item.words and item.lines:
            lines.append([])
        # Indentation matters in a configuration: these lines are cut, never wrapped.
        lines += [[(cut(text.printable(line), width), ink("foreground"))] for line in item.lines]
        return lines

    def situation(self) -> Situation:
        state = self._state
        return replace(super().situation(), row_kind="" if state is None or self.error else state.state)

    # -- actions -----------------------------------------------------------------------------------------------------

    def action_look_again(self) -> None:
        self.read()

    def action_apply(self) -> None:
        """Ask for confirmation, then write the settings to the server's configuration."""
        state, name = self._state, self._target
        if state is None:
            return
        files = [each.path for each in state.files if not each.applied]
        where = text.printable(", ".join(files) or "Nothing")
        ask_then(
            self.deck,
            f"Apply the web settings to {text.printable(name)}?",
            f"{where} is changed, tested and reloaded. If anything fails, the old configuration is restored.",
            "Apply",
            lambda: self.deck.begin(
                f"Web settings of {name}",
                f"applying the web settings of {name}",
                lambda report, cancel: self.engine.apply_web(name, report=report, cancel=cancel),
            ),
        )

    def action_remove(self) -> None:
        """Ask for confirmation, then remove the settings from the server's configuration."""
        name = self._target
        ask_then(
            self.deck,
            f"Remove the web settings of {text.printable(name)}?",
            "The lines of certdeck are removed from its configuration. Browsers that have seen HSTS keep it until it expires.",
            "Remove",
            lambda: self.deck.begin(
                f"Remove web settings of {name}",
                f"removing the web settings of {name}",
                lambda report, cancel: self.engine.remove_web(name, report=report, cancel=cancel),
            ),
            danger=True,
        )


def _parts(state: WebState) -> list[Part]:
    """Return the rows: the overall state, HSTS, each address, the redirect, each file."""
    marks = {"applied": "pass", "outdated": "warn", "absent": "unknown"}
    return [
        Part(
            id="state",
            title="Settings",
            state={"applied": "applied", "outdated": "to be updated", "absent": "not applied"}[state.state],
            mark=marks[state.state],
            words=(
                f"{STATES[state.state]} The server is {state.server}.",
                *(f"Note: {note}" for note in state.notes),
            ),
        ),
        _hsts(state),
        *(_headers(each) for each in state.listeners),
        Part(
            id="redirect",
            title="Plain HTTP",
            state=REDIRECTS[state.redirect].partition(":")[0],
            mark={"redirected": "pass", "closed": "unknown", "unknown": "unknown"}.get(state.redirect, "warn"),
            words=(f"Plain HTTP {REDIRECTS[state.redirect]}.",),
        ),
        *(_file(each) for each in state.files),
    ]


def _hsts(state: WebState) -> Part:
    value = state.hsts or "not sent"
    words = [f"HSTS: {state.hsts}." if state.hsts else "HSTS is not sent.", state.hsts_why]
    if state.hsts_next is not None:
        words.append(f"It increases on {text.day(state.hsts_next)}, with a scheduled run.")
    is_set = state.state != "absent"
    if state.hsts and not is_set:
        value = f"{state.hsts}, once applied"
        words[0] = f"HSTS starts with {state.hsts} once the settings are applied."
    return Part(
        id="hsts",
        title="HSTS",
        state=value,
        mark="pass" if state.hsts and is_set else "unknown",
        words=tuple(each for each in words if each),
    )


def _headers(listener: Listener) -> Part:
    failure = listener.failure
    wrong = sum(each.state != "ok" for each in listener.headers)
    words = f"{wrong} of {len(listener.headers)} wrong: {headers_words(listener)}"
    return Part(
        id=f"headers {listener.address}",
        title=f"Headers at {listener.address}",
        state=failure or (words if wrong else headers_words(listener)),
        mark="fail" if failure else "warn" if wrong else "pass",
        words=(f"{listener.address} could not be checked: {failure}",) if failure else (),
        headers=() if failure else listener.headers,
    )


def _file(file: WebFile) -> Part:
    return Part(
        id=f"file {file.path}",
        title=file.path,
        state="as wanted" if file.applied else "to be changed",
        mark="pass" if file.applied else "unknown",
        words=("These lines are in it:" if file.applied else "These lines would be in it:",),
        lines=file.lines,
    )
