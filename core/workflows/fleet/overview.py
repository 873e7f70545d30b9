"""State of the fleet: of all boxes on a hub, of the box itself on a device."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from core.errors import CertdeckError
from core.fleet import layout
from core.fleet.election import leader_of
from core.fleet.etcd import Etcd
from core.fleet.sealing import fingerprint
from core.fleet.values import APPROVED, WAITING, Certificate, Delivery, Seen, Signed, Told, decoded
from core.fleet_errors import FleetError
from core.fleet_status import BoxCertificate, BoxStatus, EtcdMember, FleetCertificate, FleetStatus
from core.store.fleet import load_identity
from core.store.lineages import lineage_of
from core.store.records import parse_time
from core.text import safe_line
from core.workflows.context import Context
from core.workflows.fleet.connection import Hub, as_hub, box_name, connected, read_fleet, require_fleet, same_fleet
from core.workflows.fleet.due import renewal_time
from core.workflows.fleet.known import boxes, certificates, meant_for
from core.workflows.fleet.members import members
from core.workflows.fleet.publish import SHARED_BY_ALL
from core.workflows.fleet.revoked import words_of


def status(context: Context) -> FleetStatus:
    """Return the state of the fleet. On a device it contains only that device. Raises UsageError, FleetError."""
    require_fleet(context)
    if context.config.fleet.is_hub:
        with as_hub(context) as hub:
            return _of_all(hub)
    return _of_device(context)


def _of_all(hub: Hub) -> FleetStatus:
    known = boxes(hub)
    wanted = certificates(hub)
    told = {entry.key: entry.value for entry in hub.etcd.range(layout.REPORTS)[0]}
    shown = []
    for member in members(hub):
        seen = _seen(told.get(layout.seen(member.id)))
        box = known.get(member.id)
        own: tuple[BoxCertificate, ...] = ()
        if member.state == APPROVED and box is not None and box.is_device:
            own = tuple(
                _on_box(one, member.id, told.get(layout.report(member.id, one.name)))
                for one in wanted.values()
                if meant_for(one, [box])
            )
        shown.append(
            BoxStatus(
                id=member.id,
                name=member.name,
                role=member.role,
                fingerprint=member.fingerprint,
                state=member.state,
                seen=seen.at if seen else None,
                release=safe_line(seen.release, 40) if seen else "",
                certificates=own,
            )
        )
    leader = leader_of(hub.etcd.get(layout.LEADER))
    return FleetStatus(
        id=hub.fleet.id,
        name=hub.fleet.name,
        role=hub.identity.role,
        box=hub.identity.box,
        leader=leader.name if leader else None,
        leader_id=leader.box if leader else None,
        leading_since=leader.since if leader else None,
        members=_members_of_etcd(hub.etcd),
        boxes=tuple(shown),
        certificates=tuple(_certificate(hub, one) for one in wanted.values()),
    )


def _members_of_etcd(etcd: Etcd) -> tuple[EtcdMember, ...]:
    gateway = etcd.gateway
    return tuple(EtcdMember(endpoint=each, state=gateway.member_health(each)) for each in gateway.endpoints)


def _certificate(hub: Hub, one: Certificate) -> FleetCertificate:
    begins, ends = [], []
    for facts in one.made.values():
        with suppress(ValueError, KeyError):
            ends.append(parse_time(str(facts["not_after"])))
            begins.append(parse_time(str(facts["not_before"])))
    due = renewal_time(hub, one)
    return FleetCertificate(
        name=one.name,
        domains=lineage_of(one.spec, one.name).domains,
        policy=one.policy,
        version=one.version,
        all_or_none=one.all_or_none,
        not_before=max(begins, default=None),
        not_after=min(ends, default=None),
        renew_at=None if due is None else datetime.fromtimestamp(due, UTC),
        sha256=str((one.made.get(SHARED_BY_ALL) or {}).get("sha256") or ""),
        last_error=one.last_error,
        revoked=safe_line(words_of(one), 400),
    )


def _on_box(one: Certificate, id: str, report: bytes | None) -> BoxCertificate:
    """Compare a device's report with the published version. The report is untrusted data."""
    told = None
    with suppress(CertdeckError):
        told = None if report is None else decoded(Told, report, one.name)
    if told is None:
        return BoxCertificate(
            name=one.name,
            version=0,
            wanted=one.version,
            state="none",
            why="the device has not confirmed that it serves it" if one.version else "it has not been issued yet",
        )
    facts = one.made.get(id) or one.made.get(SHARED_BY_ALL) or {}
    sha256 = safe_line(told.sha256, 100)
    if told.state == "failed":
        error = told.error or {}
        why = safe_line(f"{error.get('what', '')} {error.get('why', '')}", 400)
        state = "failed"
    elif told.version == one.version and sha256 == facts.get("sha256"):
        state, why = "deployed", ""
    else:
        state, why = "behind", f"it serves version {told.version}; version {one.version} is published"
    return BoxCertificate(
        name=one.name,
        version=told.version,
        wanted=one.version,
        state=state,
        why=why,
        sha256=sha256,
        at=told.at,
    )


def _seen(value: bytes | None) -> Seen | None:
    with suppress(CertdeckError):
        return None if value is None else decoded(Seen, value, "seen")
    return None


def _of_device(context: Context) -> FleetStatus:
    identity = load_identity(context.paths)
    if identity is None:
        raise FleetError(
            "This box has not asked to join the fleet yet.", "No hub has a request from it.", "Run: certdeck fleet join"
        )
    from core.fleet.sealing import public_half
    from core.workflows.fleet.access import ticket_login
    from core.workflows.fleet.members import own_key

    is_in = bool(identity.fleet)
    with connected(context, login=None if is_in else ticket_login(context)) as etcd:
        fleet = read_fleet(etcd)
        same_fleet(identity, fleet)
        own = []
        for entry in etcd.range(layout.device(identity.box))[0] if is_in else ():
            kind, _, name = entry.key.removeprefix(layout.device(identity.box)).partition("/")
            if kind != "certs":
                continue
            delivery = decoded(Delivery, decoded(Signed, entry.value, entry.key).text.encode(), entry.key)
            report = etcd.get(layout.report(identity.box, name))
            own.append(_as_delivered(delivery, None if report is None else report.value))
        seen = _seen(found.value) if is_in and (found := etcd.get(layout.seen(identity.box))) else None
        me = BoxStatus(
            id=identity.box,
            name=box_name(context),
            role=identity.role,
            fingerprint=fingerprint(public_half(own_key(context))),
            state=APPROVED if is_in else WAITING,
            seen=seen.at if seen else None,
            release=seen.release if seen else "",
            certificates=tuple(own),
        )
        return FleetStatus(
            id=fleet.id,
            name=fleet.name,
            role=identity.role,
            box=identity.box,
            leader=None,
            leader_id=None,
            leading_since=None,
            members=_members_of_etcd(etcd),
            boxes=(me,),
        )


def _as_delivered(delivery: Delivery, report: bytes | None) -> BoxCertificate:
    from core.x509.chain import split_fullchain

    sha256 = split_fullchain(delivery.fullchain.encode())[0].sha256
    one = Certificate(
        name=delivery.name,
        spec={},
        version=delivery.version,
        policy=delivery.policy,
        made={SHARED_BY_ALL: {"sha256": sha256}},
    )
    return _on_box(one, "", report)
