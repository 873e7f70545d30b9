"""What a hub tells of its fleet: devices behind, boxes gone, etcd's members, renewals that fail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from core.fleet_errors import FleetUnreachable
from core.fleet_status import BoxCertificate, BoxStatus, EtcdMember, FleetCertificate, FleetStatus
from core.notify.of_fleet import conditions_of, out_of_reach

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
GOOD = BoxCertificate(name="shop", version=2, wanted=2, state="deployed")
BEHIND = replace(GOOD, version=1, state="behind", why="it serves version 1; version 2 is published")


def box(name: str, certificate: BoxCertificate | None = GOOD, *, role: str = "device", hours: float = 1) -> BoxStatus:
    certificates = () if certificate is None else (certificate,)
    seen = NOW - timedelta(hours=hours)
    return BoxStatus(
        id=name, name=name, role=role, fingerprint="", state="approved", seen=seen, certificates=certificates
    )


def fleet(*boxes: BoxStatus, published: float = 24, **more: object) -> FleetStatus:
    one = FleetCertificate(
        name="shop",
        domains=("shop.example.com",),
        policy="master",
        version=2,
        all_or_none=False,
        not_before=NOW - timedelta(hours=published),
        not_after=NOW + timedelta(days=60),
        renew_at=None,
        sha256="",
    )
    found = FleetStatus(
        id="f",
        name="lab",
        role="hub",
        box="hub",
        leader="hub",
        leader_id="hub",
        leading_since=NOW,
        members=(EtcdMember(endpoint="http://a", state="ok"), EtcdMember(endpoint="http://b", state="ok")),
        boxes=boxes,
        certificates=(one,),
    )
    return replace(found, **more)


def test_all_is_well() -> None:
    """A fleet whose boxes look, whose devices serve the newest version and whose etcd works has nothing to tell."""
    assert conditions_of(fleet(box("hub", None, role="hub"), box("a"), box("b")), NOW) == {}


def test_a_device_is_behind() -> None:
    """One that has had six hours to take a version is told of, once for a certificate; before that none is."""
    boxes = (box("a", BEHIND), box("b", BEHIND), box("c"))
    assert conditions_of(fleet(*boxes, published=2), NOW) == {}
    [found] = conditions_of(fleet(*boxes), NOW).values()
    assert (found.key, found.item.event, found.item.certificate) == ("fleet/late/shop", "not-served", "shop")
    assert found.item.what == "The newest version of shop is not served by 2 of 3 devices."
    assert "a: it serves version 1" in found.item.why


def test_a_device_that_refuses_is_told_at_once() -> None:
    """A refusal does not get better by waiting; it is another level than being late."""
    failed = replace(BEHIND, state="failed", why="The configuration test failed.")
    [found] = conditions_of(fleet(box("a", failed), published=0), NOW).values()
    assert found.level == "failed"


def test_a_certificate_is_revoked() -> None:
    """What its CA has revoked is told of with the CA's reason, as the event `revoked`."""
    whole = fleet(box("a"))
    one = replace(whole.certificates[0], revoked="its CA revoked it (keyCompromise), according to http://ca.test/1.crl")
    [found] = conditions_of(replace(whole, certificates=(one,)), NOW).values()
    assert (found.key, found.item.event, found.item.certificate) == ("fleet/revoked/shop", "revoked", "shop")
    assert "keyCompromise" in found.item.what


def test_a_hub_is_lost() -> None:
    """A box that was not seen for 36 hours is told of, with its role; one that has never looked is not."""
    lost = box("hub-b", None, role="hub", hours=40)
    new = replace(box("new", None), seen=None)
    [found] = conditions_of(fleet(lost, new), NOW).values()
    assert found.item.what == "The hub hub-b was last seen on 27 Nov 2026 at 20:00 UTC."
    assert found.ended == "The hub hub-b is back."


def test_members_of_etcd() -> None:
    """A member that is down is told of, another one is another level; without a quorum the error itself is told."""
    members = (EtcdMember(endpoint="http://a", state="ok"), EtcdMember(endpoint="http://b", state="no answer"))
    [found] = conditions_of(fleet(members=members), NOW).values()
    assert (found.level, found.item.why) == ("1", "http://b: no answer.")
    error = FleetUnreachable("etcd has no quorum.", "Two of three members are down.", "Start them.")
    assert out_of_reach(error).item.fix == "Start them."


def test_a_renewal_that_fails_and_an_end_that_is_near() -> None:
    """What the leading hub could not renew is told with what, why and fix; so is a certificate in its last week."""
    found = fleet()
    [one] = found.certificates
    bad = replace(one, last_error={"what": "No.", "why": "Because.", "fix": "Do."}, not_after=NOW + timedelta(days=3))
    keys = conditions_of(replace(found, certificates=(bad,)), NOW)
    assert set(keys) == {"fleet/renewal/shop", "fleet/expiring/shop"}
    assert keys["fleet/renewal/shop"].item.fix == "Do."
