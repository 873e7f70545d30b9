"""Which certificates were taken over from which other client: `state/adopted.json`.

While that client's timer is active, certdeck reports it. A file that cannot be read counts as missing: only a warning is lost.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from msgspec import Struct, field

from core.errors import StoreTooNew
from core.paths import Paths
from core.regular import read_stored
from core.store.records import from_json, to_json, write_record

FILE = "adopted.json"


class AdoptedRecord(Struct, frozen=True, kw_only=True):
    """Lineage → client."""

    clients: Mapping[str, str] = field(default_factory=dict)


def is_there(paths: Paths) -> bool:
    """Tell whether anything was ever taken over. One look, for every `status`."""
    return os.path.lexists(paths.state / FILE)


def load(paths: Paths) -> Mapping[str, str]:
    """Return lineage → client; empty where nothing was taken over."""
    place = paths.state / FILE
    try:
        return from_json(AdoptedRecord, read_stored(place), place).clients
    except (OSError, ValueError, TypeError, StoreTooNew):
        return {}


def add(paths: Paths, name: str, client: str) -> None:
    """Keep that a certificate came from a client. Wants the writers' lock. Raises StoreError."""
    known = load(paths)
    if known.get(name) != client:
        write_record(paths.state / FILE, to_json(AdoptedRecord(clients={**known, name: client})))
