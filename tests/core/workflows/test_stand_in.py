"""core.workflows.issuing.fallback, inflight: who stands in for whom, and when that is over."""

from __future__ import annotations

from pathlib import Path

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
    assert [target.why for target in status.targets] == ["The fallback certificate stands in until renewing succeeds."]
    appliance.engine.deploy(NAME)
    assert service.serves == appliance.live(NAME)
    assert not renewal_state.load(appliance.paths, NAME).on_fallback
    appliance.engine.renew((NAME,))
    assert service.serves == appliance.live("default")
