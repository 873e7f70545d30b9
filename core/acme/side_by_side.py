"""The same small request for many things: one after the other where the CA is near, in parallel where it is far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from core.ports import Clock

T = TypeVar("T")
R = TypeVar("R")

NEAR_SECONDS = 0.01
"""Below that, a request is mostly our own work, and threads of one interpreter only get in each other's way."""
AT_ONCE = 8


def side_by_side(clock: Clock, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Return `work` of each item, in order. The first one, on this thread, shows how far away the CA is.

    Raises what the first failing item raised; items that have not begun by then are not begun.
    """
    if not items:
        return []
    started = clock.monotonic()
    results = [work(items[0])]
    if clock.monotonic() - started < NEAR_SECONDS or len(items) < 3:
        return results + [work(item) for item in items[1:]]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(AT_ONCE, len(items) - 1), thread_name_prefix="acme") as pool:
        futures = [pool.submit(work, item) for item in items[1:]]
        try:
            results += [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results
