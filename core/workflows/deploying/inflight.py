"""A deployment between its first and its last visible change, and the two ways out of it: `finish` and `go_back`.

The record goes into the journal before anything visible happens, and holds all that either way needs, the targets' commands
included: whoever takes the lock after a kill can put things in order even when the configuration has changed since.
Both ways may be taken again from wherever an earlier attempt died.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from core.config.model import LineageConfig, TargetConfig
from core.errors import CertdeckError, StageFailed, StoreCorrupt, StoreError, StoreFull, TargetError
from core.events import TargetProbed, TargetRolledBack, VersionSwitched, Warned
from core.store import journal, lineages, renewal_state
from core.store.atomic import store_error, storing
from core.store.kept_settings import settings_from
from core.store.live import version_number
from core.targets.change import Change
from core.targets.judgement import Before
from core.targets.pair import old_sha256, put_back, settle, show_old
from core.targets.probe import Look, look
from core.targets.service import action_of, by_action, is_pushed, run_recover, run_reload, unsettled
from core.targets.sight import side_by_side
from core.targets.site import Sites, held
from core.targets.survey import owns
from core.targets.verdict import Verdict, shown
from core.workflows import clock
from core.workflows.context import Context
from core.workflows.deploying.afterwards import afterwards
from core.workflows.deploying.carried import keep_settings, take_over
from core.workflows.web.follow import follow

SWITCHING = "switching"
"""Not verified yet: a kill here is rolled back."""
COMMITTING = "committing"
"""Verified: a kill here is rolled forward."""
_HURRIED_SECONDS = 2
"""What a reload may take that puts the old certificate back while somebody waits for certdeck to end."""


class InFlight(Struct, frozen=True, kw_only=True):
    lineage: str
    version: int
    live_before: int | None
    targets: tuple[TargetConfig, ...]
    changes: tuple[Change, ...]
    """In the order of `targets`."""
    spec: LineageConfig
    """The lineage's settings from the commit on."""
    outcomes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Target → how it went, as renewal.json keeps it. Only when committing."""
    before: Mapping[str, Before] = field(default_factory=dict)
    """Target → what its listeners showed before anything was touched."""

    @property
    def files(self) -> list[tuple[TargetConfig, Change]]:
        """Each set of files once, with the first of its targets."""
        return list({change.folder: (target, change) for target, change in reversed(self._both)}.values())[::-1]

    def sharing(self, change: Change) -> list[TargetConfig]:
        """Return the targets whose services read the files of a change."""
        return [target for target, other in self._both if other.folder == change.folder]

    @property
    def _both(self) -> list[tuple[TargetConfig, Change]]:
        return list(zip(self.targets, self.changes, strict=True))

    def write(self, context: Context, phase: str) -> None:
        """Make the record durable.

        Raises StoreError; StageFailed (`stage-failed`) for a record that could not be read again: it would never be ended.
        """
        record = {
            "phase": phase,
            "lineage": self.lineage,
            "version": self.version,
            "live_before": self.live_before,
            "targets": [asdict(target) for target in self.targets],
            "changes": [change.as_json() for change in self.changes],
            "spec": asdict(self.spec),
            "outcomes": self.outcomes,
            "before": self.before,
        }
        self._check_readable(record)
        journal.write(context.paths, self.lineage, record)

    def _check_readable(self, record: Mapping[str, Any]) -> None:
        try:
            _, again = _parsed(json.loads(json.dumps(record)), self.lineage)
            is_same = (again.targets, again.changes, again.spec) == (self.targets, self.changes, self.spec)
        except (KeyError, TypeError, AttributeError, ValueError):
            is_same = False
        if not is_same:
            raise StageFailed(
                f"{self.lineage} was not deployed: the change could not be recorded.",
                "A setting, or a link at one of its paths, has a value that certdeck could not restore after a crash.",
                f"Check the settings of {self.lineage} and the paths of its targets.",
                lineage=self.lineage,
                details={"live": "old"},
            )


def read(context: Context, name: str) -> tuple[str, InFlight] | None:
    """Return phase and record of a deployment that has not ended, or None. Raises StoreCorrupt (`store-corrupt`)."""
    raw: dict[str, Any] | None = journal.read(context.paths, name)
    if raw is None:
        return None
    path = context.paths.transactions / f"{name}.json"
    try:
        phase, flight = _parsed(raw, name)
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        raise journal.unreadable(context.paths, name, "another release wrote it, or it was changed") from exc
    for target in flight.targets:
        if not owns(target, context.config.targets.get(target.name)):
            raise StoreCorrupt(
                f"{path} lists files that do not belong to the target {target.name}: {target.certificate}, {target.key}.",
                "It records an interrupted deployment. The record or the configuration was changed afterwards.",
                f"Set those paths in [targets.{target.name}] again, so that certdeck can finish the deployment. If "
                f"the paths are wrong, remove the record, then deploy again: certdeck deploy {name}",
                lineage=name,
            )
    return phase, flight


def read_or_set_aside(context: Context, name: str) -> tuple[str, InFlight] | None:
    """Return what `read` does; a record that cannot be read is moved aside, and said: it must not keep every later one out.

    What the interrupted deployment did is not guessed: the next one begins with what the services' paths show now.

    Raises StoreCorrupt (`store-corrupt`) for a record of other files, StoreError.
    """
    try:
        return read(context, name)
    except StoreCorrupt as exc:
        if exc.details.get("record") != journal.UNREADABLE:
            raise
        place = journal.set_aside(context.paths, name, context.env.clock.now())
        context.narrator.tell(
            Warned(
                code="record-set-aside",
                what=f"{exc.what} {exc.why} It was moved to {place}.",
                fix="No action is needed if this deployment succeeds.",
            )
        )
        return None


def _parsed(raw: Mapping[str, Any], name: str) -> tuple[str, InFlight]:
    """Return what a record says. Raises KeyError, TypeError, AttributeError or ValueError for anything that is none of `name`."""
    targets = tuple(settings_from(TargetConfig, target) for target in raw["targets"])
    spec = settings_from(LineageConfig, raw["spec"])
    phase, version, before = raw["phase"], raw["version"], raw["live_before"]
    numbers = [number for number in (version, before) if number is not None]
    if (raw["lineage"], spec.name) != (name, name) or phase not in (SWITCHING, COMMITTING) or version is None:
        raise ValueError("it belongs to another certificate")
    if not all(type(number) is int and version_number(str(number)) is not None for number in numbers):
        raise ValueError("it lists impossible versions")
    outcomes = {str(target): dict(outcome) for target, outcome in raw["outcomes"].items()}
    return phase, InFlight(
        lineage=name,
        version=version,
        live_before=before,
        targets=targets,
        changes=tuple(Change.from_json(change, target) for change, target in zip(raw["changes"], targets, strict=True)),
        spec=spec,
        outcomes=outcomes,
        before=_before(raw.get("before", {})),
    )


def _before(raw: Any) -> dict[str, Before]:
    return {
        str(target): {str(address): tuple(map(str, served)) for address, served in listeners.items()}
        for target, listeners in raw.items()
    }


# -- forward ---------------------------------------------------------------------------------------------------------------


def commit(context: Context, flight: InFlight) -> None:
    """Make a verified deployment final, and the version live where it has no targets: the point of no return.

    What stands in the record decides, because the next run goes by it. Raises StoreError: nothing is final, go back.
    """

    def is_recorded() -> bool:
        record = journal.read(context.paths, flight.lineage) or {}
        return (record.get("phase"), record.get("version")) == (COMMITTING, flight.version)

    def is_live() -> bool:
        return lineages.live_version(context.paths, flight.lineage) == flight.version

    steps: tuple[tuple[Callable[[], None], Callable[[], bool]], ...] = (
        (lambda: flight.write(context, COMMITTING), is_recorded),
        (lambda: _make_live(context, flight), is_live),
    )
    for step, is_done in steps:
        try:
            step()
        except StoreError as exc:
            # The rename may have succeeded, and only the flush after it failed.
            if not is_done():
                raise
            context.narrator.tell(Warned(code="commit-not-synced", what=f"{exc.what} {exc.why}", fix=exc.fix))


def _make_live(context: Context, flight: InFlight) -> None:
    if lineages.live_version(context.paths, flight.lineage) != flight.version:
        lineages.switch(context.paths, flight.lineage, flight.version)
        context.narrator.tell(VersionSwitched(version=flight.version))


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
        ("old-key-not-sealed", lambda: lineages.seal_old_keys(paths, context.vault, name)),
        ("old-versions-not-removed", lambda: _prune(context, name)),
    )
    is_done = True
    for code, step in steps:
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


def _prune(context: Context, name: str) -> None:
    if not clock.removal_waits(context, "Removing old versions"):
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


# -- back ------------------------------------------------------------------------------------------------------------------


class Aftermath(Struct, frozen=True, kw_only=True):
    """How things stand after going back."""

    live: str
    """`old`, or `unknown` when it could not be confirmed."""
    sentence: str
    is_complete: bool
    """False: the record stays and the next run goes on with it."""


def go_back(
    context: Context, flight: InFlight, touched: Collection[str], why: str, sites: Sites | None = None
) -> Aftermath:
    """Put the old pair back everywhere, and make the services in `touched` read and show it again. Blocks like a deployment.

    What cannot be put back now stays on record for the next run. Raises nothing of its own. `sites`: as in `finish`.
    """
    with held(sites) as opened:
        return _go_back(context, flight, touched, why, opened)


def _go_back(context: Context, flight: InFlight, touched: Collection[str], why: str, sites: Sites) -> Aftermath:
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
    if problems:
        sentence = f"The previous certificate could not be restored: {' '.join(problems)} The next run of certdeck tries again."
        return Aftermath(live="unknown", sentence=sentence, is_complete=False)

    follow(context, flight.targets)
    # Where nothing was, a reload without the files could only fail.
    both = zip(flight.targets, flight.changes, strict=True)
    again = [
        target for target, change in both if target.name in touched and not (change.was_empty and not is_pushed(target))
    ]
    doubts = _confirm_all(context, flight, again, old)
    if unsettled(again):
        said = f"Another machine may still have the new files: {' '.join(doubts)} The next run of certdeck tries again."
        return Aftermath(live="unknown", sentence=said, is_complete=False)
    for target, change in flight.files:
        try:
            put_back(change, sites.of(target))
        except OSError as exc:
            problems.append(_sentence(exc, change.folder))
        else:
            for each in flight.sharing(change):
                context.narrator.tell(TargetRolledBack(target=each.name, why=why))
    try:
        if not problems:
            journal.remove(context.paths, flight.lineage)
    except CertdeckError as exc:
        problems.append(f"{exc.what} {exc.why}")
    if doubts:
        said = (
            f"The previous files were restored, but certdeck could not confirm that they are served: {' '.join(doubts)}"
        )
        return Aftermath(live="unknown", sentence=said, is_complete=not problems)
    return Aftermath(live="old", sentence=_what_is_live(flight), is_complete=not problems)


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
    found = side_by_side(
        lambda target: _confirm_old(context, flight, target, reloads[target.name], expected[target.name]), targets
    )
    for target, (_, seen) in zip(targets, found, strict=True):
        if seen is not None:
            context.narrator.tell(TargetProbed(target=target.name, served=seen.served, matches=seen.matches))
    return [doubt for doubt, _ in found if doubt]


def _confirm_old(
    context: Context, flight: InFlight, target: TargetConfig, verdict: Verdict, expected: str | None
) -> tuple[str, Look | None]:
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
    context: Context, flight: InFlight, target: TargetConfig, verdict: Verdict, expected: str | None
) -> tuple[str, Look | None]:
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


def names_of(context: Context, flight: InFlight, version: int | None) -> tuple[str, ...]:
    """Return the names that a version's certificate covers; those of the settings where that cannot be read."""
    with suppress(CertdeckError):
        if version is not None:
            return lineages.read_version(context.paths, flight.lineage, version).certificate.names
    return flight.spec.domains


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


def _family(kind: type[CertdeckError]) -> set[type[CertdeckError]]:
    return {kind}.union(*(_family(each) for each in kind.__subclasses__()))
