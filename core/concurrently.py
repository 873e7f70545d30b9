"""The same operation for many items in parallel."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def map_concurrently(work: Callable[[T], R], items: Sequence[T], *, at_once: int = 16) -> list[R]:
    """Return what `work` returns for each item, in order; two or more items run in threads, this one among them.

    Where the system starts no further thread, fewer threads do the work.

    Raises the exception of the first failing item; items that have not started by then are not started.
    """
    found: dict[int, R] = {}
    failed: dict[int, BaseException] = {}
    numbers = iter(range(len(items)))  # taking the next one is one step of the interpreter

    def run() -> None:
        for number in numbers:
            if failed:
                return
            try:
                found[number] = work(items[number])
            except BaseException as exc:  # noqa: BLE001 - raised below, in the thread that waits for all
                failed[number] = exc

    helpers: list[threading.Thread] = []
    with suppress(RuntimeError):  # "can't start new thread"
        for number in range(1, min(len(items), at_once)):
            helper = threading.Thread(target=run, name=f"certdeck_{number}")
            helper.start()
            helpers.append(helper)
    run()
    for helper in helpers:
        helper.join()
    if failed:
        raise failed[min(failed)]
    return [found[number] for number in range(len(items))]
