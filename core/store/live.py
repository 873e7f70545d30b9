"""The links `state/live/NAME`: the only record of which version is live.

Another program may replace one by a folder, a file, or a link to another place. Then nothing is guessed or removed: it is
reported, and the holder of the lock moves it aside (`invalid_links`, `core.store.quarantine`).
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from core.errors import StoreCorrupt, StoreError
from core.paths import Paths
from core.store.atomic import make_dir, remove_file, replace_symlink, store_error

_LONGEST_NUMBER = 9


def version_number(text: str) -> int | None:
    """Return the version whose folder is called `text`; None for a name that none has."""
    is_one = text.isascii() and text.isdigit() and text[0] != "0" and len(text) <= _LONGEST_NUMBER
    return int(text) if is_one else None


def read_link(paths: Paths, name: str) -> int | None:
    """Return the number that `live/NAME` leads to, whether that version is there or not; None without a link.

    Raises StoreCorrupt (`store-corrupt`) for anything that is not a link of ours; StoreError.
    """
    link = f"{paths.live}/{name}"
    try:
        text = os.readlink(link)
    except FileNotFoundError:
        return None
    except OSError as exc:
        if exc.errno != errno.EINVAL:
            raise store_error(exc, link, "read") from exc
        raise _odd(paths, name, "A folder or file is in the place of certdeck's link") from exc
    number = version_number(os.path.basename(text))
    if number is not None and text == _target(name, number):
        return number
    if number is None or os.path.normpath(paths.live / text) != os.path.normpath(paths.lineages / name / str(number)):
        raise _odd(paths, name, "The link does not point to a version of this certificate")
    return number


def write_link(paths: Paths, name: str, version: int) -> None:
    """Make `live/NAME` lead to a version, in one step. Raises StoreError; StoreCorrupt where something else stands there."""
    make_dir(paths.live)
    read_link(paths, name)
    replace_symlink(paths.live / name, _target(name, version))


def _target(name: str, version: int) -> str:
    return f"../lineages/{name}/{version}"


def remove_link(paths: Paths, name: str) -> None:
    """Remove `live/NAME`, if it is there. Raises StoreError; StoreCorrupt where something else stands there."""
    if read_link(paths, name) is not None:
        remove_file(paths.live / name)


def invalid_links(paths: Paths) -> tuple[str, ...]:
    """Return the names of lineages in whose place in `live` something else stands, sorted. One `readlink` for each."""
    found = []
    try:
        with os.scandir(paths.live) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".")]
    except OSError:
        return ()
    for name in names:
        try:
            read_link(paths, name)
        except StoreCorrupt:
            if is_lineage(paths, name):
                found.append(name)
        except StoreError:
            continue  # said by whoever works on it
    return tuple(sorted(found))


def is_lineage(paths: Paths, name: str) -> bool:
    """Tell whether anything is kept of a lineage. Other names in `live` are somebody else's."""
    return (paths.certificates / f"{name}.toml").exists() or (paths.lineages / name).is_dir()


def _odd(paths: Paths, name: str, why: str) -> StoreCorrupt:
    return StoreCorrupt(
        f"{Path(paths.live, name)} does not point to a version.",
        f"{why}; another program has put it there.",
        "Run `certdeck --renew`. It moves this aside without removing anything, and makes the stored version live again.",
        lineage=name,
    )
