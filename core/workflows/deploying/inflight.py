"""The record of a deployment between its first and its last visible change.

It goes into the journal before anything visible happens, and contains everything that both ways out need (`finish`, `roll_back`),
the targets' commands included: whoever takes the lock after a kill can end it even when the configuration has changed since.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict

from core.config.model import LineageConfig, TargetConfig
from core.errors import CertdeckError, StageFailed, StoreCorrupt
from core.events import Warned
from core.store import journal, lineages
from core.store.kept_settings import settings_from
from core.store.live import version_number
from core.targets.change import Change
from core.targets.judgement import Before
from core.targets.survey import owns
from core.workflows.context import Context

SWITCHING = "switching"
"""Not verified yet: a kill here is rolled back."""
COMMITTING = "committing"
"""Verified: a kill here is rolled forward."""


class InFlight(Struct, frozen=True, kw_only=True):
    """What is deployed where, and what was there before."""

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
    is_one_step: bool = False
    """Only the live link changes, and nothing has to be undone or done again after a crash: it needs no record."""

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


def names_of(context: Context, flight: InFlight, version: int | None) -> tuple[str, ...]:
    """Return the names that a version's certificate covers; those of the settings where that cannot be read."""
    with suppress(CertdeckError):
        if version is not None:
            return lineages.read_version(context.paths, flight.lineage, version).certificate.names
    return flight.spec.domains
