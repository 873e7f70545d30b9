"""What a run does, step by step, in a file: for runs that nobody watches."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from core.config.load import parse_config
from core.errors import CertdeckError, ConfigError
from core.store import step_log
from core.store.step_log import StepLog
from tests.support.acme_server import problem
from tests.support.appliance import Appliance
from tests.support.clock import NOON

NAME = "shop.example.com"


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    return Appliance(tmp_path / "box")


def test_each_step_of_a_run_is_a_line(appliance: Appliance) -> None:
    """With `level = "debug"` an order and a failed renewal can be followed; the file is its owner's alone, and holds no key."""
    appliance.configure('\n[log]\nlevel = "debug"\n')
    appliance.issue(NAME)
    appliance.clock.advance(days=70)
    appliance.ca.fail("/new-order", problem("serverInternal", 403), times=9)
    assert appliance.engine.renew().failed
    text = appliance.paths.debug_log.read_text()
    assert all(kind in text for kind in ("order-created", "challenge-presented", "certificate-issued", "run-finished"))
    assert f" ERROR {NAME}: " in text
    assert "PRIVATE KEY" not in text
    assert stat.S_IMODE(appliance.paths.debug_log.stat().st_mode) == 0o600


def test_without_it_there_is_no_file(appliance: Appliance) -> None:
    """The default keeps steps in the history alone."""
    appliance.issue(NAME)
    assert not appliance.paths.debug_log.exists()


def test_the_file_starts_anew_when_it_is_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A box that is forgotten in debug mode keeps two files of a bounded size."""
    monkeypatch.setattr(step_log, "MOST_BYTES", 1000)
    log = StepLog(tmp_path / "log" / "certdeck.log", NOON)
    for number in range(100):
        log.write(f"step {number}", 6, {"event": "step"})
    files = sorted((tmp_path / "log").iterdir())
    assert [file.name for file in files] == ["certdeck.log", "certdeck.log.1"]
    assert all(file.stat().st_size < 1200 for file in files)
    assert "step 99" in files[0].read_text()


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """A link in its place is not followed, and a folder that is a file is no error."""
    (tmp_path / "elsewhere").write_text("")
    (tmp_path / "certdeck.log").symlink_to(tmp_path / "elsewhere")
    StepLog(tmp_path / "certdeck.log", NOON).write("x", 6, {})
    StepLog(tmp_path / "elsewhere" / "certdeck.log", NOON).write("x", 6, {})
    assert (tmp_path / "elsewhere").read_text() == ""


def test_another_level_is_refused(tmp_path: Path) -> None:
    """The levels are named in the refusal."""
    with pytest.raises(ConfigError) as caught:
        parse_config(b'[log]\nlevel = "verbose"\n', tmp_path / "certdeck.toml")
    assert isinstance(caught.value, CertdeckError)
    assert "warning, debug" in caught.value.fix
