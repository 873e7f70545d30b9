"""Users and roles of etcd: the permissions of each box, and the ticket with which a new box asks to join.

A device reads its own prefix and the HTTP-01 responses, and writes its own reports. A ticket allows its holder to ask, and to read
responses, each of which is sealed to the box that asked. A hub manages users, and therefore has etcd's root role.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec import Struct

from core.concealed import Concealed
from core.errors import UsageError
from core.events import Changed
from core.fleet import layout
from core.fleet.etcd import Etcd
from core.fleet.gateway import Refused
from core.fleet.values import HUB_ROLES, b64, unb64
from core.fleet_errors import FleetError
from core.store.fleet import PASSWORD
from core.text import plural
from core.workflows.context import Context
from core.workflows.fleet.connection import Hub

JOIN_USER = "certdeck-join"
TICKET = "fleet/ticket"
"""Vault record: the ticket of this box."""
JOIN_PASSWORD = "fleet/join-password"
ROOT_PASSWORD = "fleet/etcd-root"

Right = tuple[str, str, bool]
"""`READ` or `READWRITE`, an etcd key, and whether the key is a prefix."""


class Ticket(Concealed, Struct, frozen=True, kw_only=True):
    """What a new box needs to reach the fleet."""

    fleet: str
    verifying: str
    username: str
    password: str

    def text(self) -> str:
        """Return the ticket as one line of base64. A secret."""
        return b64(json.dumps([1, self.fleet, self.verifying, self.username, self.password]).encode())

    @classmethod
    def parse(cls, text: str) -> Ticket:
        """Parse the line of `text`. Raises UsageError (`usage`) for any other text."""
        try:
            number, fleet, verifying, username, password = json.loads(unb64(text.strip()))
            if number != 1:
                raise ValueError
            return cls(fleet=fleet, verifying=verifying, username=username, password=password)
        except (ValueError, TypeError) as exc:
            raise UsageError(
                "This is not a ticket of a fleet.",
                "It is damaged, or from a newer release.",
                "Get a new one on a hub: certdeck fleet ticket",
            ) from exc


def rights_of(id: str) -> tuple[Right, ...]:
    """Return the permissions of a device."""
    return (
        ("READ", layout.FLEET, False),
        ("READ", layout.device(id), True),
        ("READWRITE", layout.reports(id), True),
        ("READ", layout.CHALLENGES, True),
        ("READWRITE", layout.LISTENERS + id, False),
        ("READ", layout.WELCOME + id, False),
        ("READWRITE", layout.JOIN + id, False),
    )


_OF_TICKET: tuple[Right, ...] = (
    ("READ", layout.FLEET, False),
    ("READWRITE", layout.JOIN, True),
    ("READ", layout.WELCOME, True),
)


def set_up(context: Context, etcd: Etcd, id: str, root_password: str | None) -> str:
    """Create etcd's users and roles for hubs and new boxes, and enable authentication. Idempotent.

    Args:
        root_password: of etcd's `root`, if authentication is already enabled; None: create one.
    Returns this hub's user name.
    Raises UsageError if etcd also has data of other programs; FleetError, VaultError.
    """
    vault, random = context.vault, context.env.random
    if root_password is None:
        _refuse_others_data(etcd)
        kept = vault.find(ROOT_PASSWORD)
        root_password = kept.decode() if kept else _password(random.token_bytes(24))
        vault.put(ROOT_PASSWORD, root_password.encode())
    _user(etcd, "root", root_password, keep=True)
    _role(etcd, "root", ())
    _grant(etcd, "root", "root")
    username = f"certdeck-{id}"
    kept = vault.find(PASSWORD)
    password = kept.decode() if kept else _password(random.token_bytes(24))
    vault.put(PASSWORD, password.encode())
    _user(etcd, username, password)
    _grant(etcd, username, "root")
    kept = vault.find(JOIN_PASSWORD)
    ticket = kept.decode() if kept else _password(random.token_bytes(24))
    vault.put(JOIN_PASSWORD, ticket.encode())
    _role(etcd, JOIN_USER, _OF_TICKET)
    _user(etcd, JOIN_USER, ticket)
    _grant(etcd, JOIN_USER, JOIN_USER)
    try:
        etcd.gateway.call("auth/enable", {})
    except Refused as exc:
        raise FleetError(
            "etcd could not enable authentication.",
            exc.why,
            "Check etcd's log. The users and roles were created.",
        ) from exc
    context.narrator.tell(Changed(what="created etcd's users and roles, and enabled its authentication"))
    return username


def _refuse_others_data(etcd: Etcd) -> None:
    """Raise UsageError if etcd has data of other programs: authentication would lock out those that use no password."""
    everything = {"key": "AA==", "range_end": "AA==", "count_only": True}
    first = layout.ROOT.encode()
    ours = {"key": b64(first), "range_end": b64(layout.after(first)), "count_only": True}
    counts = [int(etcd.gateway.call("kv/range", each).get("count", 0)) for each in (everything, ours)]
    if counts[0] == counts[1]:
        return
    raise UsageError(
        "etcd is also used by other programs.",
        f"It has {plural(counts[0] - counts[1], 'key')} of other programs. With authentication enabled, those would be rejected.",
        "Create users for those programs and a root password, then run: certdeck fleet init --auth --root-password-file FILE.",
    )


def has_access_rights(hub: Hub) -> bool:
    """Tell whether etcd requires a password."""
    return bool(hub.identity.username or hub.context.config.fleet.username)


def admit(hub: Hub, id: str, role: str) -> tuple[str, str]:
    """Create an etcd user with the permissions of a box. Returns its name and password; empty if etcd requires none."""
    if not has_access_rights(hub):
        return "", ""
    username = f"certdeck-{id}"
    password = _password(hub.context.env.random.token_bytes(24))
    _user(hub.etcd, username, password)
    if role in HUB_ROLES:
        _grant(hub.etcd, username, "root")
    else:
        _role(hub.etcd, username, rights_of(id))
        _grant(hub.etcd, username, username)
    return username, password


def expel(hub: Hub, username: str) -> None:
    """Delete a box's user and role. Its open streams continue until etcd restarts, so what it can read must be sealed again."""
    for path, name in (("auth/user/delete", username), ("auth/role/delete", username)):
        _unless(hub.etcd, path, {"name": name, "role": name}, ("not found", "not exist"))


