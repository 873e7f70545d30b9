"""TXT records that certdeck has created at a provider: recorded before they are created, forgotten once they are removed.

`state/dns/ID.json`, one file for each order's records. A run that is killed leaves its file behind, and the next run removes
the records that it names: value by value, so that nothing else is touched.
"""

from __future__ import annotations

import re
from datetime import datetime

from msgspec import Struct

from core.errors import StoreCorrupt
from core.paths import Paths
from core.regular import read_regular
from core.store.atomic import make_dir, remove_file, store_error
from core.store.records import from_json, to_json, write_record

_ID = re.compile(r"[0-9a-f]{16}")
SUFFIX = ".json"


class MadeRecords(Struct, frozen=True, kw_only=True):
    """Records of one order, or of one connection test."""

    lineage: str
    """Whose order; empty for a test."""
    created: datetime
    records: tuple[tuple[str, str, str, str], ...]
    """(provider entry, zone, name, value)."""


def keep_records(paths: Paths, id: str, made: MadeRecords) -> None:
    """Write down what is about to be made; durable when this returns. `id`: sixteen hex digits. Raises StoreError."""
    make_dir(paths.dns_records)
    write_record(paths.dns_records / (id + SUFFIX), to_json(made))


def forget_records(paths: Paths, id: str) -> None:
    """Forget records that are removed. Raises StoreError."""
    remove_file(paths.dns_records / (id + SUFFIX))


def kept_records(paths: Paths) -> tuple[str, ...]:
    """Return the ids of what has not been removed yet, sorted. Costs one listing. Raises StoreError."""
    try:
        found = [path.name.removesuffix(SUFFIX) for path in paths.dns_records.iterdir() if path.name.endswith(SUFFIX)]
    except FileNotFoundError:
        return ()
    except OSError as exc:
        raise store_error(exc, paths.dns_records, "read") from exc
    return tuple(sorted(id for id in found if _ID.fullmatch(id)))


def load_records(paths: Paths, id: str) -> MadeRecords:
    """Return what stands in one file. Raises StoreCorrupt (`store-corrupt`), StoreError."""
    path = paths.dns_records / (id + SUFFIX)
    try:
        made = from_json(MadeRecords, read_regular(path), path)
    except OSError as exc:
        raise store_error(exc, path, "read") from exc
    except (ValueError, TypeError) as exc:
        raise _corrupt(path) from exc
    if any(len(record) != 4 for record in made.records):
        raise _corrupt(path)
    return made


def _corrupt(path: object) -> StoreCorrupt:
    return StoreCorrupt(
        f"The list of DNS records in {path} cannot be read.",
        "It was changed or damaged.",
        "Remove old _acme-challenge records from your zones, then remove that file.",
    )
