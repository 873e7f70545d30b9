"""A service that AppArmor keeps from its files: said by `target test` and doctor, and with a deployment that failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.apparmor.installed import LOADED
from core.errors import ReloadFailed
from core.ports import Completed
from tests.support.appliance import Appliance

NAME = "shop.example.com"


def confine(appliance: Appliance, rules: str) -> None:
    """Put a profile of the service `web` in force."""
    loaded = appliance.root / LOADED[1:]
    loaded.parent.mkdir(parents=True)
    loaded.write_text("web (enforce)\n")
    folder = appliance.root / "etc/apparmor.d"
    folder.mkdir(parents=True)
    (folder / "usr.sbin.web").write_text(f"profile web /usr/sbin/web {{ {rules} }}\n")


def test_target_test_names_the_rule(appliance: Appliance, tmp_path: Path) -> None:
    """Before anything is deployed, `target test` and doctor say which rule is missing, and where it goes."""
    appliance.add_service(tmp_path / "srv")
    confine(appliance, "/etc/web/** r,")
    (found,) = [each for each in appliance.engine.test_target("web") if each.id == "target-apparmor"]
    assert found.status == "warn"
    assert found.detail == (
        f"AppArmor does not allow the service to read {tmp_path}/srv/.certdeck-web: its profile web is enforced"
    )
    assert f"{tmp_path}/srv/.certdeck-web/** r," in found.fix
    assert found in appliance.engine.doctor()


def test_target_test_is_silent_where_the_profile_allows(appliance: Appliance, tmp_path: Path) -> None:
    """With the rule there is no finding."""
    appliance.add_service(tmp_path / "srv")
    confine(appliance, f"{tmp_path}/srv/** r,")
    assert [each for each in appliance.engine.test_target("web") if each.id == "target-apparmor"] == []


def test_a_failed_deployment_names_apparmor(appliance: Appliance, tmp_path: Path) -> None:
    """The service says no more than "permission denied"; the error says who denies it, and how to allow it."""
    service = appliance.add_service(tmp_path / "srv")
    confine(appliance, "/etc/web/** r,")
    service.reload_answers = [Completed(returncode=1, output="key: Permission denied\n")]
    with pytest.raises(ReloadFailed) as caught:
        appliance.issue(NAME, targets=("web",))
    error = caught.value
    assert "Permission denied" in error.why
    assert "its profile web is enforced." in error.why
    assert error.fix.startswith(f"Add `{tmp_path}/srv/.certdeck-web/** r,` to the profile web in ")
    assert f"Then run `certdeck deploy {NAME}" in error.fix
