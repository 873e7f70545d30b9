"""The texts for cron. Pure.

cron has no random delay: the minutes are chosen once for each box and stored (`Timetable.later_by`). cron mails what a job prints,
so only errors are printed. Lines in a user's crontab end with our mark; every other line is kept unchanged, byte for byte.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import time
from pathlib import Path

from core.schedule.timetable import Timetable
from core.schedule.units import head, plain

FILE = "certdeck"
"""File name in /etc/cron.d, where cron ignores names with a dot."""
_MARK = "# certdeck-renewal"
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
_BOOT_SECONDS = 120
"""After a boot, the network needs some time."""


def system_file(timetable: Timetable, program: str, home: str | None, state: Path) -> str:
    """Return the content of /etc/cron.d/certdeck."""
    jobs = "".join(f"{when} root {_escaped(command)}\n" for when, command in _jobs(timetable, program, home))
    return f"{head(state)}SHELL=/bin/sh\n{_PATH}{jobs}"


def user_lines(timetable: Timetable, program: str, home: str | None) -> tuple[str, ...]:
    """Return the lines for a user's crontab."""
    jobs = _jobs(timetable, program, home)
    return tuple(f"{when} {_escaped(f'{command} {_mark(home)}')}" for when, command in jobs)


def without_ours(crontab: str, home: str | None) -> str:
    """Return a user's crontab without our lines."""
    ending = f" {_escaped(_mark(home))}"
    return "".join(line for line in crontab.splitlines(keepends=True) if not line.rstrip("\n").endswith(ending))


def with_ours(crontab: str, lines: Sequence[str], home: str | None) -> str:
    """Return a user's crontab with `lines` at its end, in place of our previous lines."""
    rest = without_ours(crontab, home)
    gap = "" if not rest or rest.endswith("\n") else "\n"
    return rest + gap + "".join(f"{line}\n" for line in lines)


def _jobs(timetable: Timetable, program: str, home: str | None) -> list[tuple[str, str]]:
    """Return (when, command): one job for all times with the same minute, and one after a boot (CL-11)."""
    environment = f"CERTDECK_HOME={shlex.quote(plain(home))} " if home else ""
    command = f"{environment}{shlex.quote(plain(program))} --renew >/dev/null"
    days = "*" if timetable.weekday is None else str((timetable.weekday + 1) % 7)  # cron's 0 is Sunday
    hours: dict[int, list[time]] = {}
    for each in timetable.times:
        hours.setdefault(each.minute, []).append(each)
    jobs = [
        (f"{minute} {','.join(str(each.hour) for each in times)} * * {days}", command)
        for minute, times in hours.items()
    ]
    return [*jobs, ("@reboot", f"sleep {_BOOT_SECONDS}; {command}")]


def _mark(home: str | None) -> str:
    return f"{_MARK} of {home}" if home else _MARK


def _escaped(command: str) -> str:
    """Escape `%`, which ends a command in cron."""
    return command.replace("%", "\\%")
