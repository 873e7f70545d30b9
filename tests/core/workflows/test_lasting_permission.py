"""Lasting permissions (dns-persist-01) that say more, or less, than was asked for."""

from __future__ import annotations

import pytest

from core.errors import PropagationTimeout, UsageError
from core.events import ChallengePresented, Warned
from core.operations import Issued, IssueRequest, Pending
from tests.support.appliance import Appliance
from tests.support.dns_box import dns_box, issue, values_at

NAME = "example.com"
TXT = f"_validation-persist.{NAME}"


def test_a_look_takes_whatever_will_do(appliance: Appliance) -> None:
    """Who sets the record with an end besides sees it found by the console's look, not only by `complete`."""
    appliance.dns.zone(NAME, "192.0.2.53")
    appliance.ca.challenge_types = ["dns-01", "dns-persist-01"]
    pending = appliance.engine.issue(IssueRequest(domains=(NAME,), challenge="dns-persist-01"))
    assert isinstance(pending, Pending)
    value = pending.records[0].value
    for text, state in ((f"{value}; persistUntil=1", "lacks"), (f"{value}; persistUntil=4000000000", "has")):
        appliance.dns.set(TXT, "TXT", text)
        (view,) = appliance.engine.look_at_records(NAME)
        assert [one.state for one in view.servers] == [state]


def test_the_end_of_the_wider_permission_is_watched(appliance: Appliance) -> None:
    """With the wildcard in the order, a lasting permission for the bare name alone is no reason to be quiet."""
    appliance.dns.zone(NAME, "192.0.2.53")
    appliance.ca.challenge_types = ["dns-01", "dns-persist-01"]
    request = IssueRequest(domains=(f"*.{NAME}", NAME), challenge="dns-persist-01", name="both")
    pending = appliance.engine.issue(request)
    assert isinstance(pending, Pending)
    value = pending.records[0].value
    ends = int(appliance.clock.now().timestamp()) + 30 * 86400
    appliance.dns.set(TXT, "TXT", value.replace("; policy=wildcard", ""), f"{value}; persistUntil={ends}")
    assert isinstance(appliance.engine.complete("both", report=appliance.told.append), Issued)
    assert "permission-ends" in [event.code for event in appliance.of(Warned) if isinstance(event, Warned)]


@pytest.mark.parametrize("given", [{"staging": True}, {"rehearse": True}])
def test_a_rehearsal_leaves_no_lasting_permission(appliance: Appliance, given: dict[str, object]) -> None:
    """What is only tried must not let the staging CA issue for the zone for good: it is refused before anything is written."""
    vendor = dns_box(appliance, NAME)
    appliance.configure('\n[issuers.test]\ndirectory = "https://ca.test/directory"\nagree_tos = true\n')
    text = appliance.paths.config.read_text().replace("[issuers.ca]\n", '[issuers.ca]\nstaging = "test"\n')
    appliance.paths.config.write_text(text)
    appliance.ca.challenge_types = ["dns-01", "dns-persist-01"]
    before = vendor.snapshot()
    with pytest.raises(UsageError) as caught:
        issue(appliance, NAME, challenge="dns-persist-01", **given)
    assert "persistent record" in caught.value.why
    assert vendor.snapshot() == before
    assert appliance.ca.count("/new-order") == 0


def test_a_record_that_is_on_its_way_is_waited_for(appliance: Appliance) -> None:
    """When one name server has the record and another still lacks it, the CA is not asked to look; it can be gone on later."""
    appliance.dns.zone(NAME, "192.0.2.53", "198.51.100.53")
    appliance.ca.challenge_types = ["dns-01", "dns-persist-01"]
    pending = appliance.engine.issue(IssueRequest(domains=(NAME,), challenge="dns-persist-01"))
    assert isinstance(pending, Pending)
    appliance.dns.set(TXT, "TXT", pending.records[0].value)
    appliance.dns.lags = {"198.51.100.53": 1000}
    again = appliance.engine.complete(NAME, report=appliance.told.append)
    assert isinstance(again, Pending)
    assert sorted(one.state for one in again.views[0].servers) == ["has", "lacks"]
    assert appliance.of(ChallengePresented) == []
    appliance.dns.lags = {"198.51.100.53": 3}
    assert isinstance(appliance.engine.complete(NAME), Issued)


def test_a_provider_that_does_not_show_the_permission_fails_the_order(appliance: Appliance) -> None:
    """A lasting record that was made and is not to be seen is a failure, not a request to a person; it stays where it is."""
    vendor = dns_box(appliance, NAME)
    appliance.ca.challenge_types = ["dns-01", "dns-persist-01"]
    appliance.dns.sources.clear()
    with pytest.raises(PropagationTimeout):
        issue(appliance, NAME, challenge="dns-persist-01")
    assert len(values_at(vendor, TXT)) == 1
