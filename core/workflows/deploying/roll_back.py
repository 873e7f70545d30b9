"""The way out of a deployment that failed: the old pair goes back everywhere, and the services show it again.

It may be repeated from wherever an earlier attempt died. What cannot be put back now stays on record for the next run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from core.concurrently import map_concurrently
from core.config.model import TargetConfig
from core.errors import CertdeckError
from core.events import TargetProbed, TargetRolledBack, VersionSwitched
from core.store import journal, lineages
from core.store.atomic import store_error
from core.targets.command_result import CommandResult, shown
from core.targets.pair import old_sha256, put_back, show_old
from core.targets.probe import ProbeResult, look
from core.targets.service import action_of, by_action, is_pushed, run_recover, run_reload, unsettled
from core.targets.site import Sites, held
from core.workflows.context import Context
from core.workflows.deploying.inflight import InFlight, names_of
from core.workflows.web.follow import follow

_HURRIED_SECONDS = 2
"""What a reload may take that puts the old certificate back while somebody waits for certdeck to end."""


class RollbackResult(Struct, frozen=True, kw_only=True):
    """What is live after a rollback."""

    live: str
    """`old`, or `unknown` when it could not be confirmed."""
    sentence: str
    """The same for a person."""
    is_complete: bool
    """False: the record stays and the next run continues the rollback."""


def roll_back(
    context: Context, flight: InFlight, reloaded: Collection[str], why: str, sites: Sites | None = None
) -> RollbackResult:
    """Put the old pair back everywhere, and make the services in `reloaded` read and show it again. Blocks like a deployment.

    What cannot be put back now stays on record for the next run. Raises nothing of its own. `sites`: as in `finish`.
    """
    with held(sites) as opened:
        return _roll_back(context, flight, reloaded, why, opened)


def _roll_back(context: Context, flight: InFlight, reloaded: Collection[str], why: str, sites: Sites) -> RollbackResult:
    old, problems = _show_old_everywhere(context, flight, sites)
    if problems:
        sentence = f"The previous certificate could not be restored: {' '.join(problems)} The next run of certdeck tries again."
        return RollbackResult(live="unknown", sentence=sentence, is_complete=False)

    follow(context, flight.targets)
    # Where nothing was, a reload without the files could only fail.
    both = zip(flight.targets, flight.changes, strict=True)
    again = [
        target
        for target, change in both
        if target.name in reloaded and not (change.was_empty and not is_pushed(target))
    ]
    doubts = _confirm_all(context, flight, again, old)
    if unsettled(again):
        said = f"Another machine may still have the new files: {' '.join(doubts)} The next run of certdeck tries again."
        return RollbackResult(live="unknown", sentence=said, is_complete=False)
    is_complete = _put_back_everywhere(context, flight, why, sites)
    if doubts:
        said = (
            f"The previous files were restored, but certdeck could not confirm that they are served: {' '.join(doubts)}"
        )
        return RollbackResult(live="unknown", sentence=said, is_complete=is_complete)
    return RollbackResult(live="old", sentence=_what_is_live(flight), is_complete=is_complete)


def _show_old_everywhere(
    context: Context, flight: InFlight, sites: Sites
) -> tuple[Mapping[str, str | None], Sequence[str]]:
    """Make the old pairs visible again; return target → SHA-256 of its old certificate, and what could not be done."""
    problems = []
    old: dict[str, str | None] = {}
    for target, change in flight.files:
        try:
            sha256 = old_sha256(change, sites.of(target))
            old.update((each.name, sha256) for each in flight.sharing(change))
            show_old(change, sites.of(target))
        except OSError as exc:
            problems.append(_sentence(exc, change.folder))
    try:
        _restore_live(context, flight)
    except CertdeckError as exc:
        problems.append(f"{exc.what} {exc.why}")
    return old, problems


def _put_back_everywhere(context: Context, flight: InFlight, why: str, sites: Sites) -> bool:
    """Restore the very files that were there and close the record; return whether all of it was done."""
    is_complete = True
    for target, change in flight.files:
        try:
            put_back(change, sites.of(target))
        except OSError:
            is_complete = False
        else:
            for each in flight.sharing(change):
                context.narrator.tell(TargetRolledBack(target=each.name, why=why))
    if is_complete:
        try:
            journal.remove(context.paths, flight.lineage)
        except CertdeckError:
            is_complete = False
    return is_complete


def _restore_live(context: Context, flight: InFlight) -> None:
    paths, name = context.paths, flight.lineage
    if lineages.live_version(paths, name) == flight.live_before:
        return
    if flight.live_before is None:
        lineages.unlink_live(paths, name)
    else:
        lineages.switch(paths, name, flight.live_before)
        context.narrator.tell(VersionSwitched(version=flight.live_before))


def _confirm_all(
    context: Context, flight: InFlight, targets: Sequence[TargetConfig], expected: Mapping[str, str | None]
) -> list[str]:
    """Reload services with the old pairs, side by side, and look whether they show them; return what keeps us from saying so."""
    if context.cancel.is_cancelled:
        targets = [_hurried(target) for target in targets]
    reloads = by_action(targets, action_of, lambda target: run_reload(context.env, target, restoring=True))
    found = map_concurrently(
        lambda target: _confirm_old(context, flight, target, reloads[target.name], expected[target.name]), targets
    )
    for target, (_, seen) in zip(targets, found, strict=True):
        if seen is not None:
            context.narrator.tell(TargetProbed(target=target.name, served=seen.served, matches=seen.matches))
    return [doubt for doubt, _ in found if doubt]


def _confirm_old(
    context: Context, flight: InFlight, target: TargetConfig, verdict: CommandResult, expected: str | None
) -> tuple[str, ProbeResult | None]:
    """Look whether a service shows its old certificate, and use its kind's way back where it does not."""
    problem, seen = _judge_old(context, flight, target, verdict, expected)
    was_seen = any(flight.before.get(target.name, {}).values())
    if not problem and not (verdict.is_idle and was_seen):
        return problem, seen
    recovered = run_recover(context.env, target)  # what has ended, or does not take a reload any more
    if recovered is None:
        return problem, seen
    return _judge_old(context, flight, target, recovered, expected)


