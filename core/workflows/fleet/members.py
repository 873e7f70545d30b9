"""Creates a fleet, and lets boxes join: the request of a box, and its approval on a hub."""

from __future__ import annotations

from msgspec.structs import replace

from core.errors import AlreadyThere, CertdeckError, NotFound, UsageError
from core.events import NO_ACCESS_RIGHTS, Changed, KeyUsed, Warned
from core.fleet import layout
from core.fleet.etcd import Etcd, Guard
from core.fleet.sealing import Master, box_id, fingerprint, new_box_key, open_with, public_half, seal_to
from core.fleet.values import (
    APPROVED,
    REMOVING,
    WAITING,
    Box,
    FleetRecord,
    JoinRequest,
    Welcome,
    b64,
    decoded,
    encoded,
    unb64,
)
from core.fleet_errors import FleetError
from core.fleet_status import Joined, Member
from core.store.fleet import BOX_KEY, MASTER_KEY, PASSWORD, Identity, load_identity, save_identity
from core.text import visible
from core.workflows.context import Context
from core.workflows.fleet import access
from core.workflows.fleet.connection import Hub, box_name, connected, read_fleet, require_fleet, same_fleet


def own_key(context: Context) -> bytes:
    """Return the private key of this box, 32 raw bytes. The first call creates it. Raises VaultError."""
    found = context.vault.find(BOX_KEY)
    if found is None:
        found = new_box_key(context.env.random)
        context.vault.put(BOX_KEY, found)
    return found


# -- init --------------------------------------------------------------------------------------------------------------


def init(context: Context, *, auth: bool = False, root_password: str | None = None) -> Joined:
    """Create the fleet in an etcd that has none. Idempotent on the hub that created it.

    Args:
        auth: create users and roles, and enable etcd's authentication.
        root_password: of etcd's `root`, if authentication is already enabled.

    Raises AlreadyThere (`already-there`) if another box created a fleet; UsageError, FleetError.
    """
    require_fleet(context)
    if not context.config.fleet.is_hub:
        raise UsageError(
            "A fleet is created on a hub.",
            "The role of this box in [fleet] is device.",
            'Set role = "hub" or "both" in [fleet].',
        )
    key = own_key(context)
    public = public_half(key)
    id = box_id(public)
    raw = context.vault.find(MASTER_KEY)
    if raw is None:
        # Store the keys in the vault before anything else uses them: after a crash, the next try continues with the same keys.
        raw = Master.new(context.env.random).raw
        context.vault.put(MASTER_KEY, raw)
    master = Master(raw)
    login = None if root_password is None else ("root", root_password)
    with connected(context, login=login) as etcd:
        found = etcd.get(layout.FLEET)
        created = found is None
        if found is None:
            now = context.env.clock.now()
            record = FleetRecord(
                id=context.env.random.token_bytes(8).hex(),
                name=context.config.appliance.name,
                created=now,
                verifying=b64(master.verifying),
            )
            username = f"certdeck-{id}" if auth else ""
            box = Box(
                id=id,
                name=box_name(context),
                role=context.config.fleet.role,
                public=b64(public),
                approved=now,
                username=username,
            )
            etcd.commit(
                {layout.FLEET: encoded(record), layout.BOXES + id: encoded(box)},
                guards=[Guard(layout.FLEET, created=0)],
            )
        else:
            record = decoded(FleetRecord, found.value, layout.FLEET)
        if record.verifying != b64(master.verifying):
            raise AlreadyThere(
                "This etcd already has a fleet.",
                f"Another hub created it: {visible(record.name)} ({record.id}).",
                "Join it: certdeck fleet join",
            )
        identity = load_identity(context.paths)
        username = identity.username if identity else ""
        save_identity(
            context.paths,
            Identity(
                box=id,
                fleet=record.id,
                verifying=record.verifying,
                role=context.config.fleet.role,
                username=username,
                policies=identity.policies if identity else {},
            ),
        )
        if auth:
            username = access.set_up(context, etcd, id, root_password)
            identity = load_identity(context.paths)
            assert identity is not None
            save_identity(context.paths, replace(identity, username=username))
    if not auth and not username:
        context.narrator.tell(
            Warned(
                code=NO_ACCESS_RIGHTS,
                what="etcd does not require a password: every program that reaches it can write to the fleet.",
                fix="Restrict access with `certdeck fleet init --auth`. Private keys are encrypted in any case.",
            )
        )
    if created:
        context.narrator.tell(Changed(what=f"created the fleet {record.id}"))
    return Joined(
        id=id,
        fingerprint=fingerprint(public),
        fleet=record.id,
        role=context.config.fleet.role,
        state=APPROVED,
        created=created,
    )


