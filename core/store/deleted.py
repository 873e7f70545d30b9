"""Deleted lineages: a sealed copy of everything stays for 30 days, so that a slip can be undone.

The copy is a tar made in memory and sealed as one vault file, `state/deleted/NAME-STAMP.sealed`; nothing in it is readable
without the master key. A delete that dies in between is finished by `finish_deletes`: the copy is complete before a mark says
so, and only after the mark is anything removed.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from core.config.rules import NAME
from core.errors import AlreadyThere, NotFound, StoreCorrupt, StoreError
from core.paths import Paths
from core.regular import read_stored
from core.store import journal, lineages, orders
from core.store.atomic import (
    check_writable,
    discard,
    make_dir,
    new_temporary_dir,
    remove_file,
    remove_tree,
    settle,
    store_error,
    storing,
    write_file,
)
from core.store.copies import KEPT_FOR, SUFFIX, DeletedCopy
from core.store.vault import Vault, deleted_copy

_SETTINGS = "settings.toml"
_LIVE = "live"
"""Holds the number of the version that was live."""


def delete_lineage(
    paths: Paths, vault: Vault, name: str, now: datetime, let_go: Callable[[], None] = lambda: None
) -> datetime:
    """Forget a lineage; returns until when the copy stays. Wants the writers' lock.

    Args:
        let_go: done between copy and removal; where it raises, the lineage stays and the copy goes.

    Raises:
        NotFound (`not-found`): there is none.
        VaultError, StoreError: before the copy is complete nothing has been removed.
    """
    settings = paths.certificates / f"{name}.toml"
    home = paths.lineages / name
    with storing(home, "read"):
        is_there = settings.exists() or home.exists()
    if not is_there:
        raise NotFound(
            f"There is no certificate {name}.",
            "Nothing with that name is stored.",
            "List the certificates with `certdeck status`.",
        )
    if settings.exists():
        check_writable(paths.certificates)  # once the copy is complete the rest goes, however long that takes
    make_dir(paths.deleted)
    path = _free_place(paths, name, now)
    write_file(path, vault.seal(deleted_copy(path.name), _archive(paths, vault, name)))
    try:
        let_go()
    except BaseException:
        with suppress(StoreError):  # one copy too many is removed after 30 days
            remove_file(path)
        raise
    make_dir(home)
    write_file(home / lineages.DELETING, b"")
    _remove(paths, name)
    return now + KEPT_FOR


def finish_deletes(paths: Paths) -> tuple[str, ...]:
    """Finish what a delete that died has left; returns the names. Wants the writers' lock."""
    half = tuple(name for name in lineages.names(paths) if (paths.lineages / name / lineages.DELETING).exists())
    for name in half:
        _remove(paths, name)
    return half


def restore(paths: Paths, vault: Vault, copy: DeletedCopy) -> str:
    """Bring a deleted lineage back, with all its versions; what was live is live again. Returns its name.

    Wants the writers' lock. The settings come last: killed before, it is a lineage without settings, and nothing of it is lost.

    Raises:
        AlreadyThere (`already-there`): there is a lineage of that name.
        VaultError, StoreError: nothing changed.
    """
    if not NAME.fullmatch(copy.name):
        raise StoreCorrupt(
            f"{copy.path} is not a copy of a certificate.",
            "Its name is not a valid certificate name; certdeck did not create it.",
            "Restore its former name, or remove it.",
        )
    home = paths.lineages / copy.name
    settings = paths.certificates / f"{copy.name}.toml"
    if home.exists() or settings.exists():
        raise AlreadyThere(
            f"The certificate {copy.name} already exists.",
            "Restoring the deleted certificate would replace it.",
            "Delete the existing certificate first; certdeck keeps a copy of it too.",
        )
    try:
        files = _unpack(vault.unseal(deleted_copy(copy.path.name), read_stored(copy.path)))
    except OSError as exc:
        raise store_error(exc, copy.path, "read") from exc
    make_dir(paths.lineages)
    temporary = new_temporary_dir(paths.lineages)
    try:
        for file, data in files.items():
            if file not in (_SETTINGS, _LIVE):
                make_dir((temporary / file).parent)
                write_file(temporary / file, data)
        settle(temporary, home)
    except BaseException:
        discard(temporary)
        raise
    version = _was_live(paths, copy.name, files.get(_LIVE, b""))
    if version is not None:
        lineages.seal_old_keys(paths, vault, copy.name, keep=version)
        lineages.switch(paths, copy.name, version)
    make_dir(paths.certificates)
    write_file(settings, files.get(_SETTINGS, b""))
    return copy.name


def _was_live(paths: Paths, name: str, text: bytes) -> int | None:
    """Return the version to make live: as the copy says, else the newest with a key."""
    there = [version for version in lineages.versions(paths, name) if lineages.has_open_key(paths, name, version)]
    return next((version for version in there if text == b"%d" % version), there[-1] if there else None)


def _remove(paths: Paths, name: str) -> None:
    """Every step may be the last of a process; the mark in the folder that goes last brings the next one back here."""
    remove_file(paths.certificates / f"{name}.toml")
    lineages.unlink_live(paths, name)
    orders.delete_order(paths, name)
    journal.remove(paths, name)
    remove_tree(paths.lineages / name)


def _free_place(paths: Paths, name: str, now: datetime) -> Path:
    stem = f"{name}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    path, number = paths.deleted / (stem + SUFFIX), 2
    while path.exists():
        path, number = paths.deleted / f"{stem}-{number}{SUFFIX}", number + 1
    return path


def _archive(paths: Paths, vault: Vault, name: str) -> bytes:
    """Return the tar. Sealed keys go in open: the whole is sealed, and an inner seal would not survive a rotation."""
    files: dict[str, bytes] = {}
    settings = paths.certificates / f"{name}.toml"
    home = paths.lineages / name
    with storing(home, "read"):
        if settings.exists():
            files[_SETTINGS] = read_stored(settings)
        for path in sorted(home.glob("*/*.*")) + sorted(home.glob("*.json")):
            if path.name != lineages.SEALED_KEY and not path.parent.name.startswith("."):
                files[path.relative_to(home).as_posix()] = read_stored(path)
    with suppress(StoreCorrupt):  # then the newest counts as live
        files[_LIVE] = b"%d" % (lineages.live_version(paths, name) or 0)
    for version in lineages.versions(paths, name):
        if (lineages.folder(paths, name, version) / lineages.SEALED_KEY).exists():
            files[f"{version}/{lineages.KEY}"] = lineages.read_key(paths, vault, name, version)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for file, data in files.items():
            member = tarfile.TarInfo(file)
            member.size, member.mode = len(data), 0o600
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


_INNER = re.compile(r"(\d+/)?[A-Za-z0-9_][A-Za-z0-9._-]*")


def _unpack(archive: bytes) -> dict[str, bytes]:
    files = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                content = tar.extractfile(member)
                if content is None or not _INNER.fullmatch(member.name):
                    raise tarfile.TarError(member.name)
                files[member.name] = content.read()
    except tarfile.TarError as exc:
        raise StoreCorrupt(
            "The copy of the deleted certificate cannot be read.",
            "It does not contain what certdeck stores in a copy.",
            "Issue the certificate again.",
        ) from exc
    return files
