"""What certdeck has set up in web servers: `state/web/TARGET.json`; and `state/web-change.json` while that is being changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from msgspec import Struct

from core.errors import StoreTooNew
from core.paths import Paths
from core.regular import read_stored
from core.store.atomic import make_dir, remove_file, write_file
from core.store.records import from_json, to_json, write_record

_SUFFIX = ".json"


class Applied(Struct, frozen=True, kw_only=True):
    """The settings of one target."""

    since: datetime
    """From when on the stages of HSTS count."""
    files: tuple[str, ...]
    """The configuration files that hold blocks of the target."""
    redirect: bool = False
    """The redirect of plain HTTP is ours."""
    next_at: datetime | None = None
    """When the value of HSTS changes next."""


class WebChange(Struct, frozen=True, kw_only=True):
    """A change that has not ended."""

    target: str
    before: Mapping[str, str]
    """File → its content before, each byte as the character of that number."""
    after: Mapping[str, str]


def names(paths: Paths) -> tuple[str, ...]:
    """Return the targets that have settings, sorted. One `readdir`."""
    try:
        found = os.listdir(paths.web)
    except OSError:
        return ()
    return tuple(sorted(each.removesuffix(_SUFFIX) for each in found if each.endswith(_SUFFIX) and each[0] != "."))


def load(paths: Paths, target: str) -> Applied | None:
    """Return what is set up for a target; None for nothing, and for a record that cannot be read."""
    path = paths.web / (target + _SUFFIX)
    try:
        return from_json(Applied, read_stored(path), path)
    except (OSError, ValueError, StoreTooNew):
        return None


def save(paths: Paths, target: str, applied: Applied) -> None:
    """Keep what is set up. Wants the writers' lock. Raises StoreError."""
    make_dir(paths.web)
    write_record(paths.web / (target + _SUFFIX), to_json(applied))


def forget(paths: Paths, target: str) -> None:
    """Drop the record; it need not be there. Raises StoreError."""
    remove_file(paths.web / (target + _SUFFIX))


def due(paths: Paths, now: datetime) -> tuple[str, ...]:
    """Return the targets whose HSTS changes now. One `readdir` where there are none."""
    records = ((name, load(paths, name)) for name in names(paths))
    return tuple(name for name, applied in records if applied and applied.next_at and applied.next_at <= now)


def is_changing(paths: Paths) -> bool:
    """Tell whether a change has not ended. One `lstat`."""
    return os.path.lexists(paths.web_change)


def begin(paths: Paths, change: WebChange) -> None:
    """Keep what is there before a change, durably. Raises StoreError."""
    write_file(paths.web_change, to_json(change))


def change(paths: Paths) -> WebChange | None:
    """Return the change that has not ended; None where there is none, or none that can be read."""
    with suppress(OSError, ValueError, StoreTooNew):
        return from_json(WebChange, read_stored(paths.web_change), paths.web_change)
    return None


def end(paths: Paths) -> None:
    """Forget the change. Raises StoreError."""
    remove_file(paths.web_change)
