"""Connects to etcd as configured, loads the keys of a hub, and makes a hub the leader."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from msgspec import Struct

from core.errors import NotFound, UsageError
from core.fleet.election import Leadership, campaign, leader_of
from core.fleet.etcd import Etcd
from core.fleet.gateway import Gateway
from core.fleet.layout import FLEET, MASTERS
from core.fleet.sealing import Master, open_with
from core.fleet.values import FleetRecord, Leader, Welcome, decoded, unb64
from core.fleet_errors import FleetError, NotLeading
from core.ports import ClientIdentity, StreamTransport
from core.store.fleet import BOX_KEY, MASTER_KEY, OLD_MASTER_KEY, PASSWORD, Identity, load_identity
from core.workflows.context import Context

ELECTION_PAUSE_SECONDS = 0.3


class Hub(Struct, frozen=True, kw_only=True):
    """This box as a hub."""

    context: Context
    etcd: Etcd
    fleet: FleetRecord
    identity: Identity
    master: Master

    @property
    def box_name(self) -> str:
        return box_name(self.context)


def box_name(context: Context) -> str:
    config = context.config
    return config.fleet.name or config.appliance.hostname or context.env.host.name()


def require_fleet(context: Context) -> None:
    """Raise UsageError if the configuration has no fleet."""
    if not context.config.fleet.endpoints:
        raise UsageError(
            "This box does not belong to a fleet.",
            "Its configuration has no [fleet] section with the etcd endpoints.",
            'Add to certdeck.toml: [fleet], endpoints = ["https://etcd1.example.com:2379"], role = "hub" or "device".',
        )


def peers(context: Context) -> StreamTransport:
    """Return a transport to etcd's members. Raises UsageError, or ConfigError for unusable files."""
    fleet = context.config.fleet
    identity = None
    if fleet.certificate or fleet.key:
        if not (fleet.certificate and fleet.key):
            raise UsageError(
                "[fleet] has a certificate without its key, or a key without its certificate.",
                "A client certificate needs both.",
                "Set both certificate and key, or remove both.",
            )
        identity = ClientIdentity(certificate=fleet.certificate, key=fleet.key)
    return context.env.peers(fleet.ca_bundle, identity)


@contextmanager
def connected(context: Context, *, login: tuple[str, str] | None = None) -> Iterator[Etcd]:
    """Yield the configured etcd. Its connections close when the context ends.

    Args:
        login: user name and password to use instead of those of this box.

    Raises UsageError; ConfigError for an unusable CA bundle.
    """
    require_fleet(context)
    fleet = context.config.fleet
    username, password = login or (None, None)
    if login is None:
        identity = load_identity(context.paths)
        username = fleet.username or (identity.username if identity else "") or None
        if username is not None:
            found = context.vault.find(PASSWORD)
            password = None if found is None else found.decode()
    gateway = Gateway(
        peers(context),
        context.env.clock,
        fleet.endpoints,
        username=username,
        password=password,
        cancel=context.cancel,
    )
    try:
        yield Etcd(gateway)
    finally:
        gateway.close()


def read_fleet(etcd: Etcd) -> FleetRecord:
    """Return the record of the fleet. Raises NotFound (`not-found`) if there is none, FleetTooNew, FleetError."""
    found = etcd.get(FLEET)
    if found is None:
        raise NotFound(
            "This etcd has no fleet yet.",
            f"The key {FLEET} does not exist.",
            "Create it on the first hub: certdeck fleet init",
        )
    return decoded(FleetRecord, found.value, FLEET)


@contextmanager
def as_hub(context: Context, etcd: Etcd | None = None) -> Iterator[Hub]:
    """Yield this box as a hub. Raises UsageError if it is not a hub; NotFound, FleetError, VaultError.

    Args:
        etcd: an open connection to use.
    """
    require_fleet(context)
    if not context.config.fleet.is_hub:
        raise UsageError(
            "This box is not a hub of the fleet.",
            "Its role in [fleet] is device.",
            'Run the command on a hub, or set role = "hub" or "both" and join again: certdeck fleet join',
        )
    with ExitStack() as stack:
        if etcd is None:
            etcd = stack.enter_context(connected(context))
        identity = load_identity(context.paths)
        master = context.vault.find(MASTER_KEY)
        if identity is None or not identity.fleet or master is None:
            raise FleetError(
                "This hub has not been approved yet.",
                "It does not have the keys that the hubs share.",
                "On the first hub, run `certdeck fleet init`. On another hub, run `certdeck fleet join` and "
                "approve it on an existing hub.",
            )
        fleet = read_fleet(etcd)
        same_fleet(identity, fleet)
        master = _taken_over(context, etcd, identity, master)
        keys = Master(master, context.vault.find(OLD_MASTER_KEY))
        yield Hub(context=context, etcd=etcd, fleet=fleet, identity=identity, master=keys)


def same_fleet(identity: Identity, fleet: FleetRecord) -> None:
    """Raise FleetError if etcd has a different fleet from the one that this box joined."""
    if identity.fleet and (identity.fleet, identity.verifying) != (fleet.id, fleet.verifying):
        raise FleetError(
            "etcd contains a different fleet from the one this box has joined.",
            f"This box belongs to the fleet {identity.fleet}; etcd at these endpoints has {fleet.id}.",
            "Correct [fleet] endpoints. To leave the old fleet, remove state/fleet.json and run `certdeck fleet join`.",
        )


@contextmanager
def leading(hub: Hub, *, wait_seconds: float = 0.0) -> Iterator[Leadership]:
    """Lead the fleet within the context.

    If another process on this box leads (the service), both share its leadership: both renew one lease, and the writers' lock of
    the box ensures that only one of them writes.

    Raises NotLeading (`not-leading`) if another hub leads for longer than `wait_seconds`; FleetError.
    """
    clock, fleet = hub.context.env.clock, hub.context.config.fleet
    ends = clock.monotonic() + wait_seconds
    while True:
        who = Leader(box=hub.identity.box, name=hub.box_name, since=clock.now())
        won = campaign(hub.etcd, clock, who, fleet.lease_seconds)
        if isinstance(won, Leadership):
            with won:
                yield won
            return
        leader = leader_of(won)
        if won is not None and leader is not None and leader.box == hub.identity.box:
            borrowed = Leadership.borrowed(hub.etcd, clock, won, fleet.lease_seconds)
            if borrowed is not None:
                with borrowed:
                    yield borrowed
                return
        if clock.monotonic() + ELECTION_PAUSE_SECONDS > ends:
            name = leader.name if leader else "another hub"
            raise NotLeading(
                f"The hub {name} currently leads the fleet.",
                "Only the leading hub orders certificates and writes for the devices.",
                f"Run the command on {name}, or try again later.",
            )
        clock.sleep(ELECTION_PAUSE_SECONDS, hub.context.cancel)


def _taken_over(context: Context, etcd: Etcd, identity: Identity, raw: bytes) -> bytes:
    """Return the current master key: another hub may have changed it, and sealed the new one to this box."""
    place = MASTERS + identity.box
    found = etcd.get(place)
    if found is None:
        return raw
    key = context.vault.get(BOX_KEY)
    new = unb64(decoded(Welcome, open_with(key, found.value, place), place).master)
    if new != raw:
        context.vault.put(OLD_MASTER_KEY, raw)
        context.vault.put(MASTER_KEY, new)
    return new
