"""The rules of baselines (snapshots/README.md), tried in a small project with a pytest of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

CONFTEST = """
import pytest
from tests.support.baselines import StaleBaselines, TextBaseline

def pytest_configure(config):
    config.pluginmanager.register(StaleBaselines(), "stale-baselines")

@pytest.fixture
def golden(snapshot):
    return snapshot.use_extension(TextBaseline)
"""
TWO_TESTS = """
def test_one(golden):
    assert "one" == golden

def test_two(golden):
    assert "two" == golden
"""


class Project:
    """A folder with tests and baselines."""

    def __init__(self, folder: Path, *, new: bool = True) -> None:
        self.folder = folder
        if new:
            self._make(folder)

    @staticmethod
    def _make(folder: Path) -> None:
        (folder / "tests" / "support").mkdir(parents=True)
        shutil.copy(ROOT / "tests/support/baselines.py", folder / "tests/support/baselines.py")
        (folder / "tests/support/__init__.py").touch()
        (folder / "tests/conftest.py").write_text(CONFTEST)
        (folder / "tests/test_first.py").write_text(TWO_TESTS)
        (folder / "tests/test_second.py").write_text(TWO_TESTS)
        (folder / "pyproject.toml").write_text(
            '[tool.pytest.ini_options]\naddopts = ["--import-mode=importlib", "-p", "no:cacheprovider"]\n'
            'pythonpath = ["."]\ntestpaths = ["tests"]\n'
        )
        (folder / "snapshots").mkdir()
        (folder / "snapshots/README.md").write_text("stays")

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run pytest there; return its exit status and what it printed."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TEXTUAL_"))
        }
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "syrupy", "-p", "xdist", *arguments],
            check=False,
            cwd=self.folder,
            env={**environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # the others take longer to load than the tests
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout + done.stderr

    @property
    def baselines(self) -> list[str]:
        folder = self.folder / "snapshots"
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


ALL = [
    "README.md",
    "test_first/test_one.txt",
    "test_first/test_two.txt",
    "test_second/test_one.txt",
    "test_second/test_two.txt",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose baselines have been made."""
    project = Project(tmp_path_factory.mktemp("made") / "project")
    assert project.run("--snapshot-update")[0] == 0
    assert project.baselines == ALL
    return project


@pytest.fixture
def project(made: Project, tmp_path: Path) -> Project:
    """A copy of it for one test."""
    shutil.copytree(made.folder, tmp_path / "project")
    return Project(tmp_path / "project", new=False)


def test_a_missing_baseline_fails(tmp_path: Path) -> None:
    """A test without a baseline fails instead of making one by itself."""
    fresh = Project(tmp_path / "project")
    status, output = fresh.run()
    assert (status, fresh.baselines) == (1, ["README.md"]), output


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="everything"),
        pytest.param(["-n", "2", "--snapshot-update"], id="two-processes"),
        pytest.param(["tests/test_first.py::test_one", "--snapshot-update"], id="one-test"),
        pytest.param(["tests/test_first.py"], id="one-file"),
        pytest.param(["-k", "one", "--snapshot-update"], id="by-name"),
    ],
)
def test_a_good_run_changes_nothing(project: Project, arguments: list[str]) -> None:
    """Running all tests or some of them, comparing or updating, passes and deletes no baseline of the others."""
    status, output = project.run(*arguments)
    assert (status, project.baselines) == (0, ALL), output


@pytest.mark.parametrize("processes", [pytest.param([], id="one"), pytest.param(["-n", "2"], id="two")])
def test_a_stale_baseline_fails_a_whole_run(project: Project, processes: list[str]) -> None:
    """Baselines of a deleted test and of a deleted file fail a whole run by name; an update removes them and nothing else."""
    (project.folder / "tests/test_second.py").unlink()
    (project.folder / "tests/test_first.py").write_text(TWO_TESTS.partition("def test_two")[0])
    status, output = project.run(*processes)
    assert status == 1, output
    for name in ("test_first/test_two.txt", "test_second/test_one.txt", "test_second/test_two.txt"):
        assert f"stale  snapshots/{name}" in output
    assert project.run(*processes, "--snapshot-update")[0] == 0
    assert project.baselines == ["README.md", "test_first/test_one.txt"]
    assert not (project.folder / "snapshots/test_second").exists()


def test_a_failed_run_removes_nothing(project: Project) -> None:
    """A test that fails before it compares keeps its baseline, even under an update."""
    (project.folder / "tests/test_first.py").write_text(
        TWO_TESTS.replace('assert "two" == golden', "assert golden is None")
    )
    status, output = project.run("--snapshot-update")
    assert (status, project.baselines) == (1, ALL), output