def _judge_old(
    context: Context, flight: InFlight, target: TargetConfig, verdict: CommandResult, expected: str | None
) -> tuple[str, ProbeResult | None]:
    if verdict.is_idle:
        return "", None  # it does not run, and will read the old files when it starts
    if not verdict.ok:
        return f"{target.name}: {verdict.why}", None
    if not target.probe or expected is None:
        return "", None
    names = names_of(context, flight, flight.live_before)
    seen = look(context.env, target, expected, names, flight.before.get(target.name), restoring=True)
    return "" if seen.matches else f"{target.name}: {seen.why}", seen


def _hurried(target: TargetConfig) -> TargetConfig:
    """Return a target with less time: somebody waits for the end, and one that takes longer is told of as not confirmed."""
    return replace(
        target,
        timeout_seconds=min(target.timeout_seconds, _HURRIED_SECONDS),
        probe_timeout_seconds=min(target.probe_timeout_seconds, 1),
    )


def _what_is_live(flight: InFlight) -> str:
    if not flight.changes:
        return "Nothing has changed."
    if all(change.was_empty for change in flight.changes):
        return "There was no certificate before, and there is none now."
    return "The previous certificate is live."


def not_confirmed_fix(target: TargetConfig) -> str:
    """Return what a person does when a service may still use what was taken back."""
    return (
        f"Check the service and reload it manually ({shown(target.reload)})."
        if target.reload
        else "Restart the service."
    )


def _sentence(exc: OSError, place: Path) -> str:
    error = store_error(exc, place)
    return f"{error.what} {error.why}"
