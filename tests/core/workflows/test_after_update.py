"""The first scheduled run after an update checks the installation, says what is damaged, and renews all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import SelfCheckFailed
from core.release import VERSION
from core.store.records import FORMAT
from tests.support.appliance import CONFIG, Appliance
from tests.support.hook_receiver import Receiver

NAME = "shop.example.com"
HOOK = '\n[notifications.hook]\nkind = "webhook"\nurl = "https://hook.test/in"\non = ["failed", "recovered"]\n'


@pytest.fixture
def told() -> Receiver:
    """Who is told."""
    return Receiver()


@pytest.fixture
def box(tmp_path: Path, told: Receiver) -> Appliance:
    """A box that has run, with a webhook; its account's file is damaged."""
    box = Appliance(tmp_path / "box", f"{CONFIG}{HOOK}")
    box.vendors["hook.test"] = told
    box.issue(NAME)
    box.engine.renew()
    return box


def updated(box: Appliance) -> None:
    """Make the release that runs a new one."""
    box.paths.checked_release.write_text(json.dumps({"format": FORMAT, "release": "0.0.1"}))


def damage(box: Appliance) -> Path:
    """Make the file of another certificate one that cannot be read. Returns it."""
    path = box.paths.certificates / "broken.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("domains = 3\n")
    return path


def test_a_damage_is_a_warning_a_row_of_the_log_and_a_message_until_it_is_over(box: Appliance, told: Receiver) -> None:
    """The run warns, tells, logs, renews what is due, checks again the next time, and tells when all is well."""
    path = damage(box)
    updated(box)
    told.told()
    box.clock.advance(days=70)
    report = box.engine.renew()
    assert report.renewed == (NAME,)
    [warning] = [each for each in report.warnings if each.code == SelfCheckFailed.code]
    assert "broken" in warning.what
    assert "certdeck self-check" in warning.fix
    assert any(SelfCheckFailed.code in repr(entry) for entry in box.engine.log())
    assert ("failed", None) in told.told()
    box.clock.advance(hours=12)
    assert SelfCheckFailed.code in [each.code for each in box.engine.renew().warnings]
    path.unlink()
    box.clock.advance(hours=12)
    assert SelfCheckFailed.code not in [each.code for each in box.engine.renew().warnings]
    assert ("recovered", None) in told.told()
    assert json.loads(box.paths.checked_release.read_text())["release"] == VERSION


def test_the_same_release_is_checked_once(box: Appliance) -> None:
    """Without an update nothing is checked, and what a person starts checks nothing."""
    damage(box)
    assert SelfCheckFailed.code not in [each.code for each in box.engine.renew().warnings]
    updated(box)
    assert SelfCheckFailed.code not in [each.code for each in box.engine.renew([NAME]).warnings]
    assert SelfCheckFailed.code not in [each.code for each in box.engine.renew(dry_run=True).warnings]


def test_a_fresh_box_is_not_an_updated_one(tmp_path: Path) -> None:
    """The first run of a new box notes its release and checks nothing."""
    box = Appliance(tmp_path / "new", CONFIG)
    damage(box)
    assert SelfCheckFailed.code not in [each.code for each in box.engine.renew().warnings]
    assert json.loads(box.paths.checked_release.read_text())["release"] == VERSION
