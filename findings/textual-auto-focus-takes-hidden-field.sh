#!/bin/sh
# Textual 8.2.8: AUTO_FOCUS gives the focus to a field that is not displayed.
#
# A field that is left out with `display = False`, its own or that of the box around it, is passed by when Tab moves the focus. But a screen
# with AUTO_FOCUS = "Input" opens with the focus in it, and what is typed goes into a field that is not on the screen. `Widget.focusable`
# asks whether the widget may take the focus, is visible and is not disabled; `visible` is about the style `visibility`, not about `display`.
#
# Seen (two fields, the first one not displayed; "x" is typed):
#   the field itself is hidden: hidden 'x', shown ''
#   its container is hidden: hidden 'x', shown ''
#   after Tab from the second field: focus on shown
# Exit status: 0 while it is so, 1 when it has changed, 2 when the package could not be installed.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install --quiet --disable-pip-version-check textual==8.2.8 || exit 2
cat >"$folder/ask.py" <<'PY'
import asyncio

from textual.app import App
from textual.containers import Vertical
from textual.widgets import Input


class Form(App):
    AUTO_FOCUS = "Input"

    def __init__(self, hides_container):
        super().__init__()
        self.hides_container = hides_container

    def compose(self):
        with Vertical() as box:
            field = Input(id="hidden")
            yield field
        (box if self.hides_container else field).display = False
        with Vertical():
            yield Input(id="shown")


async def typed(hides_container):
    app = Form(hides_container)
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("x")
        found = tuple(app.query_one(f"#{name}", Input).value for name in ("hidden", "shown"))
        app.query_one("#shown").focus()
        await pilot.press("tab")
        return found, app.focused.id if app.focused else None


(alone, _), (inside, after) = asyncio.run(typed(False)), asyncio.run(typed(True))
print(f"the field itself is hidden: hidden {alone[0]!r}, shown {alone[1]!r}")
print(f"its container is hidden: hidden {inside[0]!r}, shown {inside[1]!r}")
print(f"after Tab from the second field: focus on {after}")
raise SystemExit(0 if alone == inside == ("x", "") and after == "shown" else 1)
PY
"$folder/venv/bin/python" "$folder/ask.py"
