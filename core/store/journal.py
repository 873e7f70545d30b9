"""What is in flight: one record for each deployment that has not ended, `state/transactions/NAME.json`.

Written before a deployment does something and removed after its end, so that the next one to take the lock can put things in
order after a crash. What stands in a record is the deployment's business (core.workflows); here it is only kept whole.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.errors import StoreCorrupt
from core.paths import Paths
from core.store.atomic import make_dir, remove_file, store_error
from core.store.records import dumped, parsed, write_record

SUFFIX = ".json"


def write(paths: Paths, name: str, record: Mapping[str, object]) -> None:
    """Keep the record of `name`, replacing the one before. Durable when it returns. Raises StoreError."""
    make_dir(paths.transactions)
    write_record(paths.transactions / (name + SUFFIX), dumped(record))


def read(paths: Paths, name: str) -> dict[str, object] | None:
    """Return the record of `name`, or None. Raises StoreCorrupt (`store-corrupt`), StoreError."""
    path = paths.transactions / (name + SUFFIX)
    try:
        record = parsed(path.read_bytes(), path)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise store_error(exc, path, "read") from exc
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise StoreCorrupt(
            f"{path} cannot be read.",
            "It says what an interrupted deployment was doing, and was changed or damaged.",
            f"Remove it, then put the certificate onto its services again: certdeck deploy {name}.",
            lineage=name,
        )
    record.pop("format", None)
    return record


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
