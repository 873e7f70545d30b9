"""One deployment of one version to all its targets, all or none.

stage → keep the old → switch → test → reload → look, each step over all targets before the next one begins; services are tested,
reloaded and looked at side by side. The test runs after the switch, because only then does it see the new files, and before the
reload, so that nothing that fails it is ever served.
Whatever goes wrong puts the old pair back everywhere, reloads what had been told to reload, and raises what happened together
with what is live now. Stopping is honoured until the switch; after it the transaction comes to one of its two ends.

A target's own test is never enough: apache calls a mismatched pair "Syntax OK" and dies of it. So the pair is checked here first
and the service is looked at last.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from msgspec.structs import replace

from core.config.model import LineageConfig, TargetConfig
from core.config.sharing import with_sharers
from core.errors import (
    CertdeckError,
    ConfigTestFailed,
    ProbeMismatch,
    ReloadFailed,
    StageFailed,
    StoreCorrupt,
    StoreError,
    TargetError,
)
from core.events import (
    LISTENER_NOT_SEEN,
    KeyUsed,
    SessionsEnd,
    TargetProbed,
    TargetReloaded,
    TargetStaged,
    TargetSwitched,
    TargetTested,
    VersionSwitched,
    Warned,
)
from core.operations import TargetState
from core.store import journal, lineages, renewal_state
from core.store.atomic import store_error
from core.store.lineages import StoredPair
from core.store.records import rfc3339
from core.targets import pair as files
from core.targets.answers import ends_sessions
from core.targets.change import Change
from core.targets.check import all_paths, refuse
from core.targets.extra import is_extra
from core.targets.fingerprint import sha256_of_pem
from core.targets.judgement import states_of, summary
from core.targets.layout import CERTIFICATE, CHAIN, FULLCHAIN, KEY, holds_key
from core.targets.paths import folder_of
from core.targets.probe import Look, look, seen_before
from core.targets.readers import Reader, prove, readers_of
from core.targets.resolved import resolved
from core.targets.service import action_of, by_action, check_commands, run_reload, run_test
from core.targets.sight import side_by_side
from core.targets.site import Sites
from core.targets.survey import survey
from core.targets.verdict import shown
from core.workflows.context import Context
from core.workflows.deploying.inflight import (
    COMMITTING,
    SWITCHING,
    Aftermath,
    InFlight,
    commit,
    finish,
    go_back,
    names_of,
    read,
    read_or_set_aside,
    roll_forward,
)
from core.workflows.deploying.served_names import check_names
from core.workflows.issuing.method import UPLOAD
from core.workflows.web.follow import follow
from core.x509.pair import pair_problem

_ONE_AT_A_TIME = threading.Lock()
"""Two targets may be one service: its test would see, and fail on, what the other deployment is about to take back."""
PATIENCE_SECONDS = 0.1
"""How soon somebody who waits for the lock notices that they shall stop."""


def deploy_version(
    context: Context, name: str, version: int, targets: Sequence[TargetConfig], *, spec: LineageConfig
) -> tuple[TargetState, ...]:
    """Make a stored version live, on `targets` too. Holds the writers' lock; blocks as long as tests, reloads and probes take.

    With the commit `spec` becomes the lineage's settings, and its targets are taken from whoever had them. Without targets only
    `live/NAME` switches.

    Raises:
        ConfigError (`config-invalid`), UntrustedPath (`untrusted-path`), StageFailed (`stage-failed`),
            StoreCorrupt (`store-corrupt`), NotFound: nothing was touched.
        ConfigTestFailed, ReloadFailed, ProbeMismatch: everything was put back; the version waits. `details["live"]` says whether
            the old certificate is known to be served.
        Cancelled: before the new certificate was seen to be served; everything was put back.
    """
    from core.config.edit import check_lineage

    context = context.about(name)
    targets = with_sharers(targets, context.config.targets.values())
    spec = replace(spec, targets=_with_sharers(context, spec.targets))
    chosen = tuple(resolved(target) for target in targets)
    refuse(chosen, context.config.targets.values(), context.paths.state)
    check_commands(context.env, chosen)
    pair = _sound_pair(context, name, version)
    check_lineage(context.paths, spec)  # what the commit could not write would leave it half done for ever
    renewal_state.load(context.paths, name)  # likewise, where a later release wrote it
    with _alone(context) if chosen else nullcontext():
        _end_what_was_left(context, name, chosen)
        with Sites() as sites:
            flight = InFlight(
                lineage=name,
                version=version,
                live_before=_live_before(context, name),
                targets=chosen,
                changes=_surveyed(chosen, sites),
                spec=spec,
            )
            context.cancel.check()
            names = names_of(context, flight, version)
            check_names(context, chosen, names)
            probed = [each for each in chosen if each.probe]
            looks = side_by_side(lambda each: seen_before(context.env, each, names), probed)
            before = {each.name: found for each, found in zip(probed, looks, strict=True)}
            context.cancel.check()
            return _deploy(context, replace(flight, before=before), pair, sites)


def _deploy(context: Context, flight: InFlight, pair: StoredPair, sites: Sites) -> tuple[TargetState, ...]:
    touched: list[str] = []
    states: tuple[TargetState, ...] = ()
    try:
        if flight.targets:
            flight.write(context, SWITCHING)
            used = ", ".join(target.name for target in flight.targets)
            context.narrator.tell(
                KeyUsed(key=f"lineage/{flight.lineage}/{flight.version}", purpose=f"deploy to {used}")
            )
            _stage(context, flight, pair, sites)
            for target in flight.targets:
                if ends_sessions(target):
                    context.narrator.tell(SessionsEnd(target=target.name))
            context.cancel.check()
            _switch(context, flight, sites)
            states = _verify(context, flight, sha256_of_pem(pair.cert) or "", touched)
        now = rfc3339(context.env.clock.now())
        outcomes = {s.name: {"state": s.state, "sha256": s.served_sha256, "at": now, "why": s.why} for s in states}
        flight = replace(flight, outcomes=outcomes)
        commit(context, flight)
    except BaseException as exc:
        aftermath = go_back(context, flight, touched, str(getattr(exc, "why", "") or "It was interrupted."), sites)
        if not isinstance(exc, CertdeckError):
            raise
        error = _with_live(exc, aftermath, flight, _what_waits(context, flight), _again(context, flight))
        _remember_failure(context, flight, error)
        if error is exc:
            raise
        raise error from exc
    finish(context, flight, sites)
    return states


def _with_sharers(context: Context, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of targets, followed by those of every other target of their files."""
    known = context.config.targets
    chosen = [known[name] for name in names if name in known]
    return tuple(dict.fromkeys((*names, *(each.name for each in with_sharers(chosen, known.values())))))


