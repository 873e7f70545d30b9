#!/bin/sh
# Textual 8.2.8: `is_mounted` of a screen or widget that was removed stays True.
#
# The flag is set once, when the mount event has been handled, and nothing sets it back. Code that awaits something and then asks
# `is_mounted` before it touches its page goes on with a page that is gone: `query_one` raises NoMatches, `widget.screen` NoScreen.
# `is_attached` tells whether a widget still belongs to the app.
#
# Seen (a screen with one label is pushed and popped):
#   shown: is_mounted True, is_attached True, labels 1
#   removed: is_mounted True, is_attached False, labels 0
#   label.screen: NoScreen
# Exit status: 0 while it is so, 1 when it has changed, 2 when the package could not be installed.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install --quiet --disable-pip-version-check textual==8.2.8 || exit 2
cat >"$folder/ask.py" <<'PY'
import asyncio

from textual.app import App
from textual.screen import Screen
from textual.widgets import Label


class Page(Screen):
    def compose(self):
        yield Label("text")


def state(page):
    return page.is_mounted, page.is_attached, len(page.query(Label))


async def main():
    app, page = App(), Page()
    async with app.run_test() as pilot:
        await app.push_screen(page)
        label, shown = page.query_one(Label), state(page)
        await app.pop_screen()
        await pilot.pause()
        removed = state(page)
        try:
            where = str(label.screen)
        except Exception as error:
            where = type(error).__name__
    for name, (mounted, attached, labels) in (("shown", shown), ("removed", removed)):
        print(f"{name}: is_mounted {mounted}, is_attached {attached}, labels {labels}")
    print(f"label.screen: {where}")
    return 0 if shown == (True, True, 1) and removed == (True, False, 0) and where == "NoScreen" else 1


raise SystemExit(asyncio.run(main()))
PY
"$folder/venv/bin/python" "$folder/ask.py"
