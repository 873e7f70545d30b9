"""core.workflows.keeping.delete: nothing is let go before a copy is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import StoreError, VaultError
from tests.support.appliance import Appliance

NAME = "shop.example.com"


def test_a_delete_that_can_keep_no_copy_changes_nothing(appliance: Appliance, tmp_path: Path) -> None:
    """Without the master key no copy can be sealed: then the lineage stays, and its services stay with it."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    link = Path(service.target.certificate).readlink()
    appliance.paths.master_key.unlink()
    with pytest.raises(VaultError):
        appliance.engine.delete(NAME, force=True)
    assert Path(service.target.certificate).readlink() == link
    assert [each.name for each in appliance.engine.status().lineages] == [NAME]


def test_a_service_that_cannot_be_let_go_keeps_its_lineage(appliance: Appliance, tmp_path: Path) -> None:
    """When a service's files cannot be made plain the lineage stays, and no copy of it is left over."""
    appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    (tmp_path / "srv" / ".certdeck-web.web.crt").mkdir()
    with pytest.raises(StoreError, match=r"\.certdeck-web"):
        appliance.engine.delete(NAME, force=True)
    assert [each.name for each in appliance.engine.status().lineages] == [NAME]
    assert list(appliance.paths.deleted.glob("*.sealed")) == []
