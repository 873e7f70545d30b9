"""What this box has used of the limits of CAs: `state/ledger.json`.

It is a separate count, not derived from the log, which is pruned by size and never stops an operation. A file that cannot be
read counts as empty: the CA still refuses what goes over its limits.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from msgspec.structs import asdict

from core.budget import Use
from core.errors import CertdeckError, StoreTooNew
from core.paths import Paths
from core.regular import read_stored
from core.store.atomic import make_dir
from core.store.records import dumped, from_values, parsed, write_record


def load(paths: Paths) -> tuple[Use, ...]:
    """Return what was used. Never raises."""
    try:
        raw = parsed(read_stored(paths.ledger), paths.ledger)
        entries = raw["uses"] if isinstance(raw, dict) else []
        return tuple(from_values(Use, each) for each in entries)
    except (OSError, ValueError, KeyError, TypeError, StoreTooNew):
        return ()


def save(paths: Paths, uses: Iterable[Use]) -> None:
    """Keep these and no others. Durable. Never raises: an order that was made is not undone by what cannot be counted."""
    with suppress(CertdeckError):
        make_dir(paths.state)
        write_record(paths.ledger, dumped({"uses": [asdict(each) for each in uses]}))
