"""Replaces the existing folders by restored ones, safe to kill at any instruction.

What is new was built beside, below `etc` and `state`, in temporary folders. A journal names them; once it is written the restore
is decided, and the next process continues where a dead one stopped (`finish`). Two phases, each a rename for each entry: what
is there moves into `replaced-TIME`, then what is new moves into its place. Nothing is removed.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from itertools import count
from pathlib import Path

from msgspec import Struct

from core.errors import StoreCorrupt
from core.paths import Paths
from core.regular import read_stored
from core.store.atomic import TEMPORARY, flush, make_dir, remove_file, store_error, storing, write_file
from core.store.home import REPLACED, roots, stays
from core.store.records import from_json, to_json

AWAY = "away"
IN = "in"


class Switch(Struct, frozen=True, kw_only=True):
    """A restore that is decided: `state/restoring.json`."""

    phase: str
    stamp: str
    """Ends the names of the folders for what was there."""
    places: Mapping[str, str]
    """`etc` and `state` → the temporary folder in it that holds what is new."""
    modes: Mapping[str, int]
    """`etc` and `state` → their mode in the backup."""


def is_under_way(paths: Paths) -> bool:
    """Tell whether a restore was decided and has not ended. One `lstat`."""
    return os.path.lexists(paths.restoring)


def begin(paths: Paths, *, stamp: str, places: Mapping[str, Path], modes: Mapping[str, int]) -> tuple[Path, ...]:
    """Switch to what `places` hold; returns the folders that hold what was there. Wants the writers' lock. Raises StoreError."""
    # Once for all files: a flush for each of them takes minutes on a box with thousands of certificates.
    os.sync()
    names = {name: place.name for name, place in places.items()}
    stamp = next(each for each in _stamps(stamp) if not _is_taken(paths, each))
    switch = Switch(phase=AWAY, stamp=stamp, places=names, modes=modes)
    write_file(paths.restoring, to_json(switch))
    return finish(paths)


def mounted(paths: Paths, mounts: Collection[str]) -> tuple[Path, ...]:
    """Return what would have to be moved away and is a mount point, which no rename can move (EBUSY).

    Args:
        mounts: those of the system (`core.foreign.mounts.mount_points`).
    """
    found = []
    for _, root in roots(paths):
        if root.is_dir():
            real = os.path.realpath(root)
            names = (name for name in sorted(os.listdir(root)) if not stays(paths, root, name))
            found += [root / name for name in names if os.path.join(real, name) in mounts]
    return tuple(found)


def _stamps(stamp: str) -> Iterator[str]:
    yield stamp
    yield from (f"{stamp}-{number}" for number in count(2))


def _is_taken(paths: Paths, stamp: str) -> bool:
    """Tell whether a restore in the same second has set something aside under this name."""
    return any(os.path.lexists(root / f"{REPLACED}{stamp}") for _, root in roots(paths))


def finish(paths: Paths) -> tuple[Path, ...]:
    """Go on with a restore that was decided, to its end. Wants the writers' lock. Raises StoreError, StoreCorrupt."""
    switch = _read(paths)
    aside = {root: root / f"{REPLACED}{switch.stamp}" for _, root in roots(paths)}
    if switch.phase == AWAY:
        for name, root in roots(paths):
            _move_away(paths, root, aside[root], switch.places[name])
        switch = Switch(phase=IN, stamp=switch.stamp, places=switch.places, modes=switch.modes)
        write_file(paths.restoring, to_json(switch))
    for name, root in roots(paths):
        _move_in(root, root / switch.places[name])
        if name in switch.modes:
            with storing(root):
                root.chmod(switch.modes[name] | 0o700)
    remove_file(paths.index)
    remove_file(paths.healthy)
    remove_file(paths.restoring)
    return tuple(folder for folder in aside.values() if folder.is_dir())


def _move_away(paths: Paths, root: Path, aside: Path, new: str) -> None:
    with storing(root):
        for name in sorted(os.listdir(root)):
            if name != new and not stays(paths, root, name):
                make_dir(aside)
                (root / name).replace(aside / name)
        if aside.is_dir():
            flush(aside)
        flush(root)


def _move_in(root: Path, new: Path) -> None:
    with storing(root):
        if not new.is_dir():
            return
        for name in sorted(os.listdir(new)):
            (new / name).replace(root / name)
        flush(root)
        new.rmdir()
        flush(root)


def _read(paths: Paths) -> Switch:
    try:
        switch = from_json(Switch, read_stored(paths.restoring), paths.restoring)
        names = [switch.places[name] for name, _ in roots(paths)]
        if not all(name.startswith(TEMPORARY) and "/" not in name for name in names) or "/" in switch.stamp:
            raise ValueError("it lists different folders")
        if switch.phase not in (AWAY, IN) or not all(type(mode) is int for mode in switch.modes.values()):
            raise ValueError("it has no phase")
    except OSError as exc:
        raise store_error(exc, paths.restoring, "read") from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise StoreCorrupt(
            "An interrupted restore cannot be finished.",
            f"{paths.restoring} was changed or damaged.",
            f"Remove that file, then restore the backup again with --replace. The earlier content is in folders {REPLACED}….",
        ) from exc
    return switch
