"""Certificate and key of a target, switched as one.

Two paths cannot be renamed in one step, so they become symlinks into one folder and that folder's `current` is renamed:

1. `stage`: what the paths show is copied into `before`, the new pair is written into `after`. Nothing visible changes.
2. `adopt`: `current` points to `before`, then each path becomes a link into `current`. The content stays the same, so every
   moment in between is consistent. Where nothing was there, the links point to nothing, which looks the same.
3. `switch`: one rename makes `current` point to `after`.
4. `settle` keeps it, or `put_back` undoes all of it in the opposite order: owner, mode, and the very links that were there.

Each function may be called again after a kill at any instruction. With `mode = "copy"` the paths stay plain files, replaced
one after the other: that is not one step, and only for services that refuse links.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from core.config.model import TargetConfig
from core.regular import read_regular
from core.store.atomic import sync_dir
from core.store.versions import leaf_sha256
from core.targets.attributes import Attributes, attributes_for_new, attributes_of
from core.targets.change import CURRENT, FULLCHAIN, KEY, Change, Place, folder_of
from core.targets.disk import (
    clear,
    discard,
    make_folder,
    new_folder,
    remove,
    replace_file,
    replace_link,
    write_new,
)


def stage(change: Change, target: TargetConfig, contents: Mapping[str, bytes]) -> None:
    """Write the new pair beside the old one, and copy the old one where it is not ours yet.

    Raises OSError, or StageFailed for an unknown owner or group.
    """
    folder = _own_folder(change)
    if not folder.exists():
        make_folder(folder, folder.parent)
        sync_dir(folder.parent)
    if change.has_snapshot:
        shown = {
            place.file: (read_regular(place.path), _attributes(change, place))
            for place in change.places
            if place.has_content
        }
        _build(folder, change.before, shown)
    new = {
        place.file: (
            contents[place.file],
            _attributes(change, place) if place.has_content else attributes_for_new(target, is_key=place.file == KEY),
        )
        for place in change.places
    }
    _build(folder, change.after, new)


def adopt(change: Change) -> None:
    """Make the paths follow `current` without changing what they show. Raises OSError."""
    if change.copies or not change.has_snapshot:
        return
    _point(change.folder, change.before)
    for place in change.places:
        if not place.is_adopted:
            replace_link(place.path, place.ours, _temporary(change, place))


def switch(change: Change) -> None:
    """Show the new pair. Raises OSError."""
    if not change.copies:
        _point(change.folder, change.after)
        return
    for place in change.places:
        _copy_out(change, place, change.after)


def show_old(change: Change) -> None:
    """Make the paths show the old pair again. Raises OSError.

    This is the part of going back that the service sees; `put_back` then restores the form.
    """
    if not (_own_folder(change) / change.before).is_dir():
        return  # an earlier call got past this, or staging had not come this far
    if not change.copies:
        if change.has_snapshot and not _is_adopted_by_now(change):
            return
        _point(change.folder, change.before)
        return
    for place in change.places:
        _restore(change, place)


def put_back(change: Change) -> None:
    """Undo a change from whatever state it is in. Raises OSError."""
    show_old(change)
    folder = change.folder
    if not change.copies and change.has_snapshot:
        for place in change.places:
            if not place.is_adopted and _text_of(place.path) == place.ours:
                _restore(change, place)
        if change.current is None:
            remove(folder / CURRENT)
        elif _text_of(folder / CURRENT) != change.current:
            _point(folder, change.current)
    _sweep(change)
    discard(folder, change.after)
    if change.has_snapshot:
        discard(folder, change.before)
    if change.is_new_folder and folder.is_dir():
        folder.rmdir()
        sync_dir(folder.parent)


def settle(change: Change) -> None:
    """Keep the new pair and drop what is no longer needed. Raises OSError.

    Our own old pairs go: the store has them, their keys sealed. What was there before us stays until the next deployment.
    """
    folder = _own_folder(change)
    _sweep(change)
    if change.copies:
        remove(folder / CURRENT)
        kept: set[str] = {change.before} if change.is_new_folder else set()
    else:
        kept = {change.after, change.before} if change.has_snapshot else {change.after}
    for name in sorted(os.listdir(folder)):
        if name.isdigit() and name not in kept:
            discard(folder, name)


def release(target: TargetConfig) -> None:
    """Leave a target for good: the paths keep what they show, as plain files, and our folder goes. Raises OSError.

    The content never changes, so this needs no journal: a second call ends what a killed one began.
    """
    folder = folder_of(target)
    for text in (target.certificate, target.key, target.chain):
        if text is None:
            continue
        path = Path(text)
        link = _text_of(path)
        if link is None or f"{folder.name}/{CURRENT}/" not in link:
            continue
        temporary = _temporary_of(path, target.name)
        if path.exists():
            replace_file(path, path.read_bytes(), attributes_of(path), temporary)
        else:
            remove(path)
    if folder.is_dir():
        shutil.rmtree(folder)
        sync_dir(folder.parent)


def old_sha256(change: Change) -> str | None:
    """Return the fingerprint of the certificate in `before`; None when there was none."""
    try:
        return leaf_sha256((change.folder / change.before / FULLCHAIN).read_bytes())
    except OSError:
        return None


def _own_folder(change: Change) -> Path:
    """Return the folder of the pair. Raises OSError where somebody put a link in its place: nothing is ours behind that."""
    if change.folder.is_symlink():
        raise NotADirectoryError(
            errno.ENOTDIR, "a link stands where the folder of the pair belongs", str(change.folder)
        )
    return change.folder


def _attributes(change: Change, place: Place) -> Attributes:
    """Return the attributes for a copy of a place's file in the folder of the pair.

    A key that the world could read, but for the closed folder around it, does not become readable by leaving that folder.
    """
    attributes = attributes_of(place.path)
    parent = place.path.parent
    if not os.path.samefile(parent, change.folder.parent) and not os.stat(parent).st_mode & 0o001:
        return replace(attributes, mode=attributes.mode & ~0o007)
    return attributes


def _build(folder: Path, name: str, files: Mapping[str, tuple[bytes, Attributes]]) -> None:
    """Make a version folder under a temporary name and rename it into place."""
    unborn = folder / f".new-{name}"
    if unborn.exists():
        shutil.rmtree(unborn)
    discard(folder, name)
    with new_folder(unborn, folder) as opened:
        for file, (content, attributes) in files.items():
            write_new(file, content, attributes, opened)
    os.rename(unborn, folder / name)
    sync_dir(folder)


def _point(folder: Path, name: str) -> None:
    replace_link(folder / CURRENT, name, folder / ".current")


def _is_adopted_by_now(change: Change) -> bool:
    """Tell whether `adopt` has begun: only then does `current` belong to this change."""
    return _text_of(change.folder / CURRENT) in (change.before, change.after)


def _copy_out(change: Change, place: Place, version: str) -> None:
    source = change.folder / version / place.file
    attributes = attributes_of(source)
    if place.has_content:
        attributes = replace(attributes, mode=place.mode)
    replace_file(place.path, source.read_bytes(), attributes, _temporary(change, place))


def _restore(change: Change, place: Place) -> None:
    """Make a place what it was."""
    if place.was == "absent":
        remove(place.path)
    elif place.was == "link":
        if _text_of(place.path) != place.link:
            replace_link(place.path, place.link, _temporary(change, place))
    else:
        _copy_out(change, place, change.before)


def _sweep(change: Change) -> None:
    """Remove what a killed run may have left half-made."""
    for place in change.places:
        clear(_temporary(change, place))
    if not change.folder.is_dir():
        return
    for name in os.listdir(change.folder):
        if name.startswith((".new-", ".gone-")):
            shutil.rmtree(change.folder / name)
        elif name == f".{CURRENT}":
            (change.folder / name).unlink()


def _temporary(change: Change, place: Place) -> Path:
    return _temporary_of(place.path, change.target)


def _temporary_of(path: Path, target: str) -> Path:
    return path.with_name(f".certdeck-{target}.{path.name}")


def _text_of(link: Path) -> str | None:
    try:
        return os.readlink(link)
    except OSError:
        return None
