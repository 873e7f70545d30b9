"""Values found in another client's folder, and bounded ways to read there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from msgspec import Struct

from core.regular import read_without_waking

MOST_NAMES = 20_000
"""Entries read from one folder; no client keeps as many certificates."""
MOST_HOMES = 500
"""A box with the homes of thousands of users is not where they run ACME clients."""


class FoundCertificate(Struct, frozen=True, kw_only=True):
    """A certificate of another client, as recorded by that client. Foreign data."""

    client: str
    base: Path
    """The client's own folder."""
    name: str
    """The client's name for it."""
    certificate: Path
    """The full chain if the client keeps one, otherwise the leaf."""
    key: Path | None = None
    is_renewed: bool = True
    """Whether the client renews it, according to its files."""
    revoked: bool = False
    """Whether the client has revoked it, according to its own marks."""


class Timer(Struct, frozen=True, kw_only=True):
    """What makes a client renew automatically."""

    file: Path
    line: str
    """The line of a crontab, or the name of a systemd timer. Foreign data."""
    off: str
    """How to disable it, for the user."""
    is_built_in: bool = False
    """Not a timer: the server renews automatically."""


def is_ours_alone(found: FoundCertificate) -> bool:
    """Return whether no other account can change or replace a client's files.

    Their content decides which account and CA are used. A certificate is public, so any account can put one into its own client
    folder; a command that root is told to run must not name such a folder.
    """
    from core.trusted_paths import weaknesses

    return not weaknesses([path for path in (found.certificate, found.key) if path is not None])


def names_in(folder: Path, most: int = MOST_NAMES) -> tuple[str, ...]:
    """Return the names in a folder, sorted, at most `most`; empty if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return tuple(sorted(entry.name for entry in islice(entries, most)))
    except OSError:
        return ()


def closed(folder: Path) -> Iterator[Path]:
    """Yield the folders in it that this user may not read; the folder itself, or its closest closed parent, if that is closed."""
    try:
        with os.scandir(folder) as entries:
            inside = [Path(entry.path) for entry in islice(entries, MOST_HOMES) if entry.is_dir(follow_symlinks=False)]
    except PermissionError:
        yield next((each for each in reversed(folder.parents) if not _may(each, os.X_OK)), folder)
    except OSError:
        return
    else:
        yield from sorted(each for each in inside if not _may(each, os.R_OK | os.X_OK))


def _may(folder: Path, mode: int) -> bool:
    return os.access(folder, mode, effective_ids=True)


def homes(root: Path) -> Iterator[Path]:
    """Yield the home folders where a client may have been run, at most MOST_HOMES."""
    yield root / "root"
    for name in names_in(root / "home", MOST_HOMES):
        yield root / "home" / name


def read(path: Path) -> bytes | None:
    """Return a file's content, at most 256 KiB; None if it cannot be read or is not a regular file."""
    try:
        return read_without_waking(path, 256 * 1024)
    except OSError:
        return None


def rebased(root: Path, path: str) -> Path:
    """Return an absolute path from the client's files below `root` (`/` except in tests). Raises ValueError for a relative one."""
    if not path.startswith("/") or "\0" in path:
        raise ValueError("not an absolute path")
    return root / path.lstrip("/")


def json_within(base: Path, path: Path, *keys: str) -> str:
    """Return a string from one of the client's JSON files; empty if there is none. `keys`: the path to it."""
    import json

    from core.adopt.reading import text_within

    try:
        value = json.loads(text_within(base, path))
        for key in keys:
            value = value[key]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return ""
    return value if isinstance(value, str) else ""


def number(text: str) -> int | None:
    """Return a port or a number of days; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else None
