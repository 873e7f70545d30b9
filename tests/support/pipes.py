"""Shows whether a program waits at a named pipe."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def nobody_waits(pipe: Path) -> Iterator[list[str]]:
    """Release whoever waits at the pipe, and note it: opening a pipe to write without waiting works only if it has a reader."""
    waited: list[str] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(1.0):
            with suppress(OSError):
                os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
                waited.append(str(pipe))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield waited
    finally:
        ended.set()
        watcher.join()
