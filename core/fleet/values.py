"""What stands in etcd, as values. JSON with a format number: a later release's entry is refused in words, never misread."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import asdict

from core.concealed import Concealed
from core.errors import StoreTooNew
from core.fleet_errors import FleetForged, FleetTooNew
from core.store.records import from_json, to_json
from core.version import VERSION

T = TypeVar("T", bound=Struct)

MASTER, HYBRID, DEVICE = "master", "hybrid", "device"
POLICIES = (MASTER, HYBRID, DEVICE)
"""Weakest first."""
WAITING, APPROVED, REMOVING = "waiting", "approved", "removing"
HUB_ROLES = ("hub", "both")
DEVICE_ROLES = ("device", "both")


class FleetRecord(Struct, frozen=True, kw_only=True):
    """`certdeck/fleet`."""

    id: str
    name: str
    created: datetime
    verifying: str
    """Public key that the hubs' signatures are checked with, base64."""


class Leader(Struct, frozen=True, kw_only=True):
    """`certdeck/leader`."""

    box: str
    name: str
    since: datetime


class JoinRequest(Struct, frozen=True, kw_only=True):
    """`certdeck/join/ID`. Written by whoever wants in: data from outside."""

    id: str
    name: str
    role: str
    public: str
    """Base64."""
    asked: datetime
    release: str = VERSION


class Box(Struct, frozen=True, kw_only=True):
    """`certdeck/boxes/ID`: a box that was let in."""

    id: str
    name: str
    role: str
    public: str
    approved: datetime
    username: str = ""
    """Its user of etcd; empty where etcd asks for none."""
    is_removing: bool = False
    """Its removal has begun: it counts as neither, and the entry goes when everything else has gone."""

    @property
    def is_hub(self) -> bool:
        return self.role in HUB_ROLES and not self.is_removing

    @property
    def is_device(self) -> bool:
        return self.role in DEVICE_ROLES and not self.is_removing


class Welcome(Concealed, Struct, frozen=True, kw_only=True):
    """What `certdeck/welcome/ID` holds, sealed to the box."""

    fleet: str
    verifying: str
    role: str
    username: str = ""
    password: str = ""
    master: str = ""
    """The keys that the hubs share, base64; empty for a device."""


DEPLOY, STAGE, BACK = "deploy", "stage", "back"
"""What a device has to do with a version: serve it; keep it ready; serve the one before it again."""


class Certificate(Struct, frozen=True, kw_only=True):
    """`certdeck/shared/certificates/NAME`: a certificate of the fleet, over all its renewals."""

    name: str
    spec: Mapping[str, object]
    """Its settings, as `lineages.spec_of` gives them."""
    policy: str = MASTER
    boxes: tuple[str, ...] = ()
    """Ids of the devices that it is for; empty: all."""
    all_or_none: bool = False
    phase: str = DEPLOY
    version: int = 0
    """Of the newest that is published; 0: none yet."""
    made: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """What was published: facts of each certificate, under the id of its device, or `*` for one that all share."""
    rotate: bool = False
    """A box that had its key was removed: it is renewed with the next run."""
    weakened: bool = False
    """Somebody has allowed a weaker policy than the one before."""
    failures: int = 0
    next_attempt: datetime | None = None
    last_error: Mapping[str, object] | None = None


class Delivery(Struct, frozen=True, kw_only=True):
    """What a device has to serve. It stands signed at `certdeck/devices/ID/certs/NAME`."""

    name: str
    version: int
    created: datetime
    fullchain: str
    """PEM."""
    sealed: str = ""
    """The private key, sealed to the device, base64; empty where the key is the device's own."""
    policy: str = MASTER
    weakened: bool = False
    targets: tuple[str, ...] = ()
    ca: str = ""
    directory: str = ""
    phase: str = DEPLOY


class Wanted(Struct, frozen=True, kw_only=True):
    """A signing request that a device has to make. It stands signed at `certdeck/devices/ID/wanted/NAME`."""

    name: str
    version: int
    names: tuple[str, ...]
    key_type: str
    common_name: bool = False


class Request(Struct, frozen=True, kw_only=True):
    """`certdeck/reports/ID/requests/NAME`: the signing request that was wanted."""

    name: str
    version: int
    csr: str
    """DER, base64."""


class Told(Struct, frozen=True, kw_only=True):
    """`certdeck/reports/ID/certs/NAME`: what a device says of a certificate."""

    name: str
    version: int
    state: str
    """`deployed`, `staged`, `failed`."""
    at: datetime
    sha256: str = ""
    error: Mapping[str, object] | None = None


class Seen(Struct, frozen=True, kw_only=True):
    """`certdeck/reports/ID/seen`: the last time that a device looked, by its own clock."""

    at: datetime
    release: str = VERSION


class SharedOrder(Concealed, Struct, frozen=True, kw_only=True):
    """An open order, sealed under the master key."""

    record: str
    """`OrderRecord` as JSON."""
    key: str = ""
    """PEM; empty: none made yet, or it is a device's."""


class SharedAccount(Concealed, Struct, frozen=True, kw_only=True):
    """An account at a CA, sealed under the master key."""

    record: str
    """`AccountRecord` as JSON."""
    key: str
    """PEM."""


class Signed(Struct, frozen=True, kw_only=True):
    """Text of a hub with its signature."""

    text: str
    signature: str


def encoded(value: Struct) -> bytes:
    """Return the JSON of a value."""
    return to_json(value)


def decoded(kind: type[T], text: bytes, place: str) -> T:
    """Return the value that stands at `place`.

    Raises FleetTooNew (`fleet-too-new`) for one of a later release, FleetForged (`fleet-forged`) for anything else.
    """
    try:
        return from_json(kind, text, place)
    except StoreTooNew as exc:
        raise FleetTooNew(
            "A hub of this fleet runs a newer release of certdeck.",
            f"{place} has a format that certdeck {VERSION} does not support.",
            "Update certdeck on this box. Certificates in service are not affected.",
        ) from exc
    except ValueError as exc:
        raise FleetForged(
            "An entry of the fleet in etcd cannot be read.",
            f"{place} does not contain what certdeck writes there ({exc}).",
            "Another program wrote it. Check who can write to etcd. A hub rewrites the entry with: certdeck fleet sync",
        ) from exc


def b64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def unb64(text: str) -> bytes:
    """Raises ValueError."""
    return b64decode(text.encode("ascii"), validate=True)


def plain(value: Struct) -> dict[str, object]:
    return asdict(value)
