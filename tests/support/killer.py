"""kill -9, a full disk, or a single error at every file operation of something.

    for where in kills(tmp_path, act):      # act(): what is tried, from the state that the folder had at first
        ...                                 # the folder is as a dead process leaves it: look, clean up, look again

    for where in deaths(tmp_path, act):     # the same with a process that really dies, for what knows files by inode or change time

    for where, error in full_disks(tmp_path, act):   # from that operation on nothing more fits on the disk
        assert isinstance(error, StoreFull)

    for where, outcome in failures(tmp_path, act):   # that operation, reading ones too, fails once with EIO, EACCES …
        ...                                          # what act() returned, or the exception that it raised

`kills` runs `act` once, in a forked child. Before each operation below the folder, and in the middle of each write, it notes what
is there, where that has changed: this is what a kill leaves. Then each state is put back in turn. `deaths` runs `act` again and
again, in children that die there. `full_disks` and `failures` run it in this process. `where` says which operation it was, for the
message of a failing assertion. `tests/support/watching.py` says what counts as an operation.
"""

from __future__ import annotations

import errno
import gc
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.image import Image, image_of, put_back
from tests.support.watching import READING, Moment, watched

SYNCS = ("fsync", "fdatasync")
ERRORS = (errno.EIO, errno.ENOSPC, errno.EROFS, errno.EACCES)
"""What a system call that changes something may fail with; one that reads fails with the first or the last."""
FILLING = ("open", "write", "pwrite", "mkdir", "symlink", "link", "ftruncate", "truncate", "fsync")
"""What a full disk refuses; renaming and removing go on working."""


def kills(root: Path, act: Callable[[], object], also: Sequence[Path] = ()) -> Iterator[str]:
    """Yield once for each state in which a process that does `act` can leave `root` when it dies, and once for its end.

    Args:
        also: what else is put back each time, as it was at that moment; what is done there is no operation.
    """
    places = (root, *also)
    with _restored(*places) as restore:
        restore()
        status, said = _child(lambda say: say(pickle.dumps(_states(root, act, places))))
        assert status == 0, f"the child failed by itself:\n{said.decode()}"
        states: list[tuple[str, Image]] = pickle.loads(said)  # noqa: S301 - from a child of this process
        for where, image in states:
            put_back(image, places)
            yield where


def _states(root: Path, act: Callable[[], object], places: Sequence[Path]) -> list[tuple[str, Image]]:
    """Do `act` here; return what was at the places before each operation, in each write and at the end, where it had changed."""
    found: list[tuple[str, Image]] = []
    seen = 0
    lock = threading.Lock()

    def note(where: str) -> None:
        image = image_of(places)
        if found:
            before = found[-1][1]
            if image == before and where:
                return
            image = {path: entry if before.get(path) != entry else before[path] for path, entry in image.items()}
        found.append((where or "after everything", image))

    def strike(name: str, path: str, moment: Moment) -> None:
        nonlocal seen
        with lock:  # the world stands still meanwhile
            seen += moment == "before"
            if moment != "after":
                note(f"{moment} {seen}: {name} {path}")

    with watched(root, strike, tears=True):
        act()
    note("")
    return found


def deaths(root: Path, act: Callable[[], object]) -> Iterator[str]:
    """Yield as `kills` does, each time with what a process has left that really died there."""
    with _restored(root) as restore:
        restore()  # as before each kill: files that were put back have other inodes
        names = _operations(root, act)
        for number, name in enumerate(names, 1):
            # A kill loses nothing that was written: before and after a sync the folder is the same.
            is_new = number == 1 or names[number - 2] not in SYNCS
            moments: list[Moment] = [*(["before"] if is_new else []), *(["in"] if name == "write" else [])]
            for moment in moments:
                restore()
                where = _run_and_kill(root, act, number, moment)
                if where is not None:
                    yield where
        restore()
        late = _run_and_kill(root, act, len(names) + 1, "before")
        assert late is None, f"more operations than before: {late}"
        yield "after everything"


