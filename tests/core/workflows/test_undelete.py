"""A deleted certificate comes back, and takes nothing from anybody."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import AlreadyThere, MasterKeyMissing, NotFound
from core.store.copies import KEPT_FOR
from tests.support.appliance import Appliance
from tests.support.clock import NOON

NAME = "shop.example.com"


def test_a_deleted_certificate_comes_back(appliance: Appliance) -> None:
    """A slip can be undone: the same version is live again under the same settings, and the one before it is there, too."""
    appliance.issue(NAME)
    appliance.engine.renew((NAME,), force=True)
    appliance.engine.set_lineage(NAME, auto_renew=False)
    appliance.engine.rollback(NAME)
    before, status = appliance.live(NAME), appliance.engine.status().lineages[0]
    appliance.engine.delete(NAME)
    [copy] = appliance.engine.deleted()
    assert (copy.name, copy.deleted, copy.kept_until, copy.in_the_way) == (NAME, NOON, NOON + KEPT_FOR, False)
    back = appliance.engine.undelete(NAME)
    assert (back.name, back.version, back.live) == (NAME, 1, True)
    assert appliance.live(NAME) == before
    assert appliance.engine.status().lineages[0] == status
    assert appliance.engine.renew(dry_run=True).due == ()


def test_what_came_back_takes_no_service_away(appliance: Appliance, tmp_path: Path) -> None:
    """A service that carries another certificate by now keeps it, also at the next run."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    appliance.engine.delete(NAME, force=True)
    appliance.issue("other.example.com", targets=("web",))
    appliance.engine.undelete(NAME)
    assert appliance.engine.renew().renewed == ()
    assert service.serves == appliance.live("other.example.com")
    assert [(each.name, [t.name for t in each.targets]) for each in appliance.engine.status().lineages] == [
        ("other.example.com", ["web"]),
        (NAME, []),
    ]


def test_a_service_that_nobody_took_is_its_own_again(appliance: Appliance, tmp_path: Path) -> None:
    """A target that carries nothing else is the certificate's again, and a deployment reaches it."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    appliance.engine.delete(NAME, force=True)
    appliance.engine.undelete(NAME)
    appliance.engine.deploy(NAME)
    assert service.serves == appliance.live(NAME)


def test_a_certificate_of_that_name_is_not_replaced(appliance: Appliance) -> None:
    """Where there is one of the name again, nothing is brought back over it."""
    appliance.issue(NAME)
    appliance.engine.delete(NAME)
    appliance.issue(NAME)
    before = appliance.live(NAME)
    assert appliance.engine.deleted()[0].in_the_way
    with pytest.raises(AlreadyThere, match="already"):
        appliance.engine.undelete(NAME)
    assert appliance.live(NAME) == before


@pytest.mark.parametrize("name", ["nothing", "../shop", "", "a\0b"])
def test_what_was_never_deleted_is_not_found(appliance: Appliance, name: str) -> None:
    """Any other name is not found, whatever it looks like."""
    with pytest.raises(NotFound):
        appliance.engine.undelete(name)


def test_a_copy_that_cannot_be_opened_changes_nothing(appliance: Appliance) -> None:
    """Without the master key the copy stays, and no half of a lineage is left."""
    appliance.issue(NAME)
    appliance.engine.delete(NAME)
    key = appliance.paths.master_key
    key.rename(key.with_name("elsewhere"))
    with pytest.raises(MasterKeyMissing):
        appliance.engine.undelete(NAME)
    assert appliance.engine.status().lineages == ()
    key.with_name("elsewhere").rename(key)
    appliance.engine.undelete(NAME)


def test_old_copies_go_on_a_quiet_box(appliance: Appliance) -> None:
    """Copies of keys outlived their 30 days where no renewal was due; now a run with nothing to do removes them."""
    appliance.issue(NAME)
    appliance.engine.delete(NAME)
    appliance.clock.advance(days=29)
    appliance.engine.renew()
    assert len(appliance.engine.deleted()) == 1
    appliance.clock.advance(days=1)
    assert appliance.engine.deleted() == ()
    appliance.engine.renew()
    assert list(appliance.paths.deleted.iterdir()) == []


def test_a_run_with_nothing_due_takes_no_lock_for_a_young_copy(appliance: Appliance) -> None:
    """Looking for old copies costs one listing: no lock, no history, while none is old."""
    appliance.issue(NAME)
    appliance.engine.delete(NAME)
    appliance.clock.advance(seconds=timedelta(days=3).total_seconds())
    size = appliance.paths.lock.stat().st_mtime_ns
    appliance.engine.renew()
    assert appliance.paths.lock.stat().st_mtime_ns == size


def test_what_is_live_after_a_rollback_is_said(appliance: Appliance, tmp_path: Path) -> None:
    """The version that was rolled back to is the live one again, and the service that still shows it needs nothing."""
    appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    appliance.engine.renew((NAME,), force=True)
    appliance.engine.renew((NAME,), force=True)
    appliance.engine.rollback(NAME)
    appliance.engine.delete(NAME, force=True)
    back = appliance.engine.undelete(NAME)
    assert (back.version, back.live, back.rolled_back_from) == (2, True, 3)
    assert (back.targets, back.shown_by) == (("web",), ("web",))
