#!/bin/sh
# Textual 8.2.8: an application that is stopped with SIGSTOP and continued takes the terminal twice.
#
# SIGTSTP lets the driver leave application mode first; SIGSTOP cannot be caught, so nothing is left, but SIGCONT enters application mode
# all the same: a second thread that reads the terminal and a second one that writes to it appear beside the first ones. A shell's `fg`
# after `kill -STOP` is enough. A program has to notice that it never left, and only draw itself again.
#
# Seen:
#   threads before 3, after 5
# Exit status: 0 while it is so, 1 when it has changed, 2 when the package could not be installed.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install --quiet --disable-pip-version-check textual==8.2.8 || exit 2
cat >"$folder/app.py" <<'PY'
from textual.app import App
from textual.widgets import Label


class Small(App):
    def compose(self):
        yield Label("here")


Small().run()
PY
cat >"$folder/ask.py" <<'PY'
import os
import pty
import select
import signal
import sys
import time

pid, terminal = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm-256color"
    os.execv(sys.executable, [sys.executable, sys.argv[1]])


def drain(seconds):
    """Read what the application draws until it is quiet."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.3)[0]:
            try:
                os.read(terminal, 65536)
            except OSError:
                return


def threads():
    return len(os.listdir(f"/proc/{pid}/task"))


try:
    drain(4)
    before = threads()
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)
    os.kill(pid, signal.SIGCONT)
    drain(3)
    after = threads()
finally:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
print(f"threads before {before}, after {after}")
raise SystemExit(0 if after == before + 2 else 1)
PY
"$folder/venv/bin/python" "$folder/ask.py" "$folder/app.py"
