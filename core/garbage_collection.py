"""Rare garbage collections, where thousands of values are made and none of them is garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NEW_OBJECTS = 1_000_000
"""New objects between two collections. Ten thousand certificates are half a million; to scan them takes a twentieth of `status`."""


@contextmanager
def rarely_collecting() -> Iterator[None]:
    """Within the block, collect only after a million new objects: what the rest of the program leaves is still collected."""
    usual = gc.get_threshold()
    gc.set_threshold(max(_NEW_OBJECTS, usual[0]), *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
