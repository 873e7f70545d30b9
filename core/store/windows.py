"""The renewal windows that CAs have suggested (RFC 9773), for all lineages: `state/renewal-windows.json`.

One file, written once at the end of a run that has asked, and not flushed: a lost response is requested again.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from core.errors import CertdeckError, StoreTooNew
from core.paths import Paths
from core.regular import read_stored
from core.store.atomic import make_dir

LAST_MOMENT = 253402300800.0
"""The first moment of the year 10000, beyond which there is no date."""


class Window(NamedTuple):
    """What was said about one certificate. Epoch seconds. The order is that of `core.store.index.Facts`."""

    ari_id: str | None = None
    """The certificate that it is for; for another one it counts no more."""
    start: float | None = None
    end: float | None = None
    chosen: float | None = None
    """The random moment in the window, chosen once (RFC 9773 §4.2)."""
    check_at: float | None = None
    """When to ask again, from Retry-After; None: the CA does not offer renewal information."""


NEVER_ASKED = Window()


def load(paths: Paths) -> dict[str, Window]:
    """Return what is kept, by lineage. Never raises: what cannot be read counts as never asked."""
    try:
        text = read_stored(paths.windows)
    except OSError:
        return {}
    from core.store.records import parsed

    try:
        raw = parsed(text, paths.windows)
        entries = raw["windows"] if isinstance(raw, dict) else {}
        return {name: window for name, entry in entries.items() if (window := _window(entry)) is not None}
    except (ValueError, KeyError, TypeError, AttributeError, StoreTooNew):
        return {}


def keep(paths: Paths, answers: Mapping[str, Window]) -> None:
    """Add answers to what is kept, and drop what is kept of lineages that are gone. Wants the writers' lock. Never raises."""
    if not answers:
        return
    from core.store.records import dumped, write_record

    with suppress(CertdeckError, OSError):
        known = {path.stem for path in paths.certificates.iterdir()}
        every = {name: each for name, each in {**load(paths), **answers}.items() if name in known}
        make_dir(paths.state)
        write_record(paths.windows, dumped({"windows": every}), durable=False)


def _window(entry: object) -> Window | None:
    if not isinstance(entry, list) or len(entry) != len(Window._fields) or not isinstance(entry[0], str):
        return None
    for value in entry[1:]:
        if value is not None and not (type(value) in (int, float) and 0 <= value < LAST_MOMENT):
            return None
    return Window(*entry)
