"""The state of every lineage as values, from the index; with `probe`, also what the services really serve.

Parses nothing and locks nothing. Services are asked side by side, each target once, bounded in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from msgspec.structs import replace

from core.concurrently import map_concurrently
from core.config.model import Config, LineageConfig, TargetConfig
from core.errors import CertdeckError, NotFound
from core.lineage_status import LineageStatus, Status, TargetState, TimerState
from core.paths import Paths
from core.schedule.record import OFF
from core.schedule.record import load as load_schedule
from core.schedule.timetable import Timetable, too_rare
from core.severity import days_left, severity
from core.staging import is_staging_issuer
from core.store import adopted_record, backup_record, detected
from core.store.index import Facts, facts_of, facts_of_all
from core.version import VERSION
from core.workflows import clock
from core.workflows.context import View
from core.workflows.issuing.method import method_of
from core.workflows.renewing import last_run
from core.workflows.renewing.due import believable, seconds_to_renew, void_of, why_never_alone
from core.workflows.renewing.next_renewal import next_renewal
from core.workflows.renewing.timer import timer

_PROBE_SECONDS = 3.0


def status(view: View, names: Sequence[str] = (), *, probe: bool = False) -> Status:
    """Return the state of `names`, or of all, sorted by name. Raises NotFound (`not-found`)."""
    known, problems = facts_of_all(view.paths)
    every = known
    troubled = {facts.name for facts in every if facts.last_error} | {problem.lineage for problem in problems}
    if names:
        wanted = set(names)
        unknown = wanted - {facts.name for facts in every} - {problem.lineage for problem in problems}
        if unknown:
            raise not_found(sorted(unknown)[0], [facts.name for facts in every])
        every = [facts for facts in every if facts.name in wanted]
        problems = [problem for problem in problems if problem.lineage in wanted]
    now = view.env.clock.now()
    stamp = now.timestamp()
    void = tuple(_void(every, stamp))
    if void:
        every = [believable(facts, stamp) for facts in every]
    states = target_states(view, every, probe, lambda: known)
    watched = watch(view, now)
    return Status(
        version=VERSION,
        time=now,
        lineages=tuple(lineage_status(view, facts, now, states, watched) for facts in every),
        timer=_since(watched.timer, view.paths, troubled),
        appliance=view.config.appliance.name,
        hostname=view.config.appliance.hostname or view.env.host.name(),
        problems=tuple(problems),
        clock_doubt=clock.doubt(view) or "",
        void_times=void,
        unmanaged=detected.unmanaged(view.paths, lambda: every, now, view.config.targets) if not names else (),
        never_backed_up=backup_record.is_missing(view.paths),
        other_clients=_rivals(view, every),
    )


def status_of(view: View, name: str, *, probe: bool = False, settings: LineageConfig | None = None) -> LineageStatus:
    """Return the state of one lineage. `settings`: used instead of those on disk. Raises NotFound, StoreError."""
    facts = facts_of(view.paths, name, settings)
    now = view.env.clock.now()
    facts = believable(facts, now.timestamp())
    states = target_states(view, [facts], probe, lambda: facts_of_all(view.paths)[0])
    return lineage_status(view, facts, now, states, watch(view, now))


def _rivals(view: View, every: Sequence[Facts]) -> tuple[str, ...]:
    """Look for other clients' timers only where something was taken over: most boxes have nothing of the kind."""
    if not adopted_record.is_there(view.paths):
        return ()
    from core.workflows.adopting.rivals import rivals

    return rivals(view, every)


class Watch(NamedTuple):
    """What starts the scheduled run, and how often."""

    timer: TimerState
    timetable: Timetable | None


def watch(view: View, now: datetime) -> Watch:
    """Return what starts the scheduled run."""
    record = load_schedule(view.paths)
    return Watch(timer(view, now), None if record is None or record.how == OFF else record.actual)


def _void(every: Sequence[Facts], now: float) -> Iterator[str]:
    for facts in every:
        void = void_of(facts, now)
        if void:
            yield f"Values of {facts.name} stored under a wrong clock are ignored: {', '.join(void)}."


