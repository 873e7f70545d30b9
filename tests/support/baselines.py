"""Baselines below `snapshots/`, where a stranger finds them, instead of beside the tests.

syrupy has no option for the place, and once baselines lie outside `tests/` its own search for unused files takes a run of a
single test for a run of all and deletes what it did not see. So the search is turned off here and done by this module: every
location that is asked for is remembered, and at the end of a run of the whole suite what nobody asked for is stale.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.data import SnapshotCollections
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

if TYPE_CHECKING:
    from syrupy.location import PyTestLocation
    from syrupy.types import SnapshotIndex

TESTS = Path(__file__).resolve().parents[1]
SNAPSHOTS = TESTS.parent / "snapshots"
SUFFIXES = frozenset({".svg", ".txt", ".json"})
"""The files that are ours to call stale, and to remove; anything else in the folder stays."""


class _UnderSnapshots(SingleFileSnapshotExtension):
    """The place, and the memory of what was asked for in this process."""

    asked_for: ClassVar[set[str]] = set()

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(SNAPSHOTS / Path(test_location.filepath).relative_to(TESTS).with_suffix(""))

    @classmethod
    def get_location(cls, *, test_location: PyTestLocation, index: SnapshotIndex) -> str:
        location = super().get_location(test_location=test_location, index=index)
        _UnderSnapshots.asked_for.add(location)
        return location

    def discover_snapshots(self, *, test_location: PyTestLocation) -> SnapshotCollections:
        return SnapshotCollections()


class SvgBaseline(_UnderSnapshots, SVGImageExtension):
    """A picture of a screen."""


class TextBaseline(_UnderSnapshots):
    """Text as a person reads it."""

    _file_extension = "txt"
    _write_mode = WriteMode.TEXT


class JsonBaseline(_UnderSnapshots):
    """A JSON value, laid out for reading."""

    _file_extension = "json"
    _write_mode = WriteMode.TEXT

    def serialize(self, data: Any, **_: Any) -> str:
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def asked_for() -> set[str]:
    """Return the baselines that tests of this process have compared with."""
    return set(_UnderSnapshots.asked_for)


def stale(snapshots: Path, used: set[str]) -> list[Path]:
    """Return the baselines in `snapshots` that are not in `used`, sorted."""
    files = (path for path in snapshots.rglob("*") if path.is_file() and path.suffix in SUFFIXES)
    return sorted(path for path in files if str(path) not in used)


def remove(files: list[Path], snapshots: Path) -> None:
    """Remove baselines, and the folders that are empty then."""
    for path in files:
        path.unlink()
        for folder in path.parents:
            if folder == snapshots or any(folder.iterdir()):
                break
            folder.rmdir()


class StaleBaselines:
    """The pytest plugin that looks for stale baselines after a run of the whole suite, also over several processes."""

    def __init__(self, snapshots: Path = SNAPSHOTS) -> None:
        self.snapshots = snapshots
        self.used: set[str] = set()
        self.found: list[Path] = []
        self.complete = True

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        """Take over what a worker process has used. Only the process that gives out the tests is called."""
        used = getattr(node, "workeroutput", {}).get("baselines")
        if used is None:
            self.complete = False
        else:
            self.used.update(used)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Look, when the run was whole and clean: a test that failed early has not asked for its baselines."""
        self.used |= asked_for()
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["baselines"] = sorted(self.used)
        elif self.complete and session.exitstatus == pytest.ExitCode.OK and is_whole_run(session.config):
            self.found = stale(self.snapshots, self.used)
            if not session.config.option.update_snapshots:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED if self.found else session.exitstatus
            else:
                remove(self.found, self.snapshots)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Name the stale ones."""
        if self.found:
            removed = config.option.update_snapshots
            terminalreporter.section("baselines that belong to no test")
            for path in self.found:
                terminalreporter.line(f"{'removed' if removed else 'stale'}  {path.relative_to(self.snapshots.parent)}")
            if not removed:
                terminalreporter.line("Remove them with: pytest --snapshot-update (a run of everything)")


def is_whole_run(config: pytest.Config) -> bool:
    """Tell whether no test was left out: no path, no -k, -m, --lf, --deselect or --ignore."""
    given = config.invocation_params.args
    paths = [str(argument) for argument in given if not str(argument).startswith("-") and Path(str(argument)).exists()]
    option = config.option
    narrowing = (option.keyword, option.markexpr, option.deselect, option.ignore, option.ignore_glob)
    return (
        not any(narrowing)
        and not getattr(option, "lf", False)
        and not any("::" in str(argument) for argument in given)
        and all(Path(path).resolve() == TESTS for path in paths)
    )
