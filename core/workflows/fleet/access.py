"""Users and roles of etcd: what each box may read and write there, and the ticket with which a new one asks to be let in.

A device reads its own prefix and the HTTP-01 answers, and writes its own reports. A ticket lets anybody ask, and read answers that
are sealed to whoever asked. A hub manages users, and is therefore a root of etcd.
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
from core.workflows.context import Context
from core.workflows.fleet.connection import Hub

JOIN_USER = "certdeck-join"
TICKET = "fleet/ticket"
"""Vault record: the ticket that this box was given."""
JOIN_PASSWORD = "fleet/join-password"
ROOT_PASSWORD = "fleet/etcd-root"

Right = tuple[str, str, bool]
"""`READ` or `READWRITE`, a key, whether it is a prefix."""


class Ticket(Concealed, Struct, frozen=True, kw_only=True):
    """What a new box is given to reach the fleet."""

    fleet: str
    verifying: str
    username: str
    password: str

    def text(self) -> str:
        """Return it as one line. A secret."""
        return b64(json.dumps([1, self.fleet, self.verifying, self.username, self.password]).encode())

    @classmethod
    def parse(cls, text: str) -> Ticket:
        """Raises UsageError (`usage`)."""
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
    """Return what a device may do."""
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
    """Make etcd's users and roles for hubs and new boxes, and switch authentication on. Idempotent. Returns this hub's user."""
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
    """With authentication on, whoever uses this etcd without a password is locked out."""
    everything = {"key": "AA==", "range_end": "AA==", "count_only": True}
    first = layout.ROOT.encode()
    ours = {"key": b64(first), "range_end": b64(layout.after(first)), "count_only": True}
    counts = [int(etcd.gateway.call("kv/range", each).get("count", 0)) for each in (everything, ours)]
    if counts[0] == counts[1]:
        return
    raise UsageError(
        "etcd also contains data of other programs.",
        f"{counts[0] - counts[1]} of its keys are not certdeck's. With authentication enabled, those programs would be rejected.",
        "Create users for those programs and a root password, then run: certdeck fleet init --auth --root-password-file FILE.",
    )


def has_access_rights(hub: Hub) -> bool:
    """Tell whether etcd asks for a password."""
    return bool(hub.identity.username or hub.context.config.fleet.username)


def admit(hub: Hub, id: str, role: str) -> tuple[str, str]:
    """Make a user with the rights of a box. Returns its name and password; empty where etcd asks for none."""
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
    """Remove a box's user and role. What it has open goes on until etcd restarts: what it reads must be sealed anew."""
    for path, name in (("auth/user/delete", username), ("auth/role/delete", username)):
        _unless(hub.etcd, path, {"name": name, "role": name}, ("not found", "not exist"))


def ticket_of(hub: Hub) -> Ticket:
    """Return the ticket for a new box. Raises UsageError where etcd asks for no password."""
    if not has_access_rights(hub):
        raise UsageError(
            "A new box needs no ticket.",
            "etcd does not require a password.",
            "Run on the new box: certdeck fleet join",
        )
    kept = hub.context.vault.find(JOIN_PASSWORD)
    if kept is None:
        # Another hub has it: a new one is as good, and ends the old one.
        kept = _password(hub.context.env.random.token_bytes(24)).encode()
        hub.context.vault.put(JOIN_PASSWORD, kept)
        _user(hub.etcd, JOIN_USER, kept.decode())
    return Ticket(fleet=hub.fleet.id, verifying=hub.fleet.verifying, username=JOIN_USER, password=kept.decode())


def keep_ticket(context: Context, ticket: Ticket) -> None:
    """Keep a ticket for the next try."""
    context.vault.put(TICKET, ticket.text().encode())


def kept_ticket(context: Context) -> Ticket | None:
    """Return the ticket that this box was given."""
    kept = context.vault.find(TICKET)
    return None if kept is None else Ticket.parse(kept.decode())


def ticket_login(context: Context) -> tuple[str, str] | None:
    """Return with what a box that was not let in yet logs in."""
    ticket = kept_ticket(context)
    return None if ticket is None else (ticket.username, ticket.password)


# -- etcd's own calls --------------------------------------------------------------------------------------------------


def _password(random: bytes) -> str:
    return random.hex()


def _user(etcd: Etcd, name: str, password: str, *, keep: bool = False) -> None:
    """Make a user, or give the one that is there this password. `keep`: not its password."""
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
    """Make a call whose refusal in these words means that it was done before. Returns whether it was done now."""
    try:
        etcd.gateway.call(path, body)
    except Refused as exc:
        if any(word in exc.said for word in words):
            return False
        raise
    return True
