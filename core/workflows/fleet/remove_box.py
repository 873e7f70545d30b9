"""Removes a box from the fleet."""

from __future__ import annotations

from msgspec.structs import replace

from core.errors import UsageError
from core.events import KNOWS_ACCOUNTS, KNOWS_ROOT, Changed, Warned
from core.fleet import layout
from core.fleet.election import Leadership
from core.fleet.etcd import Guard
from core.fleet.values import DEVICE, encoded
from core.fleet_status import Removed
from core.workflows.fleet import access
from core.workflows.fleet.connection import Hub, leading
from core.workflows.fleet.known import certificates, current, meant_for
from core.workflows.fleet.members import the_box
from core.workflows.fleet.orders import LEADER_WAIT_SECONDS, Done, renew
from core.workflows.fleet.rekey import new_master


def remove(hub: Hub, id: str) -> Removed:
    """Remove a box: nothing more is sealed to it, its access ends, and its certificates get new keys.

    Raises NotFound (`not-found`); UsageError for this box itself; NotLeading, FleetError.
    """
    box = replace(the_box(hub, id), is_removing=False)
    if id == hub.identity.box:
        raise UsageError(
            "This box cannot remove itself.",
            "It would lose the keys that it needs for the removal.",
            "Run the command on another hub.",
        )
    with leading(hub, wait_seconds=LEADER_WAIT_SECONDS) as lead:
        had = [one for one in certificates(hub).values() if box.is_hub or box in meant_for(one, [box])]
        # From here on the box is out. Its entry stays to the end, so that an interrupted removal can be completed.
        out = {layout.BOXES + id: encoded(replace(box, is_removing=True))}
        places = (layout.WELCOME, layout.JOIN, layout.MASTERS, layout.LISTENERS)
        hub.etcd.commit(out, [place + id for place in places], [lead.guard()])
        hub.etcd.delete_prefix(layout.device(id))
        hub.etcd.delete_prefix(layout.reports(id))
        if box.username:
            access.expel(hub, box.username)
        if box.is_hub:
            hub = new_master(hub, lead)
            hub.context.narrator.tell(
                Warned(
                    code=KNOWS_ACCOUNTS,
                    what=f"{box.name} was a hub, so it knows the ACME account keys.",
                    fix="Give each account a new key: certdeck account rollover ISSUER",
                )
            )
        if box.is_hub and box.username and hub.context.vault.find(access.ROOT_PASSWORD) is None:
            # The hub that created the users has root's password, and it is not this one.
            hub.context.narrator.tell(
                Warned(
                    code=KNOWS_ROOT,
                    what=f"{box.name} may know the password of etcd's user root: one of the hubs created it.",
                    fix="Change it: etcdctl user passwd root",
                )
            )
        for one in had:
            _mark(hub, lead, one.name, id)
        hub.etcd.commit({}, [layout.BOXES + id], [lead.guard()])
        hub.context.narrator.tell(Changed(what=f"removed {box.name} ({id}) from the fleet"))
        done = renew(hub, lead, [one.name for one in had]) if had else Done()
    return Removed(id=id, rotated=done.renewed, failed=tuple(each.name for each in done.failed))


def _mark(hub: Hub, lead: Leadership, name: str, gone: str) -> None:
    """Mark a certificate for renewal with a new key, because a removed box had the old one."""
    one, there = current(hub, name)
    left = tuple(id for id in one.boxes if id != gone)
    # With the policy `device`, no other box had this box's key.
    rotate = one.rotate or (one.policy != DEVICE and one.version > 0)
    marked = replace(one, rotate=rotate, boxes=left or (("none",) if one.boxes else ()), next_attempt=None)
    hub.etcd.commit({there.key: encoded(marked)}, guards=[lead.guard(), Guard(there.key, modified=there.modified)])
