"""Where each thing stands in etcd. Pure.

certdeck/fleet                    what the fleet is; its format
certdeck/leader                   the hub that orders; bound to its lease
certdeck/join/ID                  a box that asks to be let in (written by the box)
certdeck/welcome/ID               the answer, sealed to the box's key
certdeck/boxes/ID                 the boxes that were let in (hubs alone read and write it)
certdeck/shared/…                 certificates, orders, account keys: hubs alone; secrets are sealed
certdeck/challenges/TOKEN         HTTP-01 answers, bound to the leader's lease
certdeck/listeners/ID             boxes that serve those answers, bound to a lease of the box
certdeck/devices/ID/certs/NAME    what a device has to serve (a device reads its own prefix only)
certdeck/devices/ID/wanted/NAME   a signing request that a device has to make
certdeck/reports/ID/…             what a device says (its own prefix is all that it writes)
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
"""Between the name of a certificate and the device that an order of it is for."""


def device(id: str) -> str:
    """Return the prefix that a device reads."""
    return f"{DEVICES}{id}/"


def delivery(id: str, name: str) -> str:
    return f"{DEVICES}{id}/certs/{name}"


def wanted(id: str, name: str) -> str:
    return f"{DEVICES}{id}/wanted/{name}"


def reports(id: str) -> str:
    """Return the prefix that a device writes."""
    return f"{REPORTS}{id}/"


def report(id: str, name: str) -> str:
    return f"{REPORTS}{id}/certs/{name}"


def request(id: str, name: str) -> str:
    return f"{REPORTS}{id}/requests/{name}"


def seen(id: str) -> str:
    return f"{REPORTS}{id}/seen"


def order(name: str, box: str = "") -> str:
    """Return where an open order stands; `box`: the device that it is for, where the key is made there."""
    return f"{ORDERS}{name}{OF_DEVICE}{box}" if box else ORDERS + name


def key(name: str, version: int, box: str = "") -> str:
    return f"{KEYS}{name}/{version}/{box}" if box else f"{KEYS}{name}/{version}"


def sealed_for(fleet: str, box: str, name: str, version: int) -> str:
    """Return what a key that is sealed to a device is bound to."""
    return f"{fleet}/{box}/{name}/{version}"


def signed_for(fleet: str, place: str) -> str:
    """Return what a signature of the hubs on an entry is bound to."""
    return f"{fleet}/{place}"


def after(prefix: bytes) -> bytes:
    """Return the `range_end` that makes etcd read every key with a prefix."""
    cut = prefix.rstrip(b"\xff")
    return cut[:-1] + bytes([cut[-1] + 1]) if cut else b"\0"
