"""The same operation for many items in parallel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def map_concurrently(work: Callable[[T], R], items: Sequence[T], *, at_once: int = 16) -> list[R]:
    """Return what `work` returns for each item, in order; two or more items run in threads.

    Raises the exception of the first failing item; items that have not started by then are not started.
    """
    if len(items) < 2:
        return [work(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(len(items), at_once), thread_name_prefix="certdeck") as pool:
        return list(pool.map(work, items))
