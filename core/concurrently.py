"""The same work for many things at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def map_concurrently(work: Callable[[T], R], items: Sequence[T], *, at_once: int = 16) -> list[R]:
    """Return what `work` returns for each item, in their order; more than one in threads of their own.

    Raises what the first failing item raised; items that have not begun by then are not begun.
    """
    if len(items) < 2:
        return [work(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(len(items), at_once), thread_name_prefix="certdeck") as pool:
        return list(pool.map(work, items))
