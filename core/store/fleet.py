"""The membership of this box in its fleet: `state/fleet.json`. Its secrets are in the vault."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from core.errors import StoreCorrupt
from core.paths import Paths
from core.regular import read_stored
from core.store.atomic import make_dir, store_error
from core.store.records import from_json, to_json, write_record

BOX_KEY = "fleet/box-key"
"""Private key that secrets are sealed to: 32 raw bytes of X25519."""
MASTER_KEY = "fleet/master"
"""What the hubs share: 64 bytes."""
OLD_MASTER_KEY = "fleet/master-old"
"""The one before it: a change of the key may not have reached everything yet."""
PASSWORD = "fleet/password"


class Identity(Struct, frozen=True, kw_only=True):
    """Who this box is in which fleet."""

    box: str
    """Its id: the beginning of its key's fingerprint."""
    fleet: str
    """The id of the fleet; empty: it has asked, and is not let in yet."""
    verifying: str = ""
    """Public key that what hubs say is checked with, base64."""
    role: str = "device"
    username: str = ""
    """Of etcd; empty where etcd asks for none."""
    policies: Mapping[str, str] = field(default_factory=dict)
    """Certificate → the key policy that it was last taken with: a weaker one is not taken silently."""


def load_identity(paths: Paths) -> Identity | None:
    """Return who this box is, or None where it has never asked. Raises StoreCorrupt (`store-corrupt`), StoreError."""
    try:
        return from_json(Identity, read_stored(paths.fleet), paths.fleet)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise store_error(exc, paths.fleet, "read") from exc
    except ValueError as exc:
        raise StoreCorrupt(
            f"{paths.fleet} cannot be read.",
            "It was changed or damaged.",
            "Remove it and join again: certdeck fleet join. Certificates in service are not affected.",
        ) from exc


def save_identity(paths: Paths, identity: Identity) -> None:
    """Keep it. Durable. Raises StoreError."""
    make_dir(paths.state)
    write_record(paths.fleet, to_json(identity))
