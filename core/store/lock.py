"""One writer at a time.

An `flock` on `run/lock`: the system frees it when the process dies, however it dies, and child programs do not
inherit it. The file contains who holds it, since when and for what, for the next process; the file itself
stays, because removing it would let two writers lock two different files.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from core.errors import CertdeckError, LockHeld, StoreNotWritable, StoreTooNew
from core.paths import Paths
from core.regular import read_stored
from core.store.atomic import make_dir, store_error
from core.store.records import dumped, parsed, rfc3339

if TYPE_CHECKING:
    from core.ports import Environment

_TIDY = b"-"
"""What a writer leaves in the file when it ends as it should; one that died leaves who it was."""


class Held(Struct):
    """The writers' lock, held."""

    was_tidy: bool
    """The writer before us ended as it should. False also for the first one after a reboot, which empties /run."""
    is_tidy: bool = True
    """Set to False by a writer that may leave something behind: the next one then looks for it."""


@contextmanager
def writers_lock(paths: Paths, env: Environment, operation: str) -> Iterator[Held]:
    """Hold the writers' lock. `operation`: shown to others who want it. Never waits.

    Raises:
        LockHeld (`lock-held`): another process, or another thread of this one, holds it.
        StoreNotWritable (`store-not-writable`): the folder of the lock cannot be written by this user.
    """
    handle = _acquire(paths.lock)
    held = Held(was_tidy=False)
    try:
        with suppress(OSError):
            held.was_tidy = os.pread(handle, 2, 0) == _TIDY
        holder = {"pid": os.getpid(), "since": rfc3339(env.clock.now()), "operation": operation}
        with suppress(OSError):  # a full disk must not keep somebody from deleting what fills it
            os.ftruncate(handle, 0)
            os.pwrite(handle, dumped(holder), 0)
        yield held
    except CertdeckError:
        raise  # whoever raises it knows whether it may leave something
    except BaseException:
        held.is_tidy = False
        raise
    finally:
        with suppress(OSError):
            if held.is_tidy:
                os.ftruncate(handle, 0)
                os.pwrite(handle, _TIDY, 0)
            # Closing is not enough: a child just started has a copy of the handle for the moment that its exec takes.
            fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def was_left_untidy(paths: Paths) -> bool:
    """Tell whether the last writer died or failed, or one is at work. One small read; False where nothing is known."""
    try:
        handle = os.open(paths.lock, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return os.pread(handle, 2, 0) not in (_TIDY, b"")
    except OSError:
        return False
    finally:
        os.close(handle)


def _acquire(lock: Path) -> int:
    while True:
        handle = _open(lock)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_same(handle, lock):
                return handle
            os.close(handle)  # somebody cleared the folder in between: lock the file that is there now
        except BlockingIOError as exc:
            os.close(handle)
            raise _held(lock) from exc
        except OSError as exc:
            os.close(handle)
            raise store_error(exc, lock, "locked") from exc


def _open(lock: Path) -> int:
    try:
        make_dir(lock.parent)
        return os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except StoreNotWritable as exc:
        raise _not_permitted(lock) from exc
    except OSError as exc:
        if exc.errno in (errno.EACCES, errno.EPERM):
            raise _not_permitted(lock) from exc
        raise store_error(exc, lock, "opened") from exc


def _is_same(handle: int, lock: Path) -> bool:
    try:
        there = lock.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(handle)
    return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)


def _held(lock: Path) -> LockHeld:
    try:
        holder = cast("dict[str, Any]", parsed(read_stored(lock), lock))
        pid, since, operation = int(holder["pid"]), str(holder["since"]), str(holder["operation"])
    except (OSError, ValueError, KeyError, TypeError, StoreTooNew):
        return LockHeld(
            "Another certdeck process is running.",
            "Only one process may make changes at a time, and it has just started.",
            "Wait until it has finished, then try again.",
            details={"pid": None, "since": None, "operation": None},
        )
    return LockHeld(
        f"Another certdeck process is running: {operation}, process {pid}.",
        f"Only one process may make changes at a time; it has been running since {since}.",
        f"Wait until it has finished, then try again, or stop it: kill {pid}",
        details={"pid": pid, "since": since, "operation": operation},
    )


def _not_permitted(lock: Path) -> StoreNotWritable:
    return StoreNotWritable(
        f"{lock.parent} cannot be written.",
        "This user does not have write permission there.",
        "Run certdeck as root (with sudo), or set CERTDECK_HOME to a folder that you own.",
    )