def ticket_of(hub: Hub) -> Ticket:
    """Return the ticket for a new box. Raises UsageError if etcd requires no password."""
    if not has_access_rights(hub):
        raise UsageError(
            "A new box needs no ticket.",
            "etcd does not require a password.",
            "Run on the new box: certdeck fleet join",
        )
    kept = hub.context.vault.find(JOIN_PASSWORD)
    if kept is None:
        # Another hub has the password: a new one works as well, and invalidates the old one.
        kept = _password(hub.context.env.random.token_bytes(24)).encode()
        hub.context.vault.put(JOIN_PASSWORD, kept)
        _user(hub.etcd, JOIN_USER, kept.decode())
    return Ticket(fleet=hub.fleet.id, verifying=hub.fleet.verifying, username=JOIN_USER, password=kept.decode())


def keep_ticket(context: Context, ticket: Ticket) -> None:
    """Store a ticket in the vault for the next try."""
    context.vault.put(TICKET, ticket.text().encode())


def kept_ticket(context: Context) -> Ticket | None:
    """Return the stored ticket of this box. None: it has none."""
    kept = context.vault.find(TICKET)
    return None if kept is None else Ticket.parse(kept.decode())


def ticket_login(context: Context) -> tuple[str, str] | None:
    """Return the user name and password of a box that is not approved yet. None: it has no ticket."""
    ticket = kept_ticket(context)
    return None if ticket is None else (ticket.username, ticket.password)


# -- etcd's own calls --------------------------------------------------------------------------------------------------


def _password(random: bytes) -> str:
    return random.hex()


def _user(etcd: Etcd, name: str, password: str, *, keep: bool = False) -> None:
    """Create a user, or change the password of the existing one. `keep`: keep the existing password."""
    if _unless(etcd, "auth/user/add", {"name": name, "password": password}, ("already exists",)) or keep:
        return
    etcd.gateway.call("auth/user/changepw", {"name": name, "password": password})


def _role(etcd: Etcd, name: str, rights: Sequence[Right]) -> None:
    _unless(etcd, "auth/role/add", {"name": name}, ("already exists",))
    for permission, key, is_prefix in rights:
        first = key.encode()
        perm = {"permType": permission, "key": b64(first)}
        if is_prefix:
            perm["range_end"] = b64(layout.after(first))
        etcd.gateway.call("auth/role/grant", {"name": name, "perm": perm})


def _grant(etcd: Etcd, user: str, role: str) -> None:
    etcd.gateway.call("auth/user/grant", {"user": user, "role": role})


def _unless(etcd: Etcd, path: str, body: dict[str, object], words: Sequence[str]) -> bool:
    """Make a call that etcd refuses with one of `words` if it was done before. Returns whether it was done now."""
    try:
        etcd.gateway.call(path, body)
    except Refused as exc:
        if any(word in exc.said for word in words):
            return False
        raise
    return True
