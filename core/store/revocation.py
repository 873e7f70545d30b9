"""What CAs have said about the revocation of live certificates: `state/revocation.json`, and `fleet-revocation.json` on a hub.

The file's modification time says when a CA was last queried, so that a run with nothing to query reads only that. It is not
flushed: a lost response is requested again. A revocation is also recorded in `core.store.renewal_state`, which decides.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict

from core.errors import CertdeckError, StoreTooNew
from core.regular import read_stored
from core.stored_times import REVOCATION_ASKED, is_void

PAUSE_SECONDS = 20 * 3600.0
"""Between two questions about one certificate: once a day, whatever the random delay of the timer."""


class Said(Struct, frozen=True, kw_only=True):
    """About one certificate. Times are epoch seconds."""

    asked_at: float
    """The last question, whatever became of it."""
    until: float | None = None
    """The answer holds until then (nextUpdate); None: there was none yet."""
    revoked_at: float | None = None
    reason: str = ""
    source: str = ""
    """The address that the answer came from, fit for people."""
    trouble: str = ""
    """Why the last question had no answer: the end of a sentence. Empty: it had one."""

    def is_good(self, now: float) -> bool:
        """Tell whether the CA says that it is not revoked, and that still holds."""
        return self.revoked_at is None and self.until is not None and now < self.until


def asked_again_at(file: Path, now: float) -> float:
    """Return when CAs are asked again, in epoch seconds; a moment that is past means now. One look at the file."""
    try:
        asked = file.stat().st_mtime
    except OSError:
        return now
    return now if is_void(asked, now, REVOCATION_ASKED) else asked + PAUSE_SECONDS


def load(file: Path) -> dict[str, Said]:
    """Return what is kept, by fingerprint of the certificate. Never raises: what cannot be read counts as never asked."""
    from core.store.records import from_values, parsed

    try:
        raw = parsed(read_stored(file), file)
        entries = raw["said"] if isinstance(raw, dict) else {}
        return {sha256: from_values(Said, entry) for sha256, entry in entries.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StoreTooNew):
        return {}


def keep(file: Path, said: Mapping[str, Said]) -> None:
    """Keep these and no others; the oldest question decides when the next one is due. Never raises."""
    from core.store.atomic import make_dir
    from core.store.records import dumped, write_record

    with suppress(CertdeckError, OSError):
        make_dir(file.parent)
        write_record(file, dumped({"said": {key: asdict(each) for key, each in said.items()}}), durable=False)
        oldest = min((each.asked_at for each in said.values()), default=0.0)
        os.utime(file, (oldest, oldest))
