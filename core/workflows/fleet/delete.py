"""Removes a certificate from the fleet: no hub renews it, and its keys are deleted. Devices keep serving their copies."""

from __future__ import annotations

from core.errors import InUse
from core.events import Changed
from core.fleet import layout
from core.fleet.etcd import Guard
from core.operations import Deleted
from core.workflows.fleet.connection import Hub, leading
from core.workflows.fleet.known import boxes, current, meant_for
from core.workflows.fleet.orders import LEADER_WAIT_SECONDS
from core.workflows.fleet.publish import deliver
from core.workflows.fleet.together import DEPLOYED, states_of


def delete(hub: Hub, name: str, *, force: bool) -> Deleted:
    """Remove a certificate from the fleet.

    Raises NotFound (`not-found`); InUse (`in-use`) if devices serve it and `force` is not set; NotLeading, FleetError.
    """
    with leading(hub, wait_seconds=LEADER_WAIT_SECONDS) as lead:
        one, there = current(hub, name)
        serving = states_of(hub, one, meant_for(one, boxes(hub).values())).count(DEPLOYED)
        if serving and not force:
            raise InUse(
                f"{name} is served by {serving} {'device' if serving == 1 else 'devices'} of the fleet.",
                "It is no longer renewed after it is deleted.",
                "Deploy another certificate there first, or delete with --force: the devices then keep their current files.",
                lineage=name,
            )
        # Delete the entry after the keys, so that an interrupted deletion can be repeated. The deliveries follow from the entry.
        hub.etcd.delete_prefix(f"{layout.KEYS}{name}/")
        hub.etcd.commit({}, [there.key, layout.order(name)], [lead.guard(), Guard(there.key, modified=there.modified)])
        hub.etcd.delete_prefix(layout.order(name) + layout.OF_DEVICE)
        deliver(hub, lead)
        hub.context.about(name).narrator.tell(Changed(what=f"deleted {name} from the fleet"))
    return Deleted(name=name, kept_until=None)
