"""The same small request for many items: sequential if the CA is near, in parallel if it is far away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from core.concurrently import map_concurrently
from core.ports import Clock

T = TypeVar("T")
R = TypeVar("R")

NEAR_SECONDS = 0.01
"""Below that, a request is mostly our own work, and threads of one interpreter only slow each other down."""
AT_ONCE = 8


def request_each(clock: Clock, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Return `work` of each item, in order. The first one runs on this thread and shows how far away the CA is.

    Raises the exception of the first failing item; items that have not started by then are not started.
    """
    if not items:
        return []
    started = clock.monotonic()
    first, rest = work(items[0]), items[1:]
    if clock.monotonic() - started < NEAR_SECONDS or len(rest) < 2:
        return [first, *map(work, rest)]
    return [first, *map_concurrently(work, rest, at_once=AT_ONCE)]
