"""The least that Textual can show a table with: one DataTable between a header and a footer. Usage: trivial_app.py ROWS."""

from __future__ import annotations

import sys
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Footer, Header


class Trivial(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "Quit")]

    def compose(self) -> ComposeResult:
        yield Header()
        yield DataTable[str](cursor_type="row")
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("name", "state", "expires", "issuer", "targets")
        for number in range(int(sys.argv[1])):
            table.add_row(f"first{number}.certdeck.test", "valid", f"in {number % 90} days", "Pebble Root", "nginx")
        table.focus()


if __name__ == "__main__":
    Trivial().run()
