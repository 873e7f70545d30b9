"""A deployment between its first and its last visible change, and the two ways out of it: `finish` and `go_back`.

The record goes into the journal before anything visible happens, and holds all that either way needs, the targets' commands
included: whoever takes the lock after a kill can put things in order even when the configuration has changed since.
Both ways may be taken again from wherever an earlier attempt died.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from core.config.model import LineageConfig, TargetConfig
from core.errors import CertdeckError, StoreCorrupt, StoreError, StoreFull, TargetError, VaultError
from core.events import SERVICE_TAKEN_OVER, TargetProbed, TargetRolledBack, VersionSwitched, Warned
from core.store import journal, lineages, renewal_state
from core.store.atomic import store_error
from core.store.kept_settings import settings_from
from core.store.live import version_number
from core.targets.change import Change, owns
from core.targets.judgement import Before
from core.targets.pair import old_sha256, put_back, settle, show_old
from core.targets.probe import look
from core.targets.service import run_reload, shown
from core.workflows.context import Context

SWITCHING = "switching"
"""Not verified yet: a kill here is rolled back."""
COMMITTING = "committing"
"""Verified: a kill here is rolled forward."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
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

    def write(self, context: Context, phase: str) -> None:
        """Make the record durable. Raises StoreError."""
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
        journal.write(context.paths, self.lineage, record)


def read(context: Context, name: str) -> tuple[str, InFlight] | None:
    """Return phase and record of a deployment that has not ended, or None. Raises StoreCorrupt (`store-corrupt`)."""
    raw: dict[str, Any] | None = journal.read(context.paths, name)
    if raw is None:
        return None
    path = context.paths.transactions / f"{name}.json"
    again = f"Remove it, then put the certificate onto its services again: certdeck deploy {name}."
    try:
        phase, flight = _parsed(raw, name)
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        raise StoreCorrupt(
            f"{path} cannot be read.",
            "It says what an interrupted deployment was doing, and another release wrote it or it was changed.",
            again,
            lineage=name,
        ) from exc
    for target in flight.targets:
        if not owns(target, context.config.targets.get(target.name)):
            raise StoreCorrupt(
                f"{path} names files that the target {target.name} does not have: {target.certificate}, {target.key}.",
                "It says what an interrupted deployment was doing, and it or the configuration was changed since.",
                f"Give [targets.{target.name}] those paths again, so that it can be ended. Or, if they are not its own: {again}",
                lineage=name,
            )
    return phase, flight


def _parsed(raw: Mapping[str, Any], name: str) -> tuple[str, InFlight]:
    """Return what a record says. Raises KeyError, TypeError, AttributeError or ValueError for anything that is none of `name`."""
    targets = tuple(settings_from(TargetConfig, target) for target in raw["targets"])
    spec = settings_from(LineageConfig, raw["spec"])
    phase, version, before = raw["phase"], raw["version"], raw["live_before"]
    numbers = [number for number in (version, before) if number is not None]
    if (raw["lineage"], spec.name) != (name, name) or phase not in (SWITCHING, COMMITTING) or version is None:
        raise ValueError("it is no record of that lineage")
    if not all(type(number) is int and version_number(str(number)) is not None for number in numbers):
        raise ValueError("it names versions that cannot be")
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


def finish(context: Context, flight: InFlight) -> None:
    """Do the book-keeping of a deployment whose certificate is live. Raises StoreError, ConfigError: then call it again."""
    from core.config.edit import write_lineage

    paths, name = context.paths, flight.lineage
    if lineages.live_version(paths, name) != flight.version:
        lineages.switch(paths, name, flight.version)
        context.narrator.tell(VersionSwitched(version=flight.version))
    write_lineage(paths, flight.spec)
    _take_over(context, flight.spec)
    _remember(context, flight)
    _seal_old_keys(context, name)
    lineages.prune(paths, name)
    for change in flight.changes:
        try:
            settle(change)
        except OSError as exc:
            error = store_error(exc, change.folder, "cleaned up")
            context.narrator.tell(Warned(code="target-not-clean", what=f"{error.what} {error.why}", fix=error.fix))
    journal.remove(paths, name)


def _take_over(context: Context, spec: LineageConfig) -> None:
    """Remove the lineage's targets from every other lineage: a target carries one certificate."""
    from core.config.edit import write_lineage
    from core.config.load import load_lineage

    if not spec.targets:
        return
    mine = set(spec.targets)
    for path in sorted(context.paths.certificates.glob("*.toml")):
        if path.stem == spec.name:
            continue
        with suppress(
            CertdeckError, OSError
        ):  # a file that cannot be read is its own lineage's problem, said by status
            text = path.read_text("utf-8", "replace")
            if not any(target in text for target in mine):
                continue  # parsing a thousand files to find one name would take seconds
            other = load_lineage(context.paths, path.stem)
            taken = mine & set(other.targets)
            if taken:
                _tell_taken(context, spec.name, other.name, sorted(taken))
                write_lineage(context.paths, replace(other, targets=tuple(t for t in other.targets if t not in mine)))


