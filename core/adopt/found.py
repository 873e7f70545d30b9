"""What is found in another client's folder, and careful ways to look around there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from msgspec import Struct

from core.regular import read_without_waking

MOST_NAMES = 20_000
"""Read of one folder: as many certificates no client keeps."""
MOST_HOMES = 500
"""A box that serves the homes of thousands of users is not the one on which they run ACME clients."""


class FoundCertificate(Struct, frozen=True, kw_only=True):
    """A certificate of another client, as that client has noted it. Data from outside."""

    client: str
    base: Path
    """The client's own folder."""
    name: str
    """What the client calls it."""
    certificate: Path
    """The full chain where the client keeps one, else the leaf."""
    key: Path | None = None
    is_renewed: bool = True
    """The client renews it, as far as it says."""
    revoked: bool = False
    """The client has revoked it, by its own marks."""


class Timer(Struct, frozen=True, kw_only=True):
    """What makes a client renew without a person."""

    file: Path
    line: str
    """The line of a crontab, or the name of a systemd timer. Data from outside."""
    off: str
    """How it is switched off, for people."""
    is_built_in: bool = False
    """It is no timer: the server renews by itself."""


def is_ours_alone(found: FoundCertificate) -> bool:
    """Tell whether no other account can change or exchange a client's files.

    What stands there decides which account and CA are used. A certificate is public, so any account can put one into a client's
    folder of its own; a command that root is told to run must not name such a folder.
    """
    from core.trusted_paths import weaknesses

    return not weaknesses([path for path in (found.certificate, found.key) if path is not None])


def names_in(folder: Path, most: int = MOST_NAMES) -> tuple[str, ...]:
    """Return what lies in a folder, sorted, at most `most` of it; nothing where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return tuple(sorted(entry.name for entry in islice(entries, most)))
    except OSError:
        return ()


def closed(folder: Path) -> Iterator[Path]:
    """Yield the folders in it that this user may not look into; itself, or the one above, where already that is closed."""
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
    """Yield the home folders in which a client may have been run, MOST_HOMES at most."""
    yield root / "root"
    for name in names_in(root / "home", MOST_HOMES):
        yield root / "home" / name


def read(path: Path) -> bytes | None:
    """Return a file's text, at most 256 KiB; None where it cannot be read or is no regular file."""
    try:
        return read_without_waking(path, 256 * 1024)
    except OSError:
        return None


def rebased(root: Path, path: str) -> Path:
    """Return a path of the client's own words below `root`, `/` but for tests. Raises ValueError for a relative one."""
    if not path.startswith("/") or "\0" in path:
        raise ValueError("not an absolute path")
    return root / path.lstrip("/")


def json_within(base: Path, path: Path, *keys: str) -> str:
    """Return a text in a JSON file of the client's; empty where there is none."""
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
    """Return a port or a count of days; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else None
