"""Moves aside what is in the place of certdeck's files but is not certdeck's, or can no longer be used; never removes it.

    state/set-aside/20261121T040200Z-live-shop          was state/live/shop
    state/set-aside/20261121T040200Z-vault-account%2F…  was state/vault/account%2F…

Nothing in there is read again by certdeck; an administrator may check it and remove it.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from core.paths import Paths
from core.store.atomic import flush, make_dir, storing

_LONGEST = 200


def set_aside(paths: Paths, path: Path, now: datetime) -> Path:
    """Move a file, folder or link of the state away in one step; returns where it lies now. Wants the writers' lock.

    Raises StoreError: then it is where it was.
    """
    place = _free_place(paths, path, now)
    with storing(path, "moved aside"):
        path.rename(place)
        flush(place.parent)
        flush(path.parent)
    return place


def keep_aside(paths: Paths, path: Path, now: datetime) -> Path:
    """Give what is in a file a second name there, before something else takes its place. Raises StoreError."""
    place = _free_place(paths, path, now)
    with storing(path, "set aside"):
        os.link(path, place)
        flush(place.parent)
    return place


def _free_place(paths: Paths, path: Path, now: datetime) -> Path:
    make_dir(paths.set_aside)
    stem = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{'-'.join(path.relative_to(paths.state).parts)[-_LONGEST:]}"
    place, number = paths.set_aside / stem, 2
    while os.path.lexists(place):
        place, number = paths.set_aside / f"{stem}-{number}", number + 1
    return place
