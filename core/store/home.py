"""Which parts of the folders go into a backup, and which stay in place at a restore. Pure but for reading names."""

from __future__ import annotations

import os
from pathlib import Path

from core.paths import Paths
from core.store.atomic import TEMPORARY, storing

REPLACED = "replaced-"
"""Begins the name of the folder that a restore moved the former content to; the time follows."""
_DERIVED = (
    "idle",
    "index.json",
    "healthy.json",
    "clock.json",
    "last-run.json",
    "last-look.json",
    "ledger.json",
    "limits.json",
    "detected.json",
    "renewal-windows.json",
    "revocation.json",
    "fleet-revocation.json",
)
"""What certdeck writes without being asked: a box that has nothing else was not set up yet."""


def roots(paths: Paths) -> tuple[tuple[str, Path], ...]:
    """Return the folders of a backup with their names in it."""
    return (("etc", paths.etc), ("state", paths.state))


def stays(paths: Paths, root: Path, name: str) -> bool:
    """Tell whether an entry of `root` belongs to this box alone: the log, the lock, what a restore works with."""
    if name.startswith((TEMPORARY, REPLACED)) or root / name == paths.restoring:
        return True
    if root == paths.state and name.startswith(f"{paths.history.stem}."):
        return True
    # For a user's own folders, lock and log lie below the state.
    return any((root / name) in (place, *place.parents) for place in (paths.run, paths.log, paths.etc, paths.state))


def is_left_out(paths: Paths, root: Path, name: str) -> bool:
    """Tell whether a backup leaves an entry of `root` out: what stays, what is derived, and deployments under way here."""
    return stays(paths, root, name) or root / name in (
        paths.idle,
        paths.index,
        paths.healthy,
        paths.windows,
        paths.revocation,
        paths.last_look,
        paths.detected,
        paths.transactions,
    )


def is_empty(paths: Paths) -> bool:
    """Tell whether nothing was set up here yet: there is no file that a restore would take the place of. Raises StoreError."""
    for _, root in roots(paths):
        with storing(root, "read"):
            if not root.is_dir():
                continue
            for name in os.listdir(root):
                if not stays(paths, root, name) and name not in _DERIVED and _holds_a_file(root / name):
                    return False
    return True


def _holds_a_file(path: Path) -> bool:
    if path.is_symlink() or not path.is_dir():
        return True
    return any(_holds_a_file(inner) for inner in path.iterdir())
