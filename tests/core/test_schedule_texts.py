"""The texts for systemd and cron."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from core.errors import CertdeckError
from core.schedule import crontab, units
from core.schedule.timetable import TWICE_DAILY, timetable_for

PROGRAM = "/opt/certdeck/bin/certdeck"
STATE = Path("/var/lib/certdeck")


def sections(text: str) -> dict[str, list[str]]:
    """Return the lines of each section of a unit."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            lines = found[line] = []
        elif line and not line.startswith("#"):
            lines.append(line)
    return found


def test_the_service_of_a_fleet_has_the_same_sandbox() -> None:
    """It runs `fleet watch`, is started again when it ends, and may do what the scheduled run may do."""
    found = sections(units.fleet_unit(PROGRAM, "/srv/box", STATE))
    assert 'ExecStart="/opt/certdeck/bin/certdeck" fleet watch' in found["[Service]"]
    assert {"Restart=always", 'Environment="CERTDECK_HOME=/srv/box"'} <= set(found["[Service]"])
    assert "WantedBy=multi-user.target" in found["[Install]"]
    timer = set(sections(units.service_unit(PROGRAM, "/srv/box", STATE))["[Service]"])
    own = {line for line in timer if not line.startswith(("Type=", "ExecStart=", "TimeoutStartSec="))}
    assert own <= set(found["[Service]"])
    assert units.owner_of(units.fleet_unit(PROGRAM, None, STATE)) == STATE


def test_service() -> None:
    """The task has a name (ST-27), starts the script, and takes nothing away that a deployment needs."""
    text = units.service_unit(PROGRAM, None, STATE)
    found = sections(text)
    assert "Description=certdeck certificate renewal" in found["[Unit]"]
    assert 'ExecStart="/opt/certdeck/bin/certdeck" --renew' in found["[Service]"]
    assert {"Type=oneshot", "Nice=10", "IOSchedulingClass=idle", "KillMode=process"} <= set(found["[Service]"])
    for word in ("ProtectSystem", "ProtectHome", "PrivateTmp", "NoNewPrivileges", "ReadOnly", "CERTDECK_HOME", "User="):
        assert word not in text


@pytest.mark.parametrize(
    ("preset", "moments"),
    [
        ("twice-daily", ["OnCalendar=*-*-* 03:00:00", "OnCalendar=*-*-* 15:00:00"]),
        ("daily", ["OnCalendar=*-*-* 03:00:00"]),
        ("weekly", ["OnCalendar=Sun *-*-* 23:30:00"]),
    ],
)
def test_timer(preset: str, moments: list[str]) -> None:
    """At its times with a random delay (SF-14), after a boot (CL-11), and later when a time was missed."""
    found = sections(units.timer_unit(timetable_for(preset, ()), STATE))
    more = ["OnBootSec=2min", "RandomizedDelaySec=3600", "Persistent=true"]
    assert found["[Timer]"] == [*moments, *more]
    assert found["[Install]"] == ["WantedBy=timers.target"]


def test_odd_paths_in_units() -> None:
    """Blanks, quotes, backslashes and percent signs in a path reach the program as they are."""
    text = units.service_unit("/a b/100%/certdeck", '/home/50% off/"c"\\d', STATE)
    assert 'ExecStart="/a b/100%%/certdeck" --renew' in text
    assert 'Environment="CERTDECK_HOME=/home/50%% off/\\"c\\"\\\\d"' in text


@pytest.mark.parametrize("program", ['/a"b/certdeck', "/a'b/certdeck", "/a\\b/certdeck"])
def test_programs_that_systemd_does_not_start(program: str) -> None:
    """systemd refuses a program with a quotation mark or a backslash in its path; so do we, in words."""
    with pytest.raises(CertdeckError, match="systemd cannot start"):
        units.service_unit(program, None, STATE)


