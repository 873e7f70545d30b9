"""core.workflows.issuing.fallback, inflight: who stands in for whom, and when that is over."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config.load import load_lineage
from core.errors import CertdeckError
from core.ports import TransportFailure
from core.store import renewal_state
from tests.support.appliance import Appliance

NAME = "shop.example.com"
GONE = TransportFailure("unreachable", "connection refused")


def test_a_deployment_ends_the_stand_in(appliance: Appliance, tmp_path: Path) -> None:
    """Whoever puts the lineage's own certificate back ends the stand-in, so that the next failure brings it again (CL-08)."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    appliance.engine.first_boot()
    appliance.ca.fail("", GONE, times=10_000)
    appliance.clock.advance(days=91)
    appliance.engine.renew((NAME,))
    assert service.serves == appliance.live("default")
    status = next(each for each in appliance.engine.status().lineages if each.name == NAME)
    assert [target.why for target in status.targets] == ["The fallback certificate is served until renewal succeeds."]
    appliance.engine.deploy(NAME)
    assert service.serves == appliance.live(NAME)
    assert not renewal_state.load(appliance.paths, NAME).on_fallback
    appliance.engine.renew((NAME,))
    assert service.serves == appliance.live("default")


def test_a_certificate_may_have_a_fallback_of_its_own(appliance: Appliance, tmp_path: Path) -> None:
    """A certificate's own fallback stands in before that of the box (CL-08, CL-09)."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    appliance.engine.first_boot()
    appliance.clock.advance(days=80)
    appliance.issue("spare.example.com")
    appliance.engine.set_lineage(NAME, fallback="spare.example.com")
    appliance.ca.fail("", GONE, times=10_000)
    appliance.clock.advance(days=11)
    appliance.engine.renew((NAME,))
    assert service.serves == appliance.live("spare.example.com")


def test_a_fallback_that_has_expired_does_not_stand_in(appliance: Appliance, tmp_path: Path) -> None:
    """Where a certificate's own fallback is not valid, or is gone, that of the box stands in."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    appliance.issue("spare.example.com")
    appliance.engine.first_boot()
    appliance.engine.set_lineage(NAME, fallback="spare.example.com")
    appliance.ca.fail("", GONE, times=10_000)
    appliance.clock.advance(days=91)
    appliance.engine.renew((NAME,))
    assert service.serves == appliance.live("default")


@pytest.mark.parametrize(("fallback", "code"), [(NAME, "usage"), ("nothing", "not-found")])
def test_a_fallback_has_to_be_another_certificate(appliance: Appliance, fallback: str, code: str) -> None:
    """What cannot stand in is refused when it is set; an empty name goes back to that of the box."""
    appliance.issue(NAME)
    appliance.engine.first_boot()
    with pytest.raises(CertdeckError) as caught:
        appliance.engine.set_lineage(NAME, fallback=fallback)
    assert caught.value.code == code
    appliance.engine.set_lineage(NAME, fallback="default")
    assert load_lineage(appliance.paths, NAME).fallback_certificate == "default"
    appliance.engine.set_lineage(NAME, fallback="")
    assert load_lineage(appliance.paths, NAME).fallback_certificate is None
