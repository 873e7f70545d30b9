"""An issuance and a renewal that are killed, or find the disk full, at every single file operation; no service is concerned."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config.load import load_lineage
from core.errors import CertdeckError
from core.store import journal, lineages
from tests.contract.test_power_cuts import NAME, Home
from tests.support.killer import full_disks, kills, leftovers


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A box that delivers to no service."""
    return Home(tmp_path, targets=0)


def assert_settled(home: Home, where: str) -> None:
    """The newest version is live, with its settings, and nothing lies about."""
    home.assert_live(where)
    assert lineages.live_version(home.paths, NAME) == lineages.versions(home.paths, NAME)[-1], where
    assert lineages.waiting_version(home.paths, NAME) is None, where
    assert load_lineage(home.paths, NAME).domains == (NAME,), where
    assert journal.names(home.paths) == (), where
    assert leftovers(home.folder) == [], where


def test_an_issuance_is_finished_by_the_next(home: Home) -> None:
    """After a kill at any operation nothing is live, or a whole version with its settings; the same command ends it."""
    for where in kills(home.folder, home.issue):
        home.box.ca.orders.clear()  # those of this process: the one that died has placed its own
        home.assert_live(where)
        if lineages.live_version(home.paths, NAME):
            assert load_lineage(home.paths, NAME).domains == (NAME,), where
        home.issue()
        assert_settled(home, where)
        assert lineages.versions(home.paths, NAME) == (1,), where


def test_a_renewal_is_finished_by_the_next_run(home: Home) -> None:
    """After a kill at any operation the old version is live, or the new one, and the next scheduled run deploys what is stored."""
    home.issue()
    for where in kills(home.folder, home.renew):
        home.box.ca.orders.clear()
        home.assert_live(where)
        assert lineages.live_version(home.paths, NAME) in (1, 2), where
        assert home.box.engine.renew().failed == (), where
        home.started()  # a run with nothing to do sweeps nothing
        assert_settled(home, where)


def test_a_full_disk_leaves_the_old_version(home: Home) -> None:
    """A disk that fills up at any operation of a renewal is said in words, and the next run needs nothing but room."""
    home.issue()
    for where, error in full_disks(home.folder, lambda: home.box.engine.renew([NAME], force=True)):
        assert error is None or isinstance(error, CertdeckError), where
        home.assert_live(where)
        assert home.box.engine.renew([NAME]).failed == (), where
        assert_settled(home, where)