# -- join --------------------------------------------------------------------------------------------------------------


def join(context: Context, *, ticket: access.Ticket | None = None) -> Joined:
    """Ask to join the fleet. Once an administrator has approved this box on a hub, take its keys and login. Idempotent.

    Raises NotFound (`not-found`) if there is no fleet; FleetError.
    """
    require_fleet(context)
    if ticket is not None:
        access.keep_ticket(context, ticket)
    key = own_key(context)
    id = box_id(public_half(key))
    identity = load_identity(context.paths)
    if identity is not None and identity.fleet and identity.role == context.config.fleet.role:
        with connected(context) as etcd:
            same_fleet(identity, read_fleet(etcd))
        return _joined(key, identity)
    with connected(context, login=access.ticket_login(context)) as etcd:
        record = read_fleet(etcd)
        if ticket is not None and ticket.verifying != record.verifying:
            raise FleetError(
                "The ticket is for another fleet.",
                "The signing key of its hubs differs from the one in etcd.",
                "Get a new ticket on a hub: certdeck fleet ticket.",
            )
        taken = take_welcome(context, etcd, record)
        if taken is not None:
            return _joined(key, taken)
        request = JoinRequest(
            id=id,
            name=box_name(context),
            role=context.config.fleet.role,
            public=b64(public_half(key)),
            asked=context.env.clock.now(),
        )
        etcd.put(layout.JOIN + id, encoded(request))
    if identity is None:
        save_identity(context.paths, Identity(box=id, fleet="", role=context.config.fleet.role))
    context.narrator.tell(Changed(what=f"asked to join the fleet {record.id} as {context.config.fleet.role}"))
    return Joined(
        id=id, fingerprint=fingerprint(public_half(key)), fleet=record.id, role=context.config.fleet.role, state=WAITING
    )


def take_welcome(context: Context, etcd: Etcd, record: FleetRecord) -> Identity | None:
    """Store the keys and the login that a hub sealed to this box. None: the box has not been approved yet.

    Raises FleetError if the response is for another fleet; FleetForged, VaultError.
    """
    key = own_key(context)
    id = box_id(public_half(key))
    place = layout.WELCOME + id
    found = etcd.get(place)
    if found is None:
        return None
    context.narrator.tell(KeyUsed(key=BOX_KEY, purpose="open the response of a hub"))
    welcome = decoded(Welcome, open_with(key, found.value, place), place)
    if welcome.role != context.config.fleet.role:
        return None  # it was for an earlier role: the box must ask again
    had = load_identity(context.paths)
    known = access.kept_ticket(context)
    is_expected = known is None or known.verifying == welcome.verifying
    if (welcome.fleet, welcome.verifying) != (record.id, record.verifying) or not is_expected:
        raise FleetError(
            "The hub's response is for another fleet.",
            f"It names the fleet {welcome.fleet}; etcd has {record.id}.",
            "Remove this box on a hub and join again: certdeck fleet join",
        )
    if welcome.master:
        context.vault.put(MASTER_KEY, unb64(welcome.master))
    if welcome.password:
        context.vault.put(PASSWORD, welcome.password.encode())
    identity = Identity(
        box=id,
        fleet=welcome.fleet,
        verifying=welcome.verifying,
        role=welcome.role,
        username=welcome.username,
        policies=had.policies if had else {},
    )
    save_identity(context.paths, identity)
    context.narrator.tell(Changed(what=f"joined the fleet {welcome.fleet} as {welcome.role}"))
    return identity


def _joined(key: bytes, identity: Identity) -> Joined:
    return Joined(
        id=identity.box,
        fingerprint=fingerprint(public_half(key)),
        fleet=identity.fleet,
        role=identity.role,
        state=APPROVED,
    )


# -- on a hub ----------------------------------------------------------------------------------------------------------


def members(hub: Hub) -> tuple[Member, ...]:
    """Return every box, by name: first those that ask to join, then the approved ones."""
    asking = [request for entry in hub.etcd.range(layout.JOIN)[0] if (request := _request(entry.value, entry.key))]
    inside = [decoded(Box, entry.value, entry.key) for entry in hub.etcd.range(layout.BOXES)[0]]
    return (
        *(_member(each, WAITING) for each in sorted(asking, key=lambda each: each.name)),
        *(
            _member(each, REMOVING if each.is_removing else APPROVED)
            for each in sorted(inside, key=lambda each: each.name)
        ),
    )


