"""What `schedule on` writes, judged by systemd itself and carried out as systemd and cron would."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.engine import Engine
from core.system import environment
from tests.support.command import ROOT, process
from tests.support.init_system import InitSystem

pytestmark = pytest.mark.e2e

BARE = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
"""What systemd gives a service; cron gives less."""


def box_at(home: Path, init: InitSystem) -> Engine:
    """Return the real engine over `home`, on a box with this init system and a real command."""
    init.program.write_text(
        f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m tui "$@"\n'
    )
    engine = Engine.open({"CERTDECK_HOME": str(home)})
    return Engine(engine.paths, init.env_of(environment({"CERTDECK_HOME": str(home)}), CERTDECK_HOME=str(home)))


def keys_of(path: Path) -> list[tuple[str, str, str]]:
    """Return (section, key, value) of a unit whose keys may come several times."""
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
    parser.optionxform = str
    parser.read_string(path.read_text())
    return [(section, key, value) for section in parser.sections() for key, value in parser.items(section)]


def _names_a_unit(line: str) -> bool:
    """Tell whether a line begins with the path of a unit file: `/lib/systemd/system/x.service:23: …`."""
    return re.match(r"/\S+/systemd/\S+\.\w+:\d+: ", line) is not None


@pytest.mark.parametrize(
    ("preset", "at"), [("twice-daily", ()), ("daily", ()), ("weekly", ()), (None, ("04:10", "12:00", "20:59"))]
)
@pytest.mark.parametrize("folder", ["box", "a box, 50% off"])
def test_systemd_accepts_the_units(tmp_path: Path, folder: str, preset: str | None, at: tuple[str, ...]) -> None:
    """`systemd-analyze verify` has nothing to say about the units; without it, every key has a value in its section."""
    init = InitSystem(tmp_path / folder)
    box_at(tmp_path / 'a "home"\\ 50%', init).set_schedule(preset=preset, at=at)
    written = [init.units / "certdeck-renewal.service", init.units / "certdeck-renewal.timer"]
    verify = shutil.which("systemd-analyze")
    if verify:
        done = subprocess.run([verify, "verify", *written], check=False, capture_output=True, text=True, timeout=60)
        # It reads every unit of the machine, and complains of those of other packages, too.
        said = [
            line for line in (done.stdout + done.stderr).splitlines() if "certdeck" in line or not _names_a_unit(line)
        ]
        assert (done.returncode, said) == (0, [])
    for path in written:
        assert all(value for _, _, value in keys_of(path))
    sections = {section for path in written for section, _, _ in keys_of(path)}
    assert sections == {"Unit", "Service", "Timer", "Install"}


def test_what_systemd_starts_renews(home: Path, tmp_path: Path) -> None:
    """The service's own command line, in the environment of a service, is a scheduled run that `status` sees."""
    init = InitSystem(tmp_path / "system")
    engine = box_at(home, init)
    engine.set_schedule()
    keys = {key: value for _, key, value in keys_of(init.units / "certdeck-renewal.service")}
    (variable,) = shlex.split(keys["Environment"])
    name, _, value = variable.partition("=")
    done = subprocess.run(
        shlex.split(keys["ExecStart"]), check=False, env={**BARE, name: value}, cwd="/", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    timer = engine.status().timer
    assert (timer.state, timer.last_outcome, timer.trouble) == ("on", "done", "")
    assert process("schedule", "--json", home=home).json["last_outcome"] == "done"


def test_what_cron_starts_renews(home: Path, tmp_path: Path) -> None:
    """The line of a crontab, run by the shell in cron's environment, is a scheduled run that prints nothing."""
    init = InitSystem(tmp_path / "system", systemd=False, is_root=False)
    engine = box_at(home, init)
    assert engine.set_schedule().how == "crontab"
    assert init.crontab is not None
    command = init.crontab.splitlines()[0].split(" ", 5)[5].replace("\\%", "%")
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "SHELL": "/bin/sh"}
    done = subprocess.run(["/bin/sh", "-c", command], check=False, env=env, cwd="/", capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert engine.status().timer.last_outcome == "done"