def not_found(name: str, known: Sequence[str]) -> CertdeckError:
    """Return the error for a lineage that does not exist."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    why = f"Did you mean {near[0]!r}?" if near else "There is no file with that name in certificates.d."
    return NotFound(
        f"There is no certificate {name!r}.", why, "List the certificates with `certdeck status`.", lineage=name
    )


def _with_waiting(paths: Paths, facts: Facts) -> Facts:
    """Show the certificate that waits for its first deployment where none is live yet."""
    if facts.version is not None or facts.waiting_version is None:
        return facts
    from core.store.lineages import read_version

    stored = read_version(paths, facts.name, facts.waiting_version)
    waiting = stored.certificate
    return facts._replace(
        subject=waiting.subject,
        issued_by=waiting.issuer,
        names=waiting.names,
        serial=waiting.serial,
        not_before=waiting.not_before.timestamp(),
        not_after=waiting.not_after.timestamp(),
        sha256=waiting.sha256,
        cert_key_type=waiting.key_type,
        self_signed=waiting.self_signed,
        chain_length=waiting.chain_length,
        renewal_id=waiting.renewal_id,
        ca=stored.ca,
        directory=stored.directory,
        cert_profile=stored.profile,
        chain_not_after=(waiting.chain_not_after or waiting.not_after).timestamp(),
        chain_end=waiting.chain_end,
    )


def lineage_status(
    view: View, facts: Facts, now: datetime, states: Mapping[tuple[str, str], TargetState], watched: Watch
) -> LineageStatus:
    """Return the state of one lineage from its facts, which must be `believable`."""
    facts = _with_waiting(view.paths, facts)
    stamp = now.timestamp()
    has_certificate = facts.sha256 != ""
    not_after = _time(facts.not_after) if has_certificate else None
    renew_at, why = next_renewal(view.config, facts, stamp)
    can_renew = not why_never_alone(facts, view.config)
    too_rare = ""
    if watched.timetable is not None and renew_at is not None:
        too_rare = _too_rare(view.config, facts, watched.timetable)
    # By position, in the order of the class: with keywords this alone would take a tenth of a long `status`.
    return LineageStatus(
        facts.name,
        _covered(facts),
        facts.subject,
        facts.issued_by,
        facts.serial,
        _time(facts.not_before) if has_certificate else None,
        not_after,
        days_left(facts.not_before, facts.chain_not_after, stamp) if has_certificate else None,
        severity(facts.not_before, facts.not_after, stamp, facts.chain_not_after) if has_certificate else "red",
        facts.self_signed,
        facts.chain_length > 1,
        max(facts.chain_length - 1, 0),
        facts.sha256,
        facts.cert_key_type,
        facts.method or method_of(view.config, facts.issuer, facts.challenge, facts.dns),
        facts.ca,
        can_renew and (view.config.defaults.auto_renew if facts.auto_renew is None else facts.auto_renew),
        renew_at,
        why,
        facts.last_error,
        facts.failures,
        tuple([states[facts.name, target] for target in facts.targets]),
        facts.version,
        facts.waiting_version,
        facts.newer_version,
        facts.open_order,
        facts.dns,
        facts.cert_profile,
        not_after if facts.chain_not_after == facts.not_after else _time(facts.chain_not_after),
        facts.chain_end,
        facts.root_sent,
        facts.not_before <= stamp,
        facts.revoked,
        facts.on_fallback,
        is_staging_issuer(facts.issued_by),
        facts.wanted,
        watched.timer.word,
        too_rare,
    )


def _covered(facts: Facts) -> tuple[str, ...]:
    """Return the names of the certificate, in the order of the settings; those of the settings where there is none yet."""
    if not facts.sha256:
        return tuple(facts.domains)
    if facts.domains == facts.names:
        return tuple(facts.names)
    there = set(facts.names)
    ordered = [name for name in facts.domains if name in there]
    return tuple(dict.fromkeys((*ordered, *facts.names)))


def _too_rare(config: Config, facts: Facts, timetable: Timetable) -> str:
    if facts.version is None:
        return ""
    if not too_rare(timetable, seconds_to_renew(facts, config)):
        return ""
    return f"The scheduled run starts too rarely for it ({timetable.words}). Run `certdeck schedule on` to adjust the times."


def target_states(
    view: View, every: Sequence[Facts], probe: bool, facts_of_box: Callable[[], Sequence[Facts]] | None = None
) -> dict[tuple[str, str], TargetState]:
    """Return each lineage's targets as they are now; services are asked side by side.

    `facts_of_box`: of all lineages; called where a target has another certificate, to say whose it is. None: do not say it.
    """
    wanted = [(facts, name) for facts in every for name in facts.targets]
    if not wanted:
        return {}

    @cache
    def own() -> frozenset[str]:
        from core.workflows.deploying.outside import own_fingerprints

        return own_fingerprints(facts_of_box() if facts_of_box is not None else ())

    def look(item: tuple[Facts, str]) -> TargetState:
        facts, name = item
        target = view.config.targets.get(name)
        if target is None:
            return TargetState(name=name, state="unknown", why="it is no longer configured")
        state = _observe(view, facts, target, probe)
        return state if facts_of_box is None else _with_outside(view, facts, target, own, state)

    states = map_concurrently(look, wanted) if probe else [look(item) for item in wanted]
    return {(facts.name, name): state for (facts, name), state in zip(wanted, states, strict=True)}


def _observe(view: View, facts: Facts, target: TargetConfig, probe: bool) -> TargetState:
    from core.targets.observe import observe
    from core.targets.resolved import resolved

    try:
        return observe(
            resolved(target),
            live=view.paths.live / facts.name,
            outcome=facts.target_outcomes.get(target.name),
            on_fallback=facts.on_fallback,
            prober=view.env.prober if probe else None,
            names=facts.names,
            timeout=_PROBE_SECONDS,
        )
    except CertdeckError as exc:
        return TargetState(name=target.name, state="unknown", why=f"{exc.what} {exc.why}")


def _with_outside(
    view: View, facts: Facts, target: TargetConfig, own: Callable[[], Set[str]], state: TargetState
) -> TargetState:
    """Say whose certificate is there where it is not ours; what has to be parsed for that is parsed only then."""
    if state.state not in ("stale", "failed") or facts.on_fallback or facts.version is None:
        return state
    from core.store.lineages import read_version
    from core.targets.resolved import resolved
    from core.workflows.deploying.outside import in_words, outside

    try:
        ours = read_version(view.paths, facts.name, facts.version).certificate
        found = outside(view, facts.name, ours, resolved(target), own())
    except CertdeckError:
        return state
    if found is None or (state.state == "failed" and not found.newer):
        return state
    return replace(state, outside=found, why=in_words(found))


def _since(known: TimerState, paths: Paths, troubled: Set[str | None]) -> TimerState:
    """Return how the timer does, and whether what failed in its last run is in order by now."""
    last = last_run.read(paths) if known.last_outcome == "failed" else None
    if last is None or not last.lineages or any(name in troubled for name in last.lineages):
        return known
    return replace(known, resolved=True)


def _time(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)