def _surveyed(chosen: Sequence[TargetConfig], sites: Sites) -> tuple[Change, ...]:
    """Look at the paths of all targets, and at those of several targets once."""
    first: dict[Path, Change] = {}
    for target in chosen:
        if folder_of(target) not in first:
            first[folder_of(target)] = survey(target, sites)
    return tuple(replace(first[folder_of(target)], target=target.name) for target in chosen)


# -- before anything is touched ---------------------------------------------------------------------------------------------


def _sound_pair(context: Context, name: str, version: int) -> StoredPair:
    """Return the pair when its key belongs to its certificate. Raises StoreCorrupt (`store-corrupt`), NotFound."""
    pair = lineages.read_pair(context.paths, name, version)
    problem = pair_problem(pair.fullchain, pair.privkey)
    if problem:
        raise StoreCorrupt(
            f"Version {version} of {name} cannot be deployed.",
            problem,
            f"Nothing was changed. Renew it: certdeck --renew {name} --force.",
            lineage=name,
        )
    return pair


def _live_before(context: Context, name: str) -> int | None:
    """Return the version to go back to. One that somebody removed is none, or going back could never end."""
    live = lineages.live_version(context.paths, name)
    return live if live is not None and lineages.has_open_key(context.paths, name, live) else None


@contextmanager
def _alone(context: Context) -> Iterator[None]:
    while not _ONE_AT_A_TIME.acquire(timeout=PATIENCE_SECONDS):
        context.cancel.check()
    try:
        yield
    finally:
        _ONE_AT_A_TIME.release()


