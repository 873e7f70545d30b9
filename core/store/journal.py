"""Deployments in progress: one record for each that has not ended, `state/transactions/NAME.json`.

Written before a deployment changes anything and removed after its end, so that the next holder of the lock can clean up
after a crash. The content of a record belongs to the deployment (core.workflows); here it is only stored safely.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from core.errors import StoreCorrupt
from core.paths import Paths
from core.regular import read_stored
from core.store.atomic import make_dir, remove_file, store_error
from core.store.records import dumped, parsed, write_record

SUFFIX = ".json"
UNREADABLE = "unreadable"
"""`details["record"]` of the error for a record that cannot be read, and so never be ended."""


def write(paths: Paths, name: str, record: Mapping[str, object]) -> None:
    """Keep the record of `name`, replacing the one before. Durable when it returns. Raises StoreError."""
    make_dir(paths.transactions)
    write_record(paths.transactions / (name + SUFFIX), dumped(record))


def read(paths: Paths, name: str) -> dict[str, object] | None:
    """Return the record of `name`, or None. Raises StoreCorrupt (`store-corrupt`), StoreError."""
    path = paths.transactions / (name + SUFFIX)
    try:
        record = parsed(read_stored(path), path)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise store_error(exc, path, "read") from exc
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise unreadable(paths, name, "was changed or damaged")
    record.pop("format", None)
    return record


def unreadable(paths: Paths, name: str, why: str) -> StoreCorrupt:
    """Return the error for a record that says nothing. `why`: what became of it."""
    return StoreCorrupt(
        f"{paths.transactions / (name + SUFFIX)} cannot be read.",
        f"It records an interrupted deployment, and {why}.",
        f"Deploy the certificate again: certdeck deploy {name}. This also moves the damaged record aside.",
        lineage=name,
        details={"record": UNREADABLE},
    )


def set_aside(paths: Paths, name: str, now: datetime) -> Path:
    """Move the record of `name` away; returns where it is now. Raises StoreError."""
    from core.store import quarantine

    return quarantine.set_aside(paths, paths.transactions / (name + SUFFIX), now)


def names(paths: Paths) -> tuple[str, ...]:
    """Return what has a record, sorted. One `readdir`: cheap enough for every run."""
    try:
        found = [path.name for path in paths.transactions.iterdir()]
    except FileNotFoundError:
        return ()
    except OSError as exc:
        raise store_error(exc, paths.transactions, "read") from exc
    return tuple(
        sorted(name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX) and not name.startswith("."))
    )


def remove(paths: Paths, name: str) -> None:
    """Forget the record of `name`; it need not be there. Durable when it returns. Raises StoreError."""
    remove_file(paths.transactions / (name + SUFFIX))
