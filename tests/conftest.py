"""What every test gets: a home of its own, a clean environment, sockets that reach loopback alone, baselines, and real servers."""

from __future__ import annotations

import collections
import gc
import itertools
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import pytest_textual_snapshot
import textual.constants
from syrupy.assertion import SnapshotAssertion
from textual.app import App

from tests.support.authority import Authority
from tests.support.baselines import JsonBaseline, StaleBaselines, SvgBaseline, TextBaseline
from tests.support.loopback import only_loopback
from tests.support.nginx import NginxServer
from tests.support.pebble import PebbleOptions, PebbleServer
from tests.support.scratch import keep_files_in_memory
from tests.support.tmux import Terminal

BASELINE_PYTHON = (3, 11)
"""Messages of argparse and the like differ between versions: one of them makes the baselines."""

KEPT_VARIABLES = ("PATH", "PYTEST_", "PYTHON", "TEXTUAL_SNAPSHOT_TEMPDIR", "COVERAGE_", "VIRTUAL_ENV")
"""Beginnings of the names that a test sees of the caller's environment. Everything else would make runs differ."""

WEIGHTS = {
    "test_baselines": 60,
    "test_failing_calls": 60,
    "test_kill_": 20,
    "test_power_": 50,
    "tests/fleet/": 20,
    "test_ssh": 20,
    "tests/e2e/": 10,
    "tests/architecture/": 5,
    "tests/tui/": 5,
}
"""About how much longer a test takes than most others do, by a part of its path."""

RARELY = (20_000, 20, 100)
"""When garbage is collected: a console's widgets and styles make Python collect a hundred times a second, to free little."""

hypothesis.settings.register_profile("certdeck", deadline=None, derandomize=True, database=None, max_examples=60)
hypothesis.settings.load_profile("certdeck")


def pytest_configure(config: pytest.Config) -> None:
    """Watch over the baselines, and choose where files are kept."""
    keep_files_in_memory()
    if config.option.update_snapshots and sys.version_info[:2] != BASELINE_PYTHON:
        wanted = ".".join(map(str, BASELINE_PYTHON))
        raise pytest.UsageError(f"baselines are made with Python {wanted}; this is {sys.version.split()[0]}")
    config.pluginmanager.register(StaleBaselines(), "stale-baselines")
    # Textual has read its environment by now, because the snapshot plugin imports it before any of our code runs.
    textual.constants.TEXTUAL_ANIMATIONS = "none"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Some run only when asked for: measurements say nothing beside other tests, other CAs want a network of their own, and every
    fault of a fleet takes minutes."""
    for marker in ("bench", "interop", "fleet"):
        if marker not in config.option.markexpr:
            left_out = [item for item in items if item.get_closest_marker(marker)]
            if left_out:
                config.hook.pytest_deselected(items=left_out)
                items[:] = [item for item in items if item not in left_out]
    _put_long_files_first(items)


def _put_long_files_first(items: list[pytest.Item]) -> None:
    """Order by file, as `--dist loadfile` hands them out, so that the processes end at about the same time."""
    weights = collections.Counter[Path]()
    for item in items:
        weights[item.path] += next((weight for part, weight in WEIGHTS.items() if part in item.nodeid), 1)
    items.sort(key=lambda item: -weights[item.path])  # a stable sort: within a file and among equals nothing moves


def pytest_collection_finish() -> None:
    """Leave the thousands of collected tests out of every later collection of garbage, and collect rarely, here and in forks."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*RARELY)


# -- surroundings ----------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that CERTDECK_HOME names in this test; it is not there yet. The rest of the environment is bare."""
    for name in list(os.environ):
        if not name.startswith(KEPT_VARIABLES):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    for name, value in {
        "CERTDECK_HOME": str(folder),
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "TEXTUAL_ANIMATIONS": "none",
        "TZ": "UTC",
    }.items():
        monkeypatch.setenv(name, value)
    time.tzset()
    return folder


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    only_loopback(monkeypatch)


_numbers = itertools.count(1)


@pytest.fixture
def fresh_name(worker_id: str) -> Callable[[str], str]:
    """Make domain names that no other test has ordered: `fresh_name("shop")` is `shop-7-gw0.example.com`."""

    def make(word: str = "box") -> str:
        return f"{word}-{next(_numbers)}-{worker_id}.example.com"

    return make


# -- baselines -------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _baselines_below_snapshots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytest_textual_snapshot, "SVGImageExtension", SvgBaseline)


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Compare text with its baseline: `assert text == golden`, or `golden(name="after")` for a second one."""
    return snapshot.use_extension(TextBaseline)


@pytest.fixture
def golden_json(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Compare a JSON value with its baseline: `assert value == golden_json`."""
    return snapshot.use_extension(JsonBaseline)


@pytest.fixture
def snap(snapshot: SnapshotAssertion) -> Callable[[App[Any], str], None]:
    """Compare the picture of a running app with its baseline, in the middle of a test: `snap(app, "after-enter")`."""
    pictures = snapshot.use_extension(SvgBaseline)

    def compare(app: App[Any], name: str) -> None:
        assert app.export_screenshot(simplify=True) == pictures(name=name)

    return compare


# -- real servers ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def pebbles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., PebbleServer]]:
    """Make a CA with the options of PebbleOptions; the same options give the same running one."""
    running: dict[str, PebbleServer] = {}

    def get(**options: Any) -> PebbleServer:
        wanted = PebbleOptions(**options)
        if wanted.key not in running:
            server = running[wanted.key] = PebbleServer(tmp_path_factory.mktemp("pebble"), wanted)
            server.start()
        return running[wanted.key]

    yield get
    for server in running.values():
        server.stop()


@pytest.fixture(scope="session")
def pebble(pebbles: Callable[..., PebbleServer]) -> PebbleServer:
    """A fast and friendly CA that every test of this process shares. Order under names of your own (`fresh_name`)."""
    return pebbles()


@pytest.fixture
def nginxes(tmp_path: Path) -> Iterator[Callable[..., NginxServer]]:
    """Start nginx with the arguments of NginxServer, `folder` apart; ended with the test."""
    running: list[NginxServer] = []

    def start(**arguments: Any) -> NginxServer:
        server = NginxServer(tmp_path / f"nginx-{len(running) + 1}", **arguments)
        running.append(server)
        server.start()
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def nginx(nginxes: Callable[..., NginxServer]) -> NginxServer:
    """An nginx of this test's own, serving a self-signed certificate as it was installed."""
    return nginxes()


@pytest.fixture
def terminals(home: Path) -> Iterator[Callable[..., Terminal]]:
    """Open a program in a terminal: `terminals(["certdeck"], columns=120, rows=40)`; closed with the test.

    `env` adds to CERTDECK_HOME, HOME and a PATH that begins with the folder of the running Python, where `certdeck` is.
    """
    opened: list[Terminal] = []
    # The path of a socket has to be short, and pytest's folders are not.
    sockets = Path(tempfile.mkdtemp(prefix="tmux"))

    def start(argv: Sequence[str], *, env: Mapping[str, str] | None = None, **arguments: Any) -> Terminal:
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin:/usr/sbin:/sbin"
        given = {"CERTDECK_HOME": str(home), "HOME": str(home.parent), "PATH": path, "TZ": "UTC", **(env or {})}
        opened.append(Terminal(argv, socket=sockets / str(len(opened)), env=given, **arguments))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()
    shutil.rmtree(sockets)


@pytest.fixture(scope="session")
def authority() -> Authority:
    """A throwaway CA whose `now` is the real one."""
    return Authority.new()
