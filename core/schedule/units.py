"""The texts of the systemd units. Pure.

The service may do what a deployment needs: write below /etc, test and reload any service, start one that is down. So nothing is
read-only, no folder is hidden and no privilege is dropped; only what no reload command needs is restricted.
`KillMode=process`: a service that a reload command has started must outlive the run that started it.
"""

from __future__ import annotations

import re
from pathlib import Path

from core.errors import CertdeckError
from core.schedule.timetable import DAYS, Timetable

SERVICE = "certdeck-renewal.service"
TIMER = "certdeck-renewal.timer"
PACKAGED_TIMER = "certdeck-renew.timer"
"""The timer of the Debian package, whose file stays when it is disabled."""
WANTED_BY = Path("timers.target.wants") / TIMER
"""The link, relative to the unit's folder, that `systemctl enable` creates."""
FLEET_SERVICE = "certdeck-fleet.service"
FLEET_WANTED_BY = Path("multi-user.target.wants") / FLEET_SERVICE
FLEET_NAME = "certdeck fleet: receives, and on a hub renews, the certificates of several boxes"
NAME = "certdeck certificate renewal"
"""A descriptive name for the list of timers (ST-27)."""
_HEAD = f"# {NAME}. Written by `certdeck schedule on`; `certdeck schedule off` removes it.\n"
_FLEET_HEAD = f"# {FLEET_NAME}. Written by `certdeck fleet service on`; `certdeck fleet service off` removes it.\n"
_STATE = "# Of the certificates in "


_SANDBOX = """KillMode=process
Nice=10
IOSchedulingClass=idle
LockPersonality=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
RestrictRealtime=yes
"""


def service_unit(program: str, home: str | None, state: Path) -> str:
    """Return the service that renews once. `home`: CERTDECK_HOME, if it is set.

    Raises CertdeckError (`failed`) for paths that systemd does not accept.
    """
    return f"""{head(state)}[Unit]
Description={NAME}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart="{_program(program)}" --renew
{_environment(home)}TimeoutStartSec=2h
{_SANDBOX}"""


def fleet_unit(program: str, home: str | None, state: Path) -> str:
    """Return the service that does a box's part of the fleet. Raises as `service_unit` does.

    It stops at the next safe moment: a running deployment is completed first.
    """
    return f"""{head(state, _FLEET_HEAD)}[Unit]
Description={FLEET_NAME}
Wants=network-online.target
After=network-online.target

[Service]
Type=simple
ExecStart="{_program(program)}" fleet watch
{_environment(home)}{_writable(home)}Restart=always
RestartSec=10
TimeoutStopSec=5min
{_SANDBOX}
[Install]
WantedBy=multi-user.target
"""


def _environment(home: str | None) -> str:
    return f'Environment="CERTDECK_HOME={_quoted(home)}"\n' if home else ""


def _writable(home: str | None) -> str:
    """Return the setting that keeps the home writable in the sandbox that the Debian package adds."""
    return f'ReadWritePaths="-{_quoted(home)}"\n' if home else ""


def _program(program: str) -> str:
    if not {'"', "'", "\\"}.isdisjoint(program):
        raise CertdeckError(
            "systemd cannot start this installation.",
            f"systemd does not accept a program path with a quotation mark or a backslash: {plain(program)}",
            "Install certdeck somewhere else.",
        )
    return _quoted(program)


def timer_unit(timetable: Timetable, state: Path) -> str:
    """Return the timer: at its times, after a boot (CL-11), and immediately if a time was missed while the box was off."""
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


def head(state: Path, first: str = _HEAD) -> str:
    """Return the first lines of our files: a description, and the state folder that the file belongs to."""
    return f"{first}{_STATE}{plain(str(state))}\n"


def owner_of(text: str) -> Path | None:
    """Return the state folder that a file belongs to; None if certdeck did not write it."""
    lines = text.split("\n", 2)
    if len(lines) < 2 or f"{lines[0]}\n" not in (_HEAD, _FLEET_HEAD) or not lines[1].startswith(_STATE):
        return None
    return Path(lines[1].removeprefix(_STATE))


def plain(text: str) -> str:
    """Return the path `text` if it is valid in a line of a unit or a crontab. Raises CertdeckError (`failed`)."""
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise CertdeckError(
            "No schedule can be written for this installation.",
            f"The path {text!r} contains a control character, which neither systemd nor cron accepts.",
            "Move certdeck or its folder to a path without one.",
        )
    return text


def _quoted(text: str) -> str:
    return plain(text).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
