"""The way out of a deployment that was verified: commit it, then do the bookkeeping.

`commit` is the point of no return. `finish` may be repeated from wherever an earlier attempt died.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from core.errors import CertdeckError, StoreError, StoreFull, TargetError
from core.events import VersionSwitched, Warned
from core.store import journal, lineages, renewal_state
from core.store.atomic import storing
from core.targets.pair import settle
from core.targets.site import Sites, held
from core.workflows import clock
from core.workflows.context import Context
from core.workflows.deploying.afterwards import afterwards
from core.workflows.deploying.carried import keep_settings, take_over
from core.workflows.deploying.inflight import COMMITTING, InFlight


def commit(context: Context, flight: InFlight) -> None:
    """Make a verified deployment final, and the version live where it has no targets: the point of no return.

    What stands in the record decides, because the next run goes by it. A deployment of one step has none: what follows on others is
    done before, and a version that a kill keeps from going live waits. Raises StoreError, ConfigError: nothing is final, go back.
    """
    if flight.is_one_step:
        keep_settings(context, flight.spec)
        _remember(context, flight)
    else:
        _final(context, lambda: flight.write(context, COMMITTING), lambda: _is_recorded(context, flight))
    _final(context, lambda: _make_live(context, flight), lambda: _is_live(context, flight))


def _final(context: Context, step: Callable[[], None], is_done: Callable[[], bool]) -> None:
    try:
        step()
    except StoreError as exc:
        # The rename may have succeeded, and only the flush after it failed.
        if not is_done():
            raise
        context.narrator.tell(Warned(code="commit-not-synced", what=f"{exc.what} {exc.why}", fix=exc.fix))


def _is_recorded(context: Context, flight: InFlight) -> bool:
    record = journal.read(context.paths, flight.lineage) or {}
    return (record.get("phase"), record.get("version")) == (COMMITTING, flight.version)


def _is_live(context: Context, flight: InFlight) -> bool:
    return lineages.live_version(context.paths, flight.lineage) == flight.version


def roll_forward(context: Context, flight: InFlight, sites: Sites | None = None) -> bool:
    """Finish a committed deployment that was interrupted. Raises StoreError where the version cannot be made live."""
    _make_live(context, flight)
    return finish(context, flight, sites)


def finish(context: Context, flight: InFlight, sites: Sites | None = None) -> bool:
    """Do the bookkeeping of a deployment that is live; returns whether all of it was done. Raises nothing of its own.

    A step that fails is told as a warning and stops no other. Then the record stays, and the next run does it again.

    `sites`: those of its targets, where they are open already.
    """
    paths, name = context.paths, flight.lineage
    steps: tuple[tuple[str, Callable[[], object]], ...] = (
        ("settings-not-written", lambda: keep_settings(context, flight.spec)),
        ("targets-not-taken-over", lambda: take_over(context, flight.spec)),
        ("outcome-not-kept", lambda: _remember(context, flight)),
    )
    tidying: tuple[tuple[str, Callable[[], object]], ...] = (
        ("old-key-not-sealed", lambda: lineages.seal_old_keys(paths, context.vault, name)),
        ("old-versions-not-removed", lambda: _prune(context, name)),
    )
    is_done = True
    for code, step in tidying if flight.is_one_step else (*steps, *tidying):
        with afterwards(context, code) as outcome:
            step()
        # A vault that cannot be read needs a person; the next deployment seals what is still open.
        needs_a_person = code == "old-key-not-sealed" and not isinstance(outcome.error, StoreFull)
        is_done = is_done and (outcome.error is None or needs_a_person)
    with held(sites) as opened:
        for target, change in flight.files:
            with afterwards(context, "target-not-clean"), storing(change.folder, "cleaned up"):
                settle(change, opened.of(target))  # what is left there goes with the next deployment
    if not is_done:
        return False
    with afterwards(context, "transaction-not-closed") as outcome:
        journal.remove(paths, name)
    return outcome.error is None


def _make_live(context: Context, flight: InFlight) -> None:
    if not _is_live(context, flight):
        lineages.switch(context.paths, flight.lineage, flight.version)
        context.narrator.tell(VersionSwitched(version=flight.version))


def _prune(context: Context, name: str) -> None:
    if not clock.removal_waits(context, "The removal of old versions"):
        lineages.prune(context.paths, name)


def _remember(context: Context, flight: InFlight) -> None:
    paths, name = context.paths, flight.lineage
    known = renewal_state.load(paths, name)
    if flight.live_before is None or flight.version > flight.live_before:
        state = known.succeeded(context.env.clock.now())
    else:
        # Going back, or the same once more, says nothing about renewing.
        was_target = (known.last_error or {}).get("code") in {each.code for each in _family(TargetError)}
        state = replace(known, last_error=None if was_target else known.last_error, on_fallback=False)
    targets = {**known.targets, **flight.outcomes}
    kept = {target: outcome for target, outcome in targets.items() if target in flight.spec.targets}
    had_trouble = bool(known.failures or known.last_error or known.on_fallback)
    renewal_state.save(paths, name, replace(state, targets=kept), durable=had_trouble)


def _family(kind: type[CertdeckError]) -> set[type[CertdeckError]]:
    return {kind}.union(*(_family(each) for each in kind.__subclasses__()))
