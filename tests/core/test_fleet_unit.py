"""The service of a fleet, installed and removed, over folders of the test's."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine import Engine
from core.errors import CertdeckError
from core.paths import Paths
from core.schedule.units import fleet_unit
from core.system import environment
from tests.support.init_system import InitSystem

FLEET = '[fleet]\nendpoints = ["http://127.0.0.1:1"]\n'


def engine_on(tmp_path: Path, system: InitSystem) -> Engine:
    home = tmp_path / "home"
    paths = Paths(home / "etc", home / "state", home / "run", home / "log")
    paths.etc.mkdir(parents=True, exist_ok=True)
    paths.config.write_text(FLEET)
    return Engine(paths, system.env_of(environment({})))


def test_on_and_off(tmp_path: Path) -> None:
    """`on` writes the unit and starts it, `off` stops and removes it and leaves the timer's alone; both can be repeated."""
    system = InitSystem(tmp_path)
    engine = engine_on(tmp_path, system)
    unit = system.units / "certdeck-fleet.service"
    timer = system.units / "certdeck-renewal.timer"
    timer.write_text("of somebody else\n")
    for _ in range(2):
        assert engine.fleet_service(on=True) is True
    assert f'"{system.program}" fleet watch' in unit.read_text()
    assert "systemctl enable --now certdeck-fleet.service" in system.ran
    for _ in range(2):
        assert engine.fleet_service(on=False) is False
    assert not unit.exists()
    assert timer.read_text() == "of somebody else\n"


def test_without_systemd_it_says_what_to_run(tmp_path: Path) -> None:
    """Where systemd does not run, the error has the command that something else has to keep running."""
    system = InitSystem(tmp_path, systemd=False)
    with pytest.raises(CertdeckError) as caught:
        engine_on(tmp_path, system).fleet_service(on=True)
    assert "fleet watch" in caught.value.fix


def test_its_home_stays_writable() -> None:
    """The unit keeps a home of its own writable under the sandbox of the package, spaces and percent signs quoted."""
    text = fleet_unit("/usr/bin/certdeck", "/srv/my box/100%", Path("/srv/my box/100%/state"))
    assert 'ReadWritePaths="-/srv/my box/100%%"' in text
    assert "ReadWritePaths" not in fleet_unit("/usr/bin/certdeck", None, Path("/var/lib/certdeck"))