def _end_what_was_left(context: Context, name: str, chosen: Sequence[TargetConfig]) -> None:
    """Go back on what an earlier deployment could not put back: its record would undo this one later.

    That is one of the same lineage, or one to the same files; any other is no reason to keep a service without its certificate.

    Raises:
        StageFailed (`stage-failed`): that is still impossible.
        StoreCorrupt (`store-corrupt`): the record of the lineage itself names files that are not its targets' own.
    """
    paths = {Path(path) for each in chosen for path in all_paths(each)}
    for other in journal.names(context.paths) if chosen else [name]:
        try:
            found = read_or_set_aside(context, other) if other == name else read(context, other)
        except StoreError:
            if other == name:
                raise
            continue  # said by whoever took the lock
        if found is None:
            continue
        phase, flight = found
        if other != name and paths.isdisjoint(place.path for change in flight.changes for place in change.places):
            continue
        if phase == COMMITTING:
            roll_forward(context, flight)
            continue
        aftermath = go_back(
            context, flight, [target.name for target in flight.targets], "An earlier deployment was interrupted."
        )
        if not aftermath.is_complete:
            raise StageFailed(
                f"{name} was not deployed, because an earlier deployment of {other} has not been undone yet.",
                aftermath.sentence,
                "Fix this first, then run it again.",
                lineage=name,
                details={"live": aftermath.live},
            )


# -- the steps --------------------------------------------------------------------------------------------------------------


def _stage(context: Context, flight: InFlight, pair: StoredPair, sites: Sites) -> None:
    contents = {FULLCHAIN: pair.fullchain, KEY: pair.privkey, CHAIN: pair.chain, CERTIFICATE: pair.cert}
    for target, change in flight.files:
        context.cancel.check()
        sharing = flight.sharing(change)
        try:
            readers = _readers(flight, change)
            files.stage(change, sites.of(target), contents, readers)
        except OSError as exc:
            raise _not_written(exc, change, flight) from exc
        for each in sharing:
            for place in change.places:
                if holds_key(place.file) and not is_extra(place.file):
                    prove(each, readers_of(each), change.folder / change.after / place.file, context.env.reads_as)
            context.narrator.tell(TargetStaged(target=each.name))


def _readers(flight: InFlight, change: Change) -> tuple[Reader, ...]:
    """Return the accounts that read the files of a change, for all of its services."""
    return tuple(dict.fromkeys(reader for each in flight.sharing(change) for reader in readers_of(each)))


def _switch(context: Context, flight: InFlight, sites: Sites) -> None:
    current = flight.changes[0]
    both = flight.files
    try:
        for target, current in both:
            files.adopt(current, sites.of(target))
        lineages.switch(context.paths, flight.lineage, flight.version)
        for target, current in both:
            files.switch(current, sites.of(target), _readers(flight, current))
    except OSError as exc:
        raise _not_written(exc, current, flight) from exc
    context.narrator.tell(VersionSwitched(version=flight.version))
    for target in flight.targets:
        context.narrator.tell(TargetSwitched(target=target.name))
    follow(context, flight.targets)


def _verify(context: Context, flight: InFlight, ours: str, touched: list[str]) -> tuple[TargetState, ...]:
    """Test, reload and look at every target. `touched` gets the names of those whose service was told to reload."""
    name, env = flight.lineage, context.env
    tests = by_action(flight.targets, lambda target: target.test, lambda target: run_test(env, target, context.cancel))
    for target in flight.targets:
        verdict = tests[target.name]
        if not verdict.ok:
            raise ConfigTestFailed(
                f"{name} was not deployed: the configuration test of target {target.name} failed.",
                verdict.why,
                f"Fix what the test reports (run it yourself: {shown(target.test)}).",
                lineage=name,
                details={"target": target.name, "output": verdict.output},
            )
        if verdict.did_run:
            context.narrator.tell(TargetTested(target=target.name))

    touched.extend(target.name for target in flight.targets)
    reloads = by_action(flight.targets, action_of, lambda target: run_reload(env, target, context.cancel))
    idle: dict[str, str] = {}
    for target, change in zip(flight.targets, flight.changes, strict=True):
        verdict = reloads[target.name]
        if verdict.ok:
            if verdict.did_run:
                context.narrator.tell(TargetReloaded(target=target.name))
        elif verdict.is_idle and change.was_empty:
            # It may well be unable to start without a certificate: taking the first one away again would keep it so.
            idle[target.name] = "its service is not running; it reads the files when it starts"
            context.narrator.tell(
                Warned(
                    code="service-not-running",
                    what=f"The files of target {target.name} are in place, but its service is not running: {verdict.why}",
                    fix="Start the service; it then reads them.",
                )
            )
        else:
            run = f"run it yourself: {shown(target.reload)}" if target.reload else "check its log"
            way = "Start the service." if verdict.is_idle else f"Find the cause ({run})."
            raise ReloadFailed(
                f"{name} was not deployed: target {target.name} could not be reloaded.",
                verdict.why,
                way,
                lineage=name,
                details={"target": target.name, "output": verdict.output},
            )
    looks = side_by_side(lambda target: _look(context, flight, target, ours, idle.get(target.name)), flight.targets)
    return tuple(_shown(context, flight, each, look, ours) for each, look in zip(flight.targets, looks, strict=True))