def _tell_taken(context: Context, name: str, other: str, taken: list[str]) -> None:
    """Say that a service shows another lineage's certificate no more: with one mistyped name that is not what was meant."""
    services = ", ".join(taken)
    context.narrator.tell(
        Warned(
            code=SERVICE_TAKEN_OVER,
            what=f"{services} carried the certificate {other} until now, and carries {name} from now on.",
            fix=f"If that was not meant: certdeck deploy {other} --target {' '.join(taken)}",
        )
    )


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
    renewal_state.save(paths, name, replace(state, targets=kept))


def _seal_old_keys(context: Context, name: str) -> None:

    try:
        lineages.seal_old_keys(context.paths, context.vault, name)
    except StoreFull:
        raise  # the next run seals it, when there is room
    except (VaultError, StoreError) as exc:
        # The certificate is live and stays so: an old key that waits unsealed is said, not a reason to fail.
        context.narrator.tell(Warned(code="old-key-not-sealed", what=f"{exc.what} {exc.why}", fix=exc.fix))


# -- back ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """How things stand after going back."""

    live: str
    """`old`, or `unknown` when it could not be confirmed."""
    sentence: str
    is_complete: bool
    """False: the record stays and the next run goes on with it."""


def go_back(context: Context, flight: InFlight, touched: Collection[str], why: str) -> Aftermath:
    """Put the old pair back everywhere, and make the services in `touched` read and show it again. Blocks like a deployment.

    What cannot be put back now stays on record for the next run. Raises nothing of its own.
    """
    problems = []
    old = {change.target: old_sha256(change) for change in flight.changes}
    for change in flight.changes:
        try:
            show_old(change)
        except OSError as exc:
            problems.append(_sentence(exc, change.folder))
    try:
        _restore_live(context, flight)
    except CertdeckError as exc:
        problems.append(f"{exc.what} {exc.why}")
    if problems:
        sentence = f"The previous certificate could not be put back: {' '.join(problems)} The next run of certdeck tries again."
        return Aftermath(live="unknown", sentence=sentence, is_complete=False)

    doubts = []
    for target, change in zip(flight.targets, flight.changes, strict=True):
        # Where nothing was, a reload without the files could only fail.
        if target.name in touched and not change.was_empty:
            doubts.extend(_confirm_old(context, flight, target, old[target.name]))
    for change in flight.changes:
        try:
            put_back(change)
        except OSError as exc:
            problems.append(_sentence(exc, change.folder))
        else:
            context.narrator.tell(TargetRolledBack(target=change.target, why=why))
    try:
        if not problems:
            journal.remove(context.paths, flight.lineage)
    except CertdeckError as exc:
        problems.append(f"{exc.what} {exc.why}")
    if doubts:
        said = f"The previous files are back, but it could not be confirmed that they are served: {' '.join(doubts)}"
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


def _confirm_old(context: Context, flight: InFlight, target: TargetConfig, expected: str | None) -> list[str]:
    """Reload a service with the old pair and look whether it shows it; return what keeps us from saying so."""
    verdict = run_reload(context.env, target)
    if verdict.is_idle:
        return []  # it does not run, and will read the old files when it starts
    if not verdict.ok:
        return [f"{target.name}: {verdict.why}"]
    if not target.probe or expected is None:
        return []
    names = names_of(context, flight, flight.live_before)
    seen = look(context.env, target, expected, names, flight.before.get(target.name), restoring=True)
    context.narrator.tell(TargetProbed(target=target.name, served=seen.served, matches=seen.matches))
    return [] if seen.matches else [f"{target.name}: {seen.why}"]


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
        return "There was no certificate before, and none is there now."
    return "The previous certificate is live."


def not_confirmed_fix(target: TargetConfig) -> str:
    """Return what a person does when a service may still use what was taken back."""
    return (
        f"Look at the service and reload it by hand ({shown(target.reload)})."
        if target.reload
        else "Restart the service."
    )


def _sentence(exc: OSError, place: Path) -> str:
    error = store_error(exc, place)
    return f"{error.what} {error.why}"


def _family(kind: type[CertdeckError]) -> set[type[CertdeckError]]:
    return {kind}.union(*(_family(each) for each in kind.__subclasses__()))
