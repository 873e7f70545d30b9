"""The base of task pages: a list of tasks, an explanation of each, and Enter to run one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from core.errors import CertdeckError
from tui.actions import Situation
from tui.screens.list_page import ListPage
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, wrap
from tui.widgets.row_list import Column, Row
from tui.wording import text


class Task(Struct, frozen=True, kw_only=True):
    """One task."""

    id: str
    title: str
    state: str = ""
    """The current state, shown beside the title."""
    words: tuple[str, ...] = ()
    """The explanation, in paragraphs."""
    is_on: bool = False
    """The task sets what is already set."""
    is_off: bool = False
    """The task does not apply now."""


class TasksPage(ListPage[Task]):
    """A subclass defines `tasks` and `do`; the result of the last run is shown above the explanation."""

    COLUMNS: ClassVar = (Column(""), Column("", flexible=True))

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, Sequence[tuple[str, str, str]]] = {}
        """The result of each task by id: sign, role and words of each line."""

    def tasks(self) -> Sequence[Task]:
        """Return the tasks. Called in a thread; raises CertdeckError."""
        raise NotImplementedError

    def do(self, task: Task) -> None:
        """Run a task."""
        raise NotImplementedError

    def fetch(self) -> Sequence[Task]:
        return self.tasks()

    def name_of(self, item: Task) -> str:
        return item.id

    def kind_of(self, item: Task) -> str:
        return "off" if item.is_off else "on" if item.is_on else "task"

    def title_of(self, item: Task) -> str:
        return item.title

    def row(self, item: Task) -> Row:
        sign = ("●", "severity-green") if item.is_on else ("", "text-muted")
        role = "text-muted" if item.is_off else "foreground"
        return Row(item.id, ((item.title, role), (item.state, "text-muted")), sign)

    def about(self, item: Task, width: int, ink: Ink) -> list[Line]:
        lines: list[Line] = []
        for sign, role, words in self.told.get(item.id, ()):
            for number, line in enumerate(wrap(text.printable(words), width - 2)):
                lines.append([(f"{'' if number else sign:2}", ink(role, bold=True)), (line, ink("foreground"))])
        if lines:
            lines.append([])
        for paragraph in item.words:
            lines += [[(line, ink("foreground"))] for line in wrap(text.printable(paragraph), min(width, 96))]
            lines.append([])
        return lines

    def situation(self) -> Situation:
        return replace(super().situation(), step=len(self.items))

    def opened(self) -> None:
        self.action_do()

    def action_do(self) -> None:
        """Run the task under the cursor."""
        task = self.chosen
        if task is not None and not task.is_off:
            self.do(task)

    # -- help for `do` -----------------------------------------------------------------------------------------------

    def say(self, id: str, *lines: tuple[str, str, str]) -> None:
        """Keep the result of a task, and show it."""
        self.told[id] = lines
        if self.is_attached:
            self.read(id)

    def run(self, id: str, doing: str, call: Callable[[], object], said: Callable[[object], str]) -> None:
        """Run a slow task in a thread, then show its result on the page."""
        self.say(id, ("◐", "bar-used", f"{doing} …"))

        def answered(answer: object) -> None:
            if isinstance(answer, CertdeckError):
                self.say(
                    id,
                    ("✖", "severity-red", answer.what),
                    ("", "text-muted", answer.why),
                    ("", "text-muted", answer.fix),
                )
            else:
                self.say(id, ("✔", "severity-green", said(answer)))
            self.deck.refresh_status()

        self.bridge.ask(call, answered)

    def ask_yes(self, title: str, words: str, yes: str, do: Callable[[], None], *, danger: bool = False) -> None:
        """Ask for confirmation, then run the task."""
        from tui.screens.operations import ask_then

        ask_then(self.deck, title, words, yes, do, danger=danger)

    def ask_path(self, title: str, words: str, value: str, then: Callable[[Path], None], *, must_exist: bool) -> None:
        """Ask for a file, then continue with it."""
        from tui.screens.dialogs.path import PathDialog

        def answered(path: Path | None) -> None:
            if path is not None:
                then(path)
            else:
                self.deck.say_nothing_changed()

        self.app.push_screen(PathDialog(title, words, value=value, must_exist=must_exist), answered)

    def ask_passphrase(self, title: str, words: str, then: Callable[[bytes], None], *, confirm: bool) -> None:
        """Ask for a passphrase, then continue with it."""
        from tui.screens.dialogs.passphrase import PassphraseDialog

        def answered(passphrase: bytes | None) -> None:
            if passphrase is not None:
                then(passphrase)
            else:
                self.deck.say_nothing_changed()

        self.app.push_screen(PassphraseDialog(title, words, confirm=confirm), answered)
