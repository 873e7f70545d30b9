"""One deployment of one version to all its targets, all or none.

stage → keep the old → switch → test → reload → look, each step over all targets before the next one begins; services are tested,
reloaded and looked at side by side. The test runs after the switch, because only then does it see the new files, and before the
reload, so that nothing that fails it is ever served.
Whatever goes wrong puts the old pair back everywhere, reloads what had been told to reload, and raises what happened together
with what is live now. Stopping is honoured until the switch; after it the transaction comes to one of its two ends.

The record of it is in `inflight.py`, the last three steps are in `verify.py`, the two ends in `finish.py` and `roll_back.py`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from msgspec.structs import replace

from core.concurrently import map_concurrently
from core.config.model import LineageConfig, TargetConfig
from core.config.sharing import with_sharers
from core.errors import CertdeckError, StageFailed, StoreCorrupt, StoreError
from core.events import KeyUsed, SessionsEnd, TargetStaged, TargetSwitched, VersionSwitched
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
from core.targets.layout import CERTIFICATE, CHAIN, FULLCHAIN, KEY, holds_key
from core.targets.paths import folder_of
from core.targets.probe import seen_before
from core.targets.readers import Reader, prove, readers_of
from core.targets.resolved import resolved
from core.targets.service import check_commands
from core.targets.site import Sites
from core.targets.survey import survey
from core.workflows.context import Context
from core.workflows.deploying.finish import commit, finish, roll_forward
from core.workflows.deploying.inflight import COMMITTING, SWITCHING, InFlight, names_of, read, read_or_set_aside
from core.workflows.deploying.roll_back import roll_back
from core.workflows.deploying.served_names import check_names
from core.workflows.deploying.verify import verify
from core.workflows.web.follow import follow
from core.x509.pair import files_problem

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
    # What the commit could not write would leave it half done for ever.
    changes_settings = check_lineage(context.paths, spec)
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
                # Going back is none: until the newer version is sealed, the next run would deploy that.
                is_one_step=not (chosen or spec.targets or changes_settings)
                and version == lineages.versions(context.paths, name)[-1],
            )
            context.cancel.check()
            names = names_of(context, flight, version)
            check_names(context, chosen, names)
            probed = [each for each in chosen if each.probe]
            looks = map_concurrently(lambda each: seen_before(context.env, each, names), probed)
            before = {each.name: found for each, found in zip(probed, looks, strict=True)}
            context.cancel.check()
            return _deploy(context, replace(flight, before=before), pair, sites)


def _deploy(context: Context, flight: InFlight, pair: StoredPair, sites: Sites) -> tuple[TargetState, ...]:
    reloaded: list[str] = []
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
            states = verify(context, flight, sha256_of_pem(pair.cert) or "", reloaded)
        now = rfc3339(context.env.clock.now())
        outcomes = {s.name: {"state": s.state, "sha256": s.served_sha256, "at": now, "why": s.why} for s in states}
        flight = replace(flight, outcomes=outcomes)
        commit(context, flight)
    except BaseException as exc:
        result = roll_back(context, flight, reloaded, str(getattr(exc, "why", "") or "It was interrupted."), sites)
        if not isinstance(exc, CertdeckError):
            raise
        from core.workflows.deploying.failed import record_failed_deployment, with_outcome

        error = with_outcome(context, flight, exc, result)
        record_failed_deployment(context, flight, error)
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


def _sound_pair(context: Context, name: str, version: int) -> StoredPair:
    """Return the files of a version when they belong together. Raises StoreCorrupt (`store-corrupt`), NotFound."""
    pair = lineages.read_pair(context.paths, name, version)
    is_whole = pair.cert + pair.chain == pair.fullchain
    problem = ""
    if not (is_whole and _openssl_accepts(lineages.folder(context.paths, name, version))):
        problem = files_problem(pair.cert, pair.chain, pair.fullchain, pair.privkey)
    if problem:
        raise StoreCorrupt(
            f"Version {version} of {name} cannot be deployed.",
            problem,
            f"Nothing was changed. Renew it: certdeck --renew {name} --force.",
            lineage=name,
        )
    return pair


def _openssl_accepts(place: Path) -> bool:
    """Return whether OpenSSL accepts the fullchain and the key in a folder, as a service does. False proves nothing: ask
    `files_problem`.

    It saves loading cryptography, which takes five times as long; most deployments need nothing else from it. Where cryptography is
    loaded already, `files_problem` is ten times as fast, so OpenSSL is not asked.
    """
    if "cryptography.x509" in sys.modules:
        return False
    import ssl

    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(place / FULLCHAIN, place / KEY, password=b"")
    except (OSError, ValueError):
        return False
    return True


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
        result = roll_back(
            context, flight, [target.name for target in flight.targets], "An earlier deployment was interrupted."
        )
        if not result.is_complete:
            raise StageFailed(
                f"{name} was not deployed, because an earlier deployment of {other} has not been undone yet.",
                result.sentence,
                "Fix this first, then try again.",
                lineage=name,
                details={"live": result.live},
            )


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
