"""A version that was rolled back from is kept, said, and can be had again without a new order."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config.load import load_lineage
from core.errors import ConfigTestFailed, NotFound
from core.events import SERVICE_DROPPED, SERVICE_TAKEN_OVER, Warned
from core.ports import Completed
from core.store import lineages
from tests.support.appliance import Appliance
from tests.support.services import Service

NAME = "shop.example.com"
REFUSES = Completed(returncode=1, output="nginx: [emerg] unknown directive")


@pytest.fixture
def service(appliance: Appliance, tmp_path: Path) -> Service:
    """A service whose certificate is at version 3."""
    made = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    for _ in range(2):
        appliance.engine.renew((NAME,), force=True)
    return made


def newer(appliance: Appliance) -> tuple[int | None, int | None]:
    status = appliance.engine.status().lineages[0]
    return status.version, status.newer_version


def test_what_was_rolled_back_from_is_taken_again(appliance: Appliance, service: Service) -> None:
    """After a rollback status said nothing of the newer version, and only a new order brought one."""
    assert newer(appliance) == (3, None)
    orders = appliance.ca.count("/new-order")
    third = service.serves
    appliance.engine.rollback(NAME)
    assert newer(appliance) == (2, 3)
    appliance.engine.rollback(NAME)
    assert newer(appliance) == (1, 3)
    assert appliance.engine.deploy(NAME).version == 1, "deploying again is deploying what is live"
    assert appliance.engine.deploy(NAME, version=3).version == 3
    assert service.serves == third == appliance.live(NAME)
    assert newer(appliance) == (3, None)
    assert appliance.ca.count("/new-order") == orders
    assert not (lineages.folder(appliance.paths, NAME, 1) / lineages.KEY).exists()


def test_the_next_run_leaves_a_rollback_alone(appliance: Appliance, service: Service) -> None:
    """Nobody is put forward again by the timer: a rollback was somebody's wish."""
    appliance.engine.rollback(NAME)
    before = service.serves
    assert appliance.engine.renew().renewed == ()
    assert (service.serves, newer(appliance)) == (before, (2, 3))


def test_a_version_that_is_not_kept_is_said(appliance: Appliance, service: Service) -> None:
    """Another number is not found, with those there are; what is live stays."""
    before = service.serves
    with pytest.raises(NotFound, match="is not available") as said:
        appliance.engine.deploy(NAME, version=9)
    assert "1, 2, 3" in said.value.why
    assert service.serves == before


def test_a_service_that_refuses_it_keeps_what_it_has(appliance: Appliance, service: Service) -> None:
    """Taking a version again is a deployment like any other: refused, the live one is served as before."""
    appliance.engine.rollback(NAME)
    before = service.serves
    service.test_answers.append(REFUSES)
    with pytest.raises(ConfigTestFailed):
        appliance.engine.deploy(NAME, version=3)
    assert service.serves == before
    assert appliance.engine.deploy(NAME, version=1).version == 1


def test_a_service_that_is_taken_over_is_said(appliance: Appliance, tmp_path: Path) -> None:
    """Whoever deploys onto a service that carried another certificate is told which one it was, and the way back."""
    appliance.add_service(tmp_path / "srv")
    appliance.add_service(tmp_path / "mail", "mail")
    appliance.issue("old.example.com", targets=("web", "mail"))
    appliance.issue("new.example.com")
    appliance.engine.deploy("new.example.com", targets=("web",), report=appliance.told.append)
    [told] = [event for event in appliance.of(Warned) if isinstance(event, Warned) and event.code == SERVICE_TAKEN_OVER]
    assert "old.example.com" in told.what
    assert told.fix.endswith("certdeck deploy old.example.com --target web mail")


def test_several_services_are_told_of_in_the_plural(appliance: Appliance, tmp_path: Path) -> None:
    """Where several services change hands or are dropped, the sentence has a plural, and their order is that of the settings."""
    appliance.add_service(tmp_path / "srv")
    appliance.add_service(tmp_path / "mail", "mail")
    appliance.add_service(tmp_path / "api", "api")
    appliance.issue("old.example.com", targets=("mail", "web"))
    appliance.issue("new.example.com", targets=("api",))
    appliance.engine.deploy("new.example.com", targets=("web", "mail"), report=appliance.told.append)
    appliance.engine.deploy("new.example.com", targets=("api",), report=appliance.told.append)
    said = [event.what for event in appliance.of(Warned) if isinstance(event, Warned)]
    assert "web, mail now serve new.example.com instead of old.example.com." in said
    assert (
        "new.example.com is no longer deployed to web, mail, which keep their current certificates and get no renewal."
        in said
    )


def test_the_first_certificate_of_a_ca_is_no_surprise(appliance: Appliance, tmp_path: Path) -> None:
    """A service that changes from the self-signed certificate of the first boot to one of a CA is no warning."""
    appliance.add_service(tmp_path / "srv")
    appliance.engine.first_boot()
    appliance.issue("new.example.com", targets=("web",))
    assert load_lineage(appliance.paths, "default").targets == ()
    assert SERVICE_TAKEN_OVER not in [event.code for event in appliance.of(Warned) if isinstance(event, Warned)]


def test_a_service_that_is_dropped_is_said(appliance: Appliance, tmp_path: Path) -> None:
    """Whoever names fewer targets than a certificate had is told which no longer get it, and the way back."""
    appliance.add_service(tmp_path / "srv")
    appliance.add_service(tmp_path / "mail", "mail")
    appliance.issue(NAME, targets=("web", "mail"))
    appliance.engine.deploy(NAME, targets=("web",), report=appliance.told.append)
    [told] = [event for event in appliance.of(Warned) if isinstance(event, Warned) and event.code == SERVICE_DROPPED]
    assert "no longer deployed to mail" in told.what
    assert told.fix.endswith(f"certdeck deploy {NAME} --target web mail")


def test_the_versions_are_listed(appliance: Appliance, service: Service) -> None:
    """Every kept version is listed, the newest first, with which one is live; an unknown certificate is not found."""
    appliance.engine.rollback(NAME)
    listed = appliance.engine.versions(NAME)
    assert [(each.number, each.is_live, each.has_key) for each in listed] == [
        (3, False, True),
        (2, True, True),
        (1, False, True),
    ]
    assert listed[1].sha256 == appliance.engine.status().lineages[0].sha256
    with pytest.raises(NotFound):
        appliance.engine.versions("nothing.example.com")
