"""What is done once a new certificate is live: a failure in it is a warning, because nothing takes the certificate back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from core.config.model import LineageConfig
from core.errors import CertdeckError
from core.events import BOOKKEEPING, Warned
from core.lineage_status import LineageStatus, TargetState
from core.store.atomic import store_error
from core.workflows.context import Context


class Outcome(Struct):
    """How a step ended."""

    error: CertdeckError | None = None


@contextmanager
def afterwards(context: Context, code: str) -> Iterator[Outcome]:
    """Do a step that follows on a live certificate. A failure is told as a warning with `code`, and kept in the outcome."""
    assert code in BOOKKEEPING, code
    outcome = Outcome()
    try:
        yield outcome
    except CertdeckError as exc:
        outcome.error = exc
    except OSError as exc:
        outcome.error = store_error(exc, Path(exc.filename or context.paths.state))
    if outcome.error is not None:
        error = outcome.error
        context.narrator.tell(Warned(code=code, what=f"{error.what} {error.why}", fix=error.fix))


def status_after(context: Context, settings: LineageConfig, seen: Iterable[TargetState] = ()) -> LineageStatus:
    """Return the state of a lineage that was just deployed with `settings`, even where little of it can be read.

    Args:
        seen: what its targets showed when it was deployed; they are not asked again.
    """
    from core.workflows.status import status_of

    with suppress(CertdeckError, OSError):
        return _with_listeners(status_of(context, settings.name), seen)
    with afterwards(context, "status-not-read") as outcome:  # its settings may be what could not be written
        found = status_of(context, settings.name, settings=settings)
    if outcome.error is None:
        return _with_listeners(found, seen)
    return LineageStatus.without_certificate(settings.name, settings.domains)


def _with_listeners(status: LineageStatus, seen: Iterable[TargetState]) -> LineageStatus:
    known = {each.name: each.listeners for each in seen}
    targets = tuple(
        replace(each, listeners=each.listeners or known.get(each.name, ())) if known else each
        for each in status.targets
    )
    return replace(status, targets=targets)