def _look(context: Context, flight: InFlight, target: TargetConfig, ours: str, idle: str | None) -> Look | TargetState:
    """Look at what a service presents; where that cannot be looked at, how its target stands."""
    if idle is not None:
        return TargetState(name=target.name, state="unknown", why=idle)
    if not target.probe:
        return TargetState(name=target.name, state="deployed")
    names = names_of(context, flight, flight.version)
    return look(context.env, target, ours, names, flight.before.get(target.name), cancel=context.cancel)


def _shown(
    context: Context, flight: InFlight, target: TargetConfig, seen: Look | TargetState, ours: str
) -> TargetState:
    """Return how a target stands after a look, which is told. Raises ProbeMismatch."""
    if isinstance(seen, TargetState):
        return seen
    if seen.served is not None or not seen.matches:
        context.narrator.tell(TargetProbed(target=target.name, served=seen.served, matches=seen.matches))
    if not seen.matches:
        raise ProbeMismatch(
            f"{flight.lineage} was not deployed: after the reload target {target.name} does not serve it.",
            seen.why,
            f"Make sure that the service at {', '.join(target.probe)} reads {target.certificate} and {target.key} "
            "(probe_name sets the server name for the probe).",
            lineage=flight.lineage,
            details={"target": target.name, "served_sha256": seen.served, "sha256": ours, "output": ""},
        )
    for sight in seen.unseen:
        context.narrator.tell(
            Warned(
                code=LISTENER_NOT_SEEN,
                what=f"Target {target.name} does not respond at {sight.listener.address}, and did not respond before the "
                f"deployment: {sight.why}",
                fix=f"Start the service, or correct its configuration or the probe; then: certdeck target test {target.name}.",
            )
        )
    state, why = summary(seen.sights, ours)
    listeners = states_of(seen.sights, ours)
    return TargetState(name=target.name, state=state, served_sha256=seen.served, why=why, listeners=listeners)


# -- the ends ---------------------------------------------------------------------------------------------------------------


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


def _with_live(exc: CertdeckError, aftermath: Aftermath, flight: InFlight, waits: str, again: str) -> CertdeckError:
    """Return the error with what is live now, what waits, and how to try again; the error itself where no service was concerned."""
    if not isinstance(exc, TargetError) and aftermath.live == "old" and aftermath.is_complete:
        exc.lineage = exc.lineage or flight.lineage
        return exc
    fix = f"{exc.fix} Then run `{again}`."
    if aftermath.live != "old":
        fix = f"Check the service and reload it manually. {fix}"
    return type(exc)(
        exc.what,
        f"{exc.why} {aftermath.sentence} {waits}".rstrip(),
        fix,
        lineage=flight.lineage,
        retry_at=exc.retry_at,
        details={**exc.details, "live": aftermath.live},
    )


def _remember_failure(context: Context, flight: InFlight, error: CertdeckError) -> None:
    """Keep why it failed, and make sure that the lineage exists: its version waits. A full disk is no second error."""
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


def _not_written(exc: OSError, change: Change, flight: InFlight) -> StageFailed:
    error = store_error(exc, change.folder)
    if exc.filename is not None:
        error = store_error(exc, exc.filename)
    return StageFailed(
        f"{flight.lineage} was not deployed: the files of target {change.target} could not be written.",
        f"{error.what} {error.why}",
        error.fix,
        lineage=flight.lineage,
        details={"target": change.target, "output": ""},
    )
