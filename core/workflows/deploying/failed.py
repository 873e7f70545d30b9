"""What is said and kept of a deployment that failed."""

from __future__ import annotations

from contextlib import suppress

from msgspec.structs import replace

from core.config.model import LineageConfig
from core.errors import CertdeckError, StoreError, TargetError
from core.store import lineages, renewal_state
from core.store.records import rfc3339
from core.targets.command_result import shown
from core.workflows.context import Context
from core.workflows.deploying.inflight import InFlight
from core.workflows.deploying.roll_back import RollbackResult
from core.workflows.issuing.method import UPLOAD


def with_outcome(context: Context, flight: InFlight, exc: CertdeckError, result: RollbackResult) -> CertdeckError:
    """Return the error with what is live now, what waits, and how to try again; the error itself where no service was concerned."""
    if not isinstance(exc, TargetError) and result.live == "old" and result.is_complete:
        exc.lineage = exc.lineage or flight.lineage
        return exc
    waits = _what_waits(context, flight)
    why, fix = _with_confinement(context, flight, exc)
    fix = f"{fix} Then run `{_again(context, flight)}`."
    if result.live != "old":
        fix = f"Check the service and reload it manually. {fix}"
    return type(exc)(
        exc.what,
        f"{why} {result.sentence} {waits}".rstrip(),
        fix,
        lineage=flight.lineage,
        retry_at=exc.retry_at,
        details={**exc.details, "live": result.live},
    )


def _with_confinement(context: Context, flight: InFlight, exc: CertdeckError) -> tuple[str, str]:
    """Return why, and how to fix it: where AppArmor keeps the files from the service, that is what to change first."""
    from core.targets.confinement import hidden

    target = next((each for each in flight.targets if each.name == exc.details.get("target")), None)
    found = None if target is None else hidden(target, context.env.places.root)
    return (exc.why, exc.fix) if found is None else (f"{exc.why} {found.sentence}", f"{found.fix}.")


def _what_waits(context: Context, flight: InFlight) -> str:
    """Return what becomes of the version that was not deployed, in one sentence; nothing where it does not wait."""
    name, version = flight.lineage, flight.version
    with suppress(CertdeckError):
        if lineages.waiting_version(context.paths, name) != version:
            return ""
        if lineages.read_version(context.paths, name, version).method == UPLOAD:
            return f"Version {version} is kept. certdeck does not deploy it automatically. Deploy it with: certdeck deploy {name}"
        return (
            f"Version {version} is kept. The next scheduled run deploys it, except to a target that gets another "
            "certificate before that."
        )
    return ""


def _again(context: Context, flight: InFlight) -> str:
    """Return the command that starts this deployment once more: the same version, onto the same targets."""
    from core.config.load import load_lineage

    name, version = flight.lineage, flight.version
    words, usual = ["certdeck", "deploy", name], None
    with suppress(CertdeckError):
        if lineages.waiting_version(context.paths, name) == version:
            ordered = lineages.read_version(context.paths, name, version).spec
            usual = lineages.lineage_of(ordered, name).targets if ordered else None
        elif version != flight.live_before:
            words += ["--version", str(version)]
        if usual is None:
            usual = load_lineage(context.paths, name).targets
    return shown([*words, *(["--target", *flight.spec.targets] if flight.spec.targets != usual else [])])


def record_failed_deployment(context: Context, flight: InFlight, error: CertdeckError) -> None:
    """Record why it failed, and make sure that the lineage exists: its version waits. A full disk is no second error."""
    if not isinstance(error, TargetError | StoreError):
        return
    now = context.env.clock.now()
    with suppress(CertdeckError):
        state = renewal_state.load(context.paths, flight.lineage)
        targets = dict(state.targets)
        target = error.details.get("target")
        if isinstance(target, str):
            targets[target] = {"state": "failed", "sha256": None, "at": rfc3339(now), "why": error.why}
        kept = replace(state, last_error=renewal_state.error_record(error, now), targets=targets)
        renewal_state.save(context.paths, flight.lineage, kept)
    with suppress(CertdeckError):
        _found_lineage(context, flight.spec)


def _found_lineage(context: Context, spec: LineageConfig) -> None:
    """Write the settings of a lineage that has none yet, without the targets that others still carry."""
    from core.config.edit import write_lineage
    from core.config.load import lineage_names, load_lineage

    names = lineage_names(context.paths)
    if spec.name in names:
        return
    taken: set[str] = set()
    for name in names if spec.targets else ():
        with suppress(CertdeckError):
            taken.update(load_lineage(context.paths, name).targets)
    write_lineage(context.paths, replace(spec, targets=tuple(t for t in spec.targets if t not in taken)))
