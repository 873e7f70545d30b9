"""The texts of the systemd units. Pure.

The service may do what a deployment needs: write below /etc, test and reload any service, start one that is down. So nothing is
read-only, no folder is hidden and no privilege is dropped; what is switched off is what no reload command has business with.
`KillMode=process`: a service that a reload command has started must outlive the run that started it.
"""

from __future__ import annotations

import re
from pathlib import Path

from core.errors import CertdeckError
from core.schedule.timetable import DAYS, Timetable

SERVICE = "certdeck-renewal.service"
TIMER = "certdeck-renewal.timer"
WANTED_BY = Path("timers.target.wants") / TIMER
"""The link, beside the unit, that `systemctl enable` makes."""
NAME = "certdeck certificate renewal"
"""The task has a name that one finds in a list of timers (ST-27)."""
_HEAD = f"# {NAME}. Written by `certdeck schedule on`; `certdeck schedule off` removes it.\n"
_STATE = "# Of the certificates in "


def service_unit(program: str, home: str | None, state: Path) -> str:
    """Return the service that renews once. `home`: CERTDECK_HOME, where it is set.

    Raises CertdeckError (`failed`) for paths that systemd does not take.
    """
    if not {'"', "'", "\\"}.isdisjoint(program):
        raise CertdeckError(
            "systemd cannot start this installation.",
            f"It takes no program with a quotation mark or a backslash in its path: {plain(program)}",
            "Install certdeck somewhere else.",
        )
    environment = f'Environment="CERTDECK_HOME={_quoted(home)}"\n' if home else ""
    return f"""{head(state)}[Unit]
Description={NAME}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart="{_quoted(program)}" --renew
{environment}TimeoutStartSec=2h
KillMode=process
Nice=10
IOSchedulingClass=idle
LockPersonality=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
RestrictRealtime=yes
"""


def timer_unit(timetable: Timetable, state: Path) -> str:
    """Return the timer: at its times, after a boot (CL-11), and at once when a time was missed while the box was off."""
    day = "" if timetable.weekday is None else f"{DAYS[timetable.weekday][:3]} "
    moments = "".join(f"OnCalendar={day}*-*-* {each}:00\n" for each in timetable.clock_times)
    return f"""{head(state)}[Unit]
Description={NAME}

[Timer]
{moments}OnBootSec=2min
RandomizedDelaySec={int(timetable.random_delay.total_seconds())}
Persistent=true

[Install]
WantedBy=timers.target
"""


def head(state: Path) -> str:
    """Return the first lines of a file of ours: what it is, and whose."""
    return f"{_HEAD}{_STATE}{plain(str(state))}\n"


def owner_of(text: str) -> Path | None:
    """Return the state folder that a file of ours belongs to; None when we did not write it."""
    lines = text.split("\n", 2)
    if len(lines) < 2 or f"{lines[0]}\n" != _HEAD or not lines[1].startswith(_STATE):
        return None
    return Path(lines[1].removeprefix(_STATE))


def plain(text: str) -> str:
    """Return `text`, a path, if it can stand in a line of a unit or a crontab. Raises CertdeckError (`failed`)."""
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise CertdeckError(
            "No schedule can be written for this installation.",
            f"The path {text!r} holds a control character, which neither systemd nor cron can take.",
            "Move certdeck or its folder to a path without one.",
        )
    return text


def _quoted(text: str) -> str:
    return plain(text).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
