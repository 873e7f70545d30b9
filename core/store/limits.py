"""The limits of CAs, kept over runs: `state/limits.json`. A file that cannot be read counts as missing: the CA repeats it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from msgspec.structs import asdict

from core.errors import CertdeckError, StoreTooNew
from core.paths import Paths
from core.rate_limits import Limit
from core.regular import read_stored
from core.store.atomic import make_dir, remove_file
from core.store.records import dumped, from_values, parsed, write_record


def load(paths: Paths) -> tuple[Limit, ...]:
    """Return what is kept. Never raises."""
    try:
        raw = parsed(read_stored(paths.limits), paths.limits)
        entries = raw["limits"] if isinstance(raw, dict) else []
        return tuple(from_values(Limit, each) for each in entries)
    except (OSError, ValueError, KeyError, TypeError, StoreTooNew):
        return ()


def save(paths: Paths, limits: Iterable[Limit]) -> None:
    """Keep these and no others. Never raises: a limit that is forgotten is told again."""
    kept = [asdict(each) for each in limits]
    with suppress(CertdeckError):
        if not kept:
            remove_file(paths.limits)
            return
        make_dir(paths.state)
        write_record(paths.limits, dumped({"limits": kept}))
