"""core.store.lock: one writer at a time, and who comes second is told by whom it is kept out."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import LockHeld, StoreNotWritable
from core.paths import Paths, paths_for
from core.store.lock import writers_lock
from tests.support.boxes import the_environment

HOLDER = """
import sys
from core.paths import paths_for
from core.store.lock import writers_lock
from core.system import environment
with writers_lock(paths_for({"CERTDECK_HOME": sys.argv[1]}, 0), environment({}), "renew"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_for({"CERTDECK_HOME": str(tmp_path)}, 0)


def test_the_second_is_told_who_holds_it(paths: Paths) -> None:
    """LockHeld names process, time and operation of the holder, and the way out."""
    with (
        writers_lock(paths, the_environment(), "issue"),
        pytest.raises(LockHeld) as caught,
        writers_lock(paths, the_environment(), "renew"),
    ):
        pytest.fail("two writers at once")
    assert caught.value.details == {"pid": os.getpid(), "since": "2026-11-21T12:00:00Z", "operation": "issue"}
    assert caught.value.what == f"Another certdeck process is running: issue, process {os.getpid()}."
    with writers_lock(paths, the_environment(), "renew"):
        assert stat.S_IMODE(paths.lock.stat().st_mode) == 0o600
        assert stat.S_IMODE(paths.run.stat().st_mode) == 0o700


def test_it_is_free_when_its_holder_dies(paths: Paths) -> None:
    """kill -9 frees the lock, and what the dead one wrote into it bothers nobody."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(paths.run.parent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    with pytest.raises(LockHeld) as caught, writers_lock(paths, the_environment(), "x"):
        pytest.fail("two writers at once")
    assert caught.value.details["pid"] == child.pid
    child.send_signal(signal.SIGKILL)
    child.communicate()
    with writers_lock(paths, the_environment(), "x"):
        pass


def test_a_child_does_not_hold_it(paths: Paths) -> None:
    """A program started while the lock is held, and still running afterwards, keeps nobody out."""
    with writers_lock(paths, the_environment(), "deploy"):
        child = subprocess.Popen(["/bin/sleep", "60"], close_fds=False)
    try:
        with writers_lock(paths, the_environment(), "next"):
            pass
    finally:
        child.kill()
        child.wait()


def test_a_cleared_run_folder_does_not_make_two_writers(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the lock file goes between opening and locking it, the one that is there now is locked."""
    import fcntl

    real = fcntl.flock
    times: list[int] = []

    def clearing(handle: int, how: int) -> None:
        if not times and how & fcntl.LOCK_EX:
            paths.lock.unlink()
        times.append(how)
        real(handle, how)

    monkeypatch.setattr(fcntl, "flock", clearing)
    with writers_lock(paths, the_environment(), "x"):
        assert len(times) == 2
        with pytest.raises(LockHeld), writers_lock(paths, the_environment(), "y"):
            pytest.fail("two writers at once")


def test_a_holder_that_wrote_nothing_yet_is_still_said(paths: Paths) -> None:
    """Between locking and writing who it is, the refusal does without the name."""
    with writers_lock(paths, the_environment(), "x"):
        paths.lock.write_text("")
        with pytest.raises(LockHeld) as caught, writers_lock(paths, the_environment(), "y"):
            pytest.fail("two writers at once")
    assert caught.value.details == {"pid": None, "since": None, "operation": None}


def test_a_folder_of_somebody_else_says_so(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who may not write there gets the way out, not a traceback."""
    paths.run.mkdir()
    real = os.open

    def refusing(path: object, *args: int, **options: int) -> int:
        if path == paths.lock:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *args, **options)

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(StoreNotWritable) as caught, writers_lock(paths, the_environment(), "x"):
        pytest.fail("locked")
    assert "sudo" in caught.value.fix