def _member(each: JoinRequest | Box, state: str) -> Member:
    return Member(
        id=each.id,
        name=visible(each.name, 80),
        role=each.role,
        fingerprint=fingerprint(unb64(each.public)),
        state=state,
    )


def _request(value: bytes, place: str) -> JoinRequest | None:
    """Parse a request to join. None: it is invalid. Anyone who reaches etcd can write one, so invalid requests are not shown."""
    try:
        request = decoded(JoinRequest, value, place)
        public = unb64(request.public)
    except (CertdeckError, ValueError):
        return None
    is_sound = len(public) == 32 and box_id(public) == request.id and layout.JOIN + request.id == place
    return request if is_sound and request.role in ("hub", "device", "both") else None


def approve(hub: Hub, id: str, *, expected: str | None = None) -> Member:
    """Approve a box. `expected`: its fingerprint as shown on the box, or at least its first 16 digits.

    Raises NotFound (`not-found`) if no box with this id asks; UsageError if the fingerprint does not match; AlreadyThere.
    """
    request = _asking(hub, id)
    public = unb64(request.public)
    shown = fingerprint(public)
    if expected is not None and not _same_fingerprint(shown, expected):
        raise UsageError(
            f"The fingerprint of {request.id} does not match.",
            f"etcd has {shown}.",
            "Compare it with the output of `certdeck fleet join` on the box. If they differ, the request is "
            "from another machine: do not approve it.",
        )
    etcd = hub.etcd
    now = hub.context.env.clock.now()
    username, password = access.admit(hub, request.id, request.role)
    box = Box(
        id=request.id,
        name=visible(request.name, 80),
        role=request.role,
        public=request.public,
        approved=now,
        username=username,
    )
    welcome = Welcome(
        fleet=hub.fleet.id,
        verifying=hub.fleet.verifying,
        role=request.role,
        username=username,
        password=password,
        master=b64(hub.master.raw) if box.is_hub else "",
    )
    if box.is_hub:
        hub.context.narrator.tell(KeyUsed(key=MASTER_KEY, purpose=f"seal it to the hub {box.name} ({box.id})"))
    place = layout.WELCOME + request.id
    etcd.commit(
        {layout.BOXES + request.id: encoded(box), place: seal_to(public, encoded(welcome), place)},
        [layout.JOIN + request.id],
    )
    hub.context.narrator.tell(Changed(what=f"approved {box.name} ({box.id}) as {box.role}, fingerprint {shown}"))
    return _member(box, APPROVED)


def _same_fingerprint(shown: str, expected: str) -> bool:
    plain = expected.replace(":", "").replace(" ", "").lower()
    return len(plain) >= 16 and shown.replace(":", "").startswith(plain)


def _asking(hub: Hub, id: str) -> JoinRequest:
    found = hub.etcd.get(layout.JOIN + id)
    request = None if found is None else _request(found.value, found.key)
    if request is not None:
        return request
    inside = hub.etcd.get(layout.BOXES + id)
    if inside is not None and decoded(Box, inside.value, inside.key).is_removing:
        raise AlreadyThere(
            f"{visible(id, 40)} is being removed from the fleet.",
            "Its removal was interrupted.",
            f"Complete it with: certdeck fleet remove {visible(id, 40)}",
        )
    if inside is not None:
        raise AlreadyThere(
            f"{visible(id, 40)} is already in the fleet.",
            "It was already approved.",
            "List the boxes with: certdeck fleet devices",
        )
    raise NotFound(
        f"No box {visible(id, 40)!r} is waiting to join the fleet.",
        "The ID is wrong, or `certdeck fleet join` was not run on that box.",
        "List the requests with: certdeck fleet devices",
    )


def the_box(hub: Hub, id: str) -> Box:
    """Return a box of the fleet. Raises NotFound (`not-found`)."""
    found = hub.etcd.get(layout.BOXES + id)
    if found is None:
        raise NotFound(
            f"There is no box {visible(id, 40)!r} in the fleet.",
            "The ID is wrong, or the box was already removed.",
            "List the boxes with: certdeck fleet devices",
        )
    return decoded(Box, found.value, found.key)
