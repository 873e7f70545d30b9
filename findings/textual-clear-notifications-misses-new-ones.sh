#!/bin/sh
# Textual 8.2.8: `App.clear_notifications()` does not clear a notification that `App.notify()` has just made.
#
# `notify` only posts a message to the application; the notification exists once that message is handled, in a later turn of the loop.
# A program that wants one toast at a time and calls clear, then notify, for each of several messages in one turn gets a stack of all of
# them. The same calls with a turn between them leave one.
#
# Seen:
#   in one turn: 4 toasts
#   a turn between them: 1 toasts
# Exit status: 0 while it is so, 1 when it has changed, 2 when the package could not be installed.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install --quiet --disable-pip-version-check textual==8.2.8 || exit 2
cat >"$folder/ask.py" <<'PY'
import asyncio

from textual.app import App
from textual.widgets import Label


class Small(App):
    def compose(self):
        yield Label("here")


async def toasts(pause):
    """Clear and notify four times, with a turn of the loop between them or not, and count what is on the screen."""
    app = Small()
    async with app.run_test(notifications=True) as pilot:
        for number in range(4):
            app.clear_notifications()
            app.notify(f"message {number}", timeout=60)
            if pause:
                await pilot.pause(0.5)
        await pilot.pause(1)
        return len(app.screen.query("Toast"))


together, apart = asyncio.run(toasts(False)), asyncio.run(toasts(True))
print(f"in one turn: {together} toasts")
print(f"a turn between them: {apart} toasts")
raise SystemExit(0 if (together, apart) == (4, 1) else 1)
PY
"$folder/venv/bin/python" "$folder/ask.py"