@pytest.mark.parametrize("path", ["/a\nExecStartPre=/bin/sh", "/a\rb", "/a\x00b", "/a\x1bb"])
def test_paths_that_would_be_more_than_a_path(path: str) -> None:
    """A path with a line break or a control character is refused wherever it would be written."""
    for write in (
        lambda: units.service_unit(path, None, STATE),
        lambda: units.service_unit(PROGRAM, path, STATE),
        lambda: units.timer_unit(TWICE_DAILY, Path(path)),
        lambda: crontab.system_file(TWICE_DAILY, path, None, STATE),
        lambda: crontab.user_lines(TWICE_DAILY, PROGRAM, path),
    ):
        with pytest.raises(CertdeckError, match="No schedule can be written"):
            write()


def test_whose_a_file_is() -> None:
    """A file of ours names its state folder; any other file is nobody's."""
    for text in (units.timer_unit(TWICE_DAILY, STATE), crontab.system_file(TWICE_DAILY, PROGRAM, None, STATE)):
        assert units.owner_of(text) == STATE
    for text in ("", "[Unit]\n", "# certdeck certificate renewal\n", "\n".join(["x"] * 5)):
        assert units.owner_of(text) is None


def test_cron_file() -> None:
    """Root's cron runs it at its times and after a boot (CL-11), with a whole PATH, and mails errors only."""
    lines = crontab.system_file(TWICE_DAILY.later_by(17), PROGRAM, None, STATE).splitlines()[2:]
    assert lines == [
        "SHELL=/bin/sh",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "17 3,15 * * * root /opt/certdeck/bin/certdeck --renew >/dev/null",
        "@reboot root sleep 120; /opt/certdeck/bin/certdeck --renew >/dev/null",
    ]


def test_cron_days_and_minutes() -> None:
    """cron's Sunday is 0, and times with different minutes are lines of their own."""
    weekly = crontab.user_lines(timetable_for("weekly", ()), PROGRAM, None)
    assert weekly[0].startswith("30 23 * * 0 ")
    several = crontab.user_lines(timetable_for(None, ("03:00", "09:30", "15:00")), PROGRAM, None)
    assert [line.partition(" /")[0] for line in several[:2]] == ["0 3,15 * * *", "30 9 * * *"]


def test_odd_paths_in_cron(tmp_path: Path) -> None:
    """What cron hands to the shell starts the program with its home, whatever is in the paths."""
    program, home = tmp_path / "it's 100% $HOME" / "certdeck", f"{tmp_path}/my `home` 5%"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$CERTDECK_HOME|$*" >&2\n')
    program.chmod(0o755)
    line = crontab.user_lines(TWICE_DAILY, str(program), home)[0]
    command = line.removeprefix("0 3,15 * * * ")
    assert "%" not in command.replace("\\%", "")
    done = subprocess.run(["/bin/sh", "-c", command.replace("\\%", "%")], check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", f"{home}|--renew\n")
    assert shlex.split(command.replace("\\%", "%"), comments=True)[-2:] == ["--renew", ">/dev/null"]


@pytest.mark.parametrize("home", [None, "/srv/certdeck", "/srv/50%"])
@pytest.mark.parametrize(
    "crontab_before",
    [
        "",
        "MAILTO=a@example.com\n0 1 * * * backup\n",
        "0 1 * * * backup",
        "# certdeck-renewal\n0 1 * * * /x # certdeck-renewal of /other\n",
        "\n\n  \n# a comment \u2028 with a strange \x0b line\n",
    ],
)
def test_other_lines_stay(crontab_before: str, home: str | None) -> None:
    """In a user's crontab every other line stays byte for byte; adding twice is adding once; removing gives back what was."""
    lines = crontab.user_lines(TWICE_DAILY, PROGRAM, home)
    once = crontab.with_ours(crontab_before, lines, home)
    assert once.startswith(crontab_before)
    assert once.split("\n")[-3:] == [*lines, ""]
    assert crontab.with_ours(once, lines, home) == once
    rest = crontab.without_ours(once, home)
    assert rest.rstrip("\n") == crontab_before.rstrip("\n")
    changed = crontab.user_lines(timetable_for("daily", ()), PROGRAM, home)
    assert crontab.without_ours(crontab.with_ours(once, changed, home), home) == rest
