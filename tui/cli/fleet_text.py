"""Text and JSON about the fleet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from core.errors import CertdeckError
from tui.cli.jsonout import error_json, rfc3339
from tui.cli.tables import labelled, table
from tui.glyphs import printable
from tui.wording import text

if TYPE_CHECKING:
    from core.fleet_status import BoxCertificate, BoxStatus, FleetStatus, Joined, Member, Received, Removed


def joined_json(done: Joined) -> dict[str, object]:
    return {"id": done.id, "fingerprint": done.fingerprint, "fleet": done.fleet, "role": done.role, "state": done.state}


def joined_lines(done: Joined) -> Iterator[str]:
    """Yield the state of this box in the fleet, and what to do next."""
    if done.created:
        yield f"Created the fleet {done.fleet}. This box is its first hub."
    elif done.state == "approved":
        yield f"This box is in the fleet {done.fleet} as {done.role}."
    else:
        yield f"Asked to join the fleet {done.fleet} as {done.role}."
    yield from labelled([("Id", done.id), ("Fingerprint", done.fingerprint)])
    if done.state != "approved":
        yield f"On a hub, compare the fingerprint and run: certdeck fleet approve {done.id}"


def member_json(each: Member) -> dict[str, object]:
    return {
        "id": each.id,
        "name": each.name,
        "role": each.role,
        "state": each.state,
        "fingerprint": each.fingerprint,
    }


def member_lines(found: Sequence[Member]) -> Iterator[str]:
    """Yield a table of the boxes, and for those that ask to join the fingerprint to compare."""
    yield from table(
        ("Id", "Name", "Role", "State"), [(each.id, printable(each.name), each.role, each.state) for each in found]
    )
    for each in found:
        if each.state == "waiting":
            yield f"{printable(each.name)} asks to join. Its fingerprint: {each.fingerprint}"
            yield f"   certdeck fleet approve {each.id}"


def removed_lines(done: Removed) -> Iterator[str]:
    """Yield what happened to the certificates of a removed box."""
    yield f"Removed {done.id}. It gets no more certificates."
    if done.rotated:
        yield f"Renewed with new keys: {', '.join(map(printable, done.rotated))}."
    if done.failed:
        yield f"Not renewed yet, the next run tries again: {', '.join(map(printable, done.failed))}."


def received_json(done: Received) -> dict[str, object]:
    return {
        "state": done.state,
        "deployed": list(done.deployed),
        "unchanged": list(done.unchanged),
        "staged": list(done.staged),
        "requested": list(done.requested),
        "failed": [{"name": name, "error": _error(exc)} for name, exc in done.failed],
    }


def _error(exc: CertdeckError) -> object:
    return error_json(exc)


def received_lines(done: Received) -> Iterator[str]:
    """Yield the result of a sync of this device."""
    if done.state == "waiting":
        yield "This box is not approved yet. On a hub run: certdeck fleet devices"
        return
    for what, names in (
        ("Deployed", done.deployed),
        ("Ready, waiting for the other devices", done.staged),
        ("Created a signing request for", done.requested),
        ("Unchanged", done.unchanged),
        ("Refused", tuple(name for name, _ in done.failed)),
    ):
        if names:
            yield f"{what}: {', '.join(map(printable, names))}."
    if not any((done.deployed, done.staged, done.requested, done.unchanged, done.failed)):
        yield "Nothing is published for this device."


def refused_lines(done: Received) -> Iterator[str]:
    """Yield why each certificate was rejected."""
    for name, exc in done.failed:
        yield f"{printable(name)}: {printable(exc.what)}"
        yield f"   why: {printable(exc.why)}"
        yield f"   fix: {printable(exc.fix)}"


# -- status ------------------------------------------------------------------------------------------------------------


def status_json(found: FleetStatus) -> dict[str, object]:
    """Return `fleet status --json`."""
    leader = None
    if found.leader_id is not None:
        leader = {"id": found.leader_id, "name": found.leader, "since": _time(found.leading_since)}
    return {
        "fleet": found.id,
        "name": found.name,
        "box": found.box,
        "role": found.role,
        "leader": leader,
        "etcd": [{"endpoint": each.endpoint, "state": each.state} for each in found.members],
        "devices": [_box_json(each) for each in found.boxes],
        "certificates": [
            {
                "name": each.name,
                "domains": list(each.domains),
                "policy": each.policy,
                "version": each.version,
                "all_or_none": each.all_or_none,
                "not_after": _time(each.not_after),
                "renew_at": _time(each.renew_at),
                "sha256": each.sha256 or None,
                "last_error": each.last_error,
                "revoked": each.revoked or None,
            }
            for each in found.certificates
        ],
        "behind": len(found.behind),
    }


def _box_json(box: BoxStatus) -> dict[str, object]:
    return {
        "id": box.id,
        "name": box.name,
        "role": box.role,
        "state": box.state,
        "fingerprint": box.fingerprint,
        "seen": _time(box.seen),
        "release": box.release or None,
        "certificates": [
            {
                "name": one.name,
                "state": one.state,
                "version": one.version,
                "published": one.wanted,
                "served_sha256": one.sha256 or None,
                "why": one.why,
                "at": _time(one.at),
            }
            for one in box.certificates
        ],
    }


def status_lines(found: FleetStatus, now: datetime) -> Iterator[str]:
    """Yield the leader, the certificates, and the devices with their problems."""
    del now
    rows = [("Fleet", f"{printable(found.name)} ({found.id})"), ("This box", f"{found.box}, {found.role}")]
    if found.role != "device":
        leader = printable(found.leader) if found.leader else "no hub currently"
        rows.append(("Leads", leader))
    for each in found.members:
        rows.append(("etcd", f"{printable(each.endpoint)}: {printable(each.state)}"))
    yield from labelled(rows)
    if found.certificates:
        yield ""
        yield from table(
            ("Certificate", "Version", "Keys", "Valid to", "Last error"),
            [
                (
                    printable(each.name),
                    str(each.version) if each.version else "-",
                    each.policy,
                    text.day(each.not_after) if each.not_after else "-",
                    printable(each.trouble),
                )
                for each in found.certificates
            ],
        )
    yield ""
    yield from table(
        ("Device", "Name", "Role", "State", "Certificates"),
        [(each.id, printable(each.name), each.role, each.state, _summary(each.certificates)) for each in found.boxes],
    )
    for box, one in found.behind:
        yield f"{printable(box.name)}: {printable(one.name)} is not up to date: {printable(one.why).rstrip('.')}."


def _summary(certificates: Sequence[BoxCertificate]) -> str:
    if not certificates:
        return "-"
    good = sum(1 for each in certificates if each.state == "deployed")
    return f"{good} of {len(certificates)} up to date"


def _time(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