def full_disks(
    root: Path, act: Callable[[], object], code: int = errno.ENOSPC
) -> Iterator[tuple[str, BaseException | None]]:
    """Yield once for each operation from which on the disk is full (or `code`), with what `act` raised."""
    with _restored(root) as restore:
        number = 1
        while True:
            restore()
            seen = 0
            where = ""

            def strike(name: str, path: str, moment: Moment, number: int = number) -> None:
                nonlocal seen, where
                if moment != "before" or name not in FILLING:
                    return
                seen += 1
                if seen == number:
                    where = f"full at {number}: {name} {path}"
                if seen >= number:
                    raise OSError(code, os.strerror(code), path)

            error: BaseException | None = None
            with watched(root, strike):
                try:
                    act()
                except Exception as exc:  # noqa: BLE001 - the test judges it
                    error = exc
            if not where:
                assert error is None, error
                return
            yield where, error
            number += 1


def failures(
    root: Path, act: Callable[[], object], errors: Sequence[int] = ERRORS, *, every: int = 1, for_good: bool = False
) -> Iterator[tuple[str, object]]:
    """Yield once for each operation that fails alone, with what `act` returned or raised.

    Args:
        errors: the operations fail with these in turn.
        every: of those that only read, one in so many.
        for_good: all changing operations after it fail with the same error, as on a file system that has become read-only.
    """
    lock = threading.Lock()
    with _restored(root) as restore:
        number = 1
        while True:
            restore()
            seen = looks = 0
            where = ""
            code = errors[number % len(errors)]

            def strike(name: str, path: str, moment: Moment, number: int = number, code: int = code) -> None:
                nonlocal seen, looks, where
                if moment != "before":
                    return
                changes = name not in READING and name != "open to read"
                with lock:
                    looks += not changes
                    if not changes and looks % every:
                        return
                    seen += 1
                    if seen == number:
                        where = f"{errno.errorcode[code]} at {number}: {name} {path}"
                    strikes = seen >= number if for_good else seen == number
                if strikes:
                    error = code if changes or code == errno.EACCES else errno.EIO
                    raise OSError(error, os.strerror(error), path)

            outcome: object
            with watched(root, strike, reads=not for_good):
                try:
                    outcome = act()
                except Exception as exc:  # noqa: BLE001 - the test judges it
                    outcome = exc
            if not where:
                return
            yield where, outcome
            number += 1


def leftovers(root: Path) -> list[str]:
    """Return the temporary names that are still somewhere below `root`."""
    return sorted(str(path.relative_to(root)) for path in root.rglob(".tmp-*"))


@contextmanager
def _restored(*places: Path) -> Iterator[Callable[[], None]]:
    """Remember what is at these places, to begin from again and again."""
    first = image_of(places)
    yield lambda: put_back(first, places)


def _operations(root: Path, act: Callable[[], object]) -> list[str]:
    """Let a child do `act` to its end, and return the names of its operations."""
    names: list[str] = []

    def strike(name: str, path: str, moment: Moment) -> None:
        if moment == "before":
            names.append(name)

    def work(say: Callable[[bytes], object]) -> None:
        with watched(root, strike):
            act()
        say(" ".join(names).encode())

    status, said = _child(work)
    assert status == 0, f"the child failed by itself:\n{said.decode()}"
    return said.decode().split()


def _run_and_kill(root: Path, act: Callable[[], object], number: int, wanted: Moment) -> str | None:
    """Run `act` in a child that dies before or in its operation `number`; None when it came to its end before."""

    def work(say: Callable[[bytes], object]) -> None:
        seen = 0
        lock = threading.Lock()

        def strike(name: str, path: str, moment: Moment) -> None:
            nonlocal seen
            with lock:
                seen += moment == "before"
                if seen == number and moment == wanted:
                    say(f"{moment} {number}: {name} {path}".encode())
                    os.kill(os.getpid(), signal.SIGKILL)

        with watched(root, strike, tears=wanted == "in"):
            act()

    status, said = _child(work)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL, said
        return said.decode()
    assert os.WEXITSTATUS(status) == 0, f"the child failed by itself:\n{said.decode()}"
    return None


def _child(work: Callable[[Callable[[bytes], object]], object]) -> tuple[int, bytes]:
    """Fork and do `work`, which may say something; returns how the child ended, as `waitpid` has it, and what it said."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        gc.disable()  # it ends before that pays
        write = os.write  # the real one, also while operations are watched

        def say(what: bytes) -> None:
            while what:
                what = what[write(writing, what) :]

        status = 1
        try:
            work(say)
            status = 0
        except BaseException:  # noqa: BLE001 - the parent is told
            say(traceback.format_exc().encode())
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    return os.waitpid(child, 0)[1], said
