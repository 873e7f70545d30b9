#!/bin/sh
# Textual 8.2.8: letters typed ahead of a page that opens, or of Tab, go into the field that had the focus before.
#
# A slow machine or line delivers several keys in one read. `App.on_event` forwards each key to the widget that has the focus at that
# moment, but the key before it takes effect later, in other messages: `push_screen` puts the new screen on the stack before it has any
# widget, and Tab moves the focus only after the next keys were forwarded. A passphrase typed ahead of its dialog ends, readable, in a
# field of the page below.
#
# Seen (a page with the fields first and second; ctrl+n opens a dialog with the field name; all keys are posted at once):
#   ctrl+n a b c: first='abc' second='' name=''
#   a b tab c d: first='abcd' second=''
# Exit status: 0 while it is so, 1 when it has changed, 2 when the package could not be installed.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install --quiet --disable-pip-version-check textual==8.2.8 || exit 2
cat >"$folder/ask.py" <<'PY'
import asyncio

from textual.app import App
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input


class Dialog(ModalScreen):
    def compose(self):
        yield Input(id="name")


class Console(App):
    BINDINGS = [("ctrl+n", "ask", "New")]

    def compose(self):
        yield Input(id="first")
        yield Input(id="second")

    def action_ask(self):
        self.push_screen(Dialog())


async def typed(*keys):
    app = Console()
    async with app.run_test() as pilot:
        await pilot.pause()
        for key in keys:
            app.post_message(Key(key, key if len(key) == 1 else None))
        await pilot.pause()
        values = {field.id: field.value for screen in app.screen_stack for field in screen.query(Input)}
    print(f"{' '.join(keys)}:", *(f"{name}={value!r}" for name, value in values.items()))
    return values


opened = asyncio.run(typed("ctrl+n", "a", "b", "c"))
moved = asyncio.run(typed("a", "b", "tab", "c", "d"))
is_so = opened == {"first": "abc", "second": "", "name": ""} and moved == {"first": "abcd", "second": ""}
raise SystemExit(0 if is_so else 1)
PY
"$folder/venv/bin/python" "$folder/ask.py"
