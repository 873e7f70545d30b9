"""What is remembered of a lineage between scheduled runs: `state/lineages/NAME/renewal.json`.

Failures and when to try again, and how the last deployment to each target went. When the CA wants it: `core.store.windows`.
None of it is worth stopping for: a file that cannot be read counts as missing, and says so in `warning`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from core.errors import CertdeckError
from core.paths import Paths
from core.regular import read_stored
from core.store.atomic import make_dir
from core.store.records import from_json, rfc3339, to_json, write_record
from core.stored_times import ERROR_AT, void_times

FILE = "renewal.json"


class RenewalState(Struct, frozen=True, kw_only=True):
    """Everything is optional; nothing remembered is the normal state of a healthy lineage."""

    failures: int = 0
    """In a row."""
    last_error: Mapping[str, object] | None = None
    """`code`, `what`, `why`, `fix`, `at` (RFC 3339)."""
    last_attempt: datetime | None = None
    next_attempt: datetime | None = None
    """After a failure: not before this."""
    chain_retry_at: datetime | None = None
    """The CA sent the same short-lived intermediate again: because of its end alone nothing is ordered before this."""
    revoked: str | None = None
    """SHA-256 of a certificate that is revoked, with us or seen so: it is not used again."""
    on_fallback: bool = False
    """The fallback certificate is live in place of this one (CL-08)."""
    targets: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Target → `state` (`deployed`, `failed`, `unknown`), `sha256` served, `at`, `why`: its last deployment."""
    warning: str = ""
    """Set by `load` when the file could not be read. Never kept."""

    def failed(self, error: CertdeckError, at: datetime, next_attempt: datetime | None) -> RenewalState:
        """Return the state after one more failure."""
        return replace(
            self,
            failures=self.failures + 1,
            last_error=error_record(error, at),
            last_attempt=at,
            next_attempt=next_attempt,
        )

    def succeeded(self, at: datetime) -> RenewalState:
        """Return the state after a success: nothing to remember of earlier failures."""
        return replace(self, failures=0, last_error=None, last_attempt=at, next_attempt=None, on_fallback=False)

    def void_times(self, now: float) -> tuple[str, ...]:
        """Return which of its times no right clock can have written (`core.stored_times`). `now`: epoch seconds."""
        return void_times(
            now,
            last_attempt=_seconds(self.last_attempt),
            next_attempt=_seconds(self.next_attempt),
            ari_check_at=None,
            chain_retry_at=_seconds(self.chain_retry_at),
            last_error=self.last_error,
        )

    def repaired(self, now: float) -> RenewalState:
        """Return the state without its void times, and without what was counted until then. `now`: epoch seconds."""
        void = self.void_times(now)
        changes: dict[str, Any] = {name: None for name in void if name != ERROR_AT}
        if "last_attempt" in void:
            changes |= {"failures": 0, "next_attempt": None}
        if ERROR_AT in void and self.last_error is not None:
            changes["last_error"] = {key: value for key, value in self.last_error.items() if key != "at"}
        return replace(self, **changes)


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def error_record(error: CertdeckError, at: datetime) -> dict[str, object]:
    """Return an error as it is remembered and shown in `status --json`."""
    return {"code": error.code, "what": error.what, "why": error.why, "fix": error.fix, "at": rfc3339(at)}


def load(paths: Paths, name: str) -> RenewalState:
    """Return what is remembered of a lineage. Raises StoreTooNew (`store-too-new`), nothing else."""
    path = f"{paths.lineages}/{name}/{FILE}"
    try:
        text = read_stored(path)
    except (FileNotFoundError, NotADirectoryError):
        return RenewalState()
    except OSError as exc:
        return RenewalState(warning=f"{FILE} of {name} could not be read: {exc.strerror}. It is treated as empty.")
    return parse(name, text, path)


@lru_cache(maxsize=64)
def parse(name: str, text: bytes, place: object = FILE) -> RenewalState:
    """Return the state that stands in the text of a `renewal.json`. Raises StoreTooNew (`store-too-new`), nothing else."""
    try:
        return replace(from_json(RenewalState, text, place), warning="")
    except (ValueError, TypeError):
        return RenewalState(warning=f"{FILE} of {name} was changed or damaged. It is treated as empty.")


def save(paths: Paths, name: str, state: RenewalState, *, durable: bool = True) -> None:
    """Keep the state of a lineage. Raises StoreError. `durable`: False where the one before would do as well."""
    folder = paths.lineages / name
    make_dir(folder)
    write_record(folder / FILE, to_json(replace(state, warning="")), durable=durable)
