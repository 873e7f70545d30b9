"""The keys of a fleet in etcd. Pure.

certdeck/fleet                    id, name and signing key of the fleet
certdeck/leader                   the hub that orders; bound to its lease
certdeck/join/ID                  request of a box to join (written by the box)
certdeck/welcome/ID               the response to it, sealed to the box's key
certdeck/boxes/ID                 the approved boxes (only hubs read and write it)
certdeck/shared/…                 certificates, orders, account keys: only hubs; secrets are sealed
certdeck/challenges/TOKEN         HTTP-01 responses, bound to the leader's lease
certdeck/listeners/ID             boxes that serve those responses, bound to a lease of the box
certdeck/devices/ID/certs/NAME    a certificate for a device to serve (a device reads only its own prefix)
certdeck/devices/ID/wanted/NAME   a signing request for a device to create
certdeck/reports/ID/…             reports of a device (it writes only its own prefix)
"""

from __future__ import annotations

ROOT = "certdeck/"
FLEET = ROOT + "fleet"
LEADER = ROOT + "leader"
JOIN = ROOT + "join/"
WELCOME = ROOT + "welcome/"
BOXES = ROOT + "boxes/"
SHARED = ROOT + "shared/"
MASTERS = SHARED + "master/"
CERTIFICATES = SHARED + "certificates/"
ORDERS = SHARED + "orders/"
ACCOUNTS = SHARED + "accounts/"
SECRETS = SHARED + "secrets/"
KEYS = SHARED + "keys/"
CHALLENGES = ROOT + "challenges/"
LISTENERS = ROOT + "listeners/"
DEVICES = ROOT + "devices/"
REPORTS = ROOT + "reports/"
OF_DEVICE = "@"
"""Separates the name of a certificate from the device that its order is for."""


def device(id: str) -> str:
    """Return the prefix of the entries that a device reads."""
    return f"{DEVICES}{id}/"


def delivery(id: str, name: str) -> str:
    return f"{DEVICES}{id}/certs/{name}"


def wanted(id: str, name: str) -> str:
    return f"{DEVICES}{id}/wanted/{name}"


def reports(id: str) -> str:
    """Return the prefix of the entries that a device writes."""
    return f"{REPORTS}{id}/"


def report(id: str, name: str) -> str:
    return f"{REPORTS}{id}/certs/{name}"


def request(id: str, name: str) -> str:
    return f"{REPORTS}{id}/requests/{name}"


def seen(id: str) -> str:
    return f"{REPORTS}{id}/seen"


def order(name: str, box: str = "") -> str:
    """Return the etcd key of an open order. `box`: the device that the order is for, if the device has the private key."""
    return f"{ORDERS}{name}{OF_DEVICE}{box}" if box else ORDERS + name


def key(name: str, version: int, box: str = "") -> str:
    return f"{KEYS}{name}/{version}/{box}" if box else f"{KEYS}{name}/{version}"


def sealed_for(fleet: str, box: str, name: str, version: int) -> str:
    """Return the place to which a private key that is sealed to a device is bound."""
    return f"{fleet}/{box}/{name}/{version}"


def signed_for(fleet: str, place: str) -> str:
    """Return the place to which a hub's signature on an entry is bound."""
    return f"{fleet}/{place}"


def after(prefix: bytes) -> bytes:
    """Return the `range_end` that makes etcd read every key with a prefix."""
    cut = prefix.rstrip(b"\xff")
    return cut[:-1] + bytes([cut[-1] + 1]) if cut else b"\0"
