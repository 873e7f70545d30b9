"""Certificate and key of a target, switched together.

Two paths cannot be renamed in one step, so they become symlinks into one folder and that folder's `current` is renamed:

1. `stage`: the files at the paths are copied into `before`, the new pair is written into `after`. Nothing visible changes.
2. `adopt`: `current` points to `before`, then each path becomes a link into `current`. The content stays the same, so every
   moment in between is consistent. If there were no files, the links point to nothing, which looks the same.
3. `switch`: one rename makes `current` point to `after`.
4. `settle` keeps it, or `put_back` undoes all of it in the opposite order: owner, mode, and the very links that were there.

Each function works on a `Site`: the folders of the target, held open. Each may be called again after a kill at any instruction.
With `mode = "copy"` the paths stay plain files, replaced one after the other: that is not one step, and only for services that
refuse links.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.foreign.attributes import Attributes, closed_like
from core.foreign.folder import Folder
from core.store.versions import leaf_sha256
from core.targets.attributes import attributes_for_new
from core.targets.change import Change, Place, is_number
from core.targets.extra import format_of, is_extra, pfx_of
from core.targets.layout import content_of, holds_key
from core.targets.paths import CURRENT, MARK, folder_of, paths_of, temporary_of
from core.targets.readers import Reader, closed, readable
from core.targets.site import Site

if TYPE_CHECKING:
    from core.config.model import TargetConfig


def stage(change: Change, site: Site, contents: Mapping[str, bytes], readers: tuple[Reader, ...] = ()) -> None:
    """Write the new pair next to the old one, and copy the old one if it does not belong to certdeck yet.

    Args:
        contents: `fullchain.pem`, `privkey.pem`, `chain.pem` and `cert.pem` of the version.
        readers: accounts that have to read the key.

    Raises OSError, or StageFailed for an unknown owner or group.
    """
    pair = site.make_pair()
    kept = {place.file: _attributes(site, place, pair) for place in change.places if place.file in site.shown}
    if change.has_snapshot:
        _build(pair, change.before, {file: (site.shown[file].content, kept[file]) for file in kept})
    new = {}
    for place in change.places:
        attributes = kept.get(place.file) or attributes_for_new(site.target, is_key=holds_key(place.file))
        new[place.file] = (_content(site, place, contents), _of_key(site, place, attributes, readers))
    _build(pair, change.after, new)
    pair.sync()


def _of_key(site: Site, place: Place, attributes: Attributes, readers: tuple[Reader, ...]) -> Attributes:
    """Return the attributes of a new file; a key is made readable for `readers` and for no others."""
    if not holds_key(place.file):
        return attributes
    if place.file in site.shown:
        attributes = closed(site.target, place, site.shown[place.file], attributes)
    if is_extra(place.file):
        return attributes
    return readable(attributes, readers, is_decided=_is_decided(site.target))


def _content(site: Site, place: Place, contents: Mapping[str, bytes]) -> bytes:
    return pfx_of(site.target, contents) if format_of(place.file) == "pfx" else content_of(place.file, contents)


def adopt(change: Change, site: Site) -> None:
    """Make the paths follow `current` without changing their content. Raises OSError."""
    if change.copies or not change.has_snapshot:
        return
    _point(site, change.before)
    changed = set()
    for place in change.places:
        folder = site.folder(place.path)
        if not place.is_adopted and folder is not None:
            folder.put_link(place.path.name, place.ours, _temporary(change, place), durable=False)
            changed.add(folder)
    for folder in changed:
        folder.sync()


def switch(change: Change, site: Site, readers: tuple[Reader, ...] = ()) -> None:
    """Make the paths show the new pair. `readers`: as in `stage`. Raises OSError."""
    if not change.copies:
        _point(site, change.after)
        return
    for place in change.places:
        _copy_out(change, site, place, change.after, readers)


def show_old(change: Change, site: Site) -> None:
    """Make the paths show the old pair again. Raises OSError.

    This is the part of a rollback that the service sees; `put_back` then restores the original links and files.
    """
    if site.pair is None or not site.pair.holds(change.before):
        return  # an earlier call got past this, or staging did not get this far
    if not change.copies:
        if change.has_snapshot and not _is_adopted_by_now(change, site.pair):
            return
        _point(site, change.before)
        return
    for place in change.places:
        _restore(change, site, place)


def put_back(change: Change, site: Site) -> None:
    """Undo a change from any state. Raises OSError."""
    show_old(change, site)
    pair = site.pair
    if not change.copies and change.has_snapshot:
        for place in change.places:
            if not place.is_adopted and _text_of(site.folder(place.path), place.path.name) == place.ours:
                _restore(change, site, place)
        if pair is not None and change.current is None:
            pair.remove(CURRENT)
        elif pair is not None and _text_of(pair, CURRENT) != change.current:
            _point(site, str(change.current))
    _sweep(change, site)
    if pair is None:
        return
    pair.discard(change.after)
    if change.has_snapshot:
        pair.discard(change.before)
    if change.is_new_folder:
        site.remove_pair()
    else:
        pair.sync()


def settle(change: Change, site: Site) -> None:
    """Keep the new pair and remove what is no longer needed. Raises OSError.

    Our own old pairs are removed: the store has them, with sealed keys. Files from before certdeck stay until the next deployment.
    """
    _sweep(change, site)
    pair = site.pair
    if pair is None:
        return
    if change.copies:
        pair.remove(CURRENT)
        kept: set[str] = {change.before} if change.is_new_folder else set()
    else:
        kept = {change.after, change.before} if change.has_snapshot else {change.after}
    for name in pair.names():
        if name.isdigit() and name not in kept:
            pair.discard(name)


def release(target: TargetConfig) -> None:
    """Release a target permanently: the paths keep their content as plain files, and our folder is removed. Raises OSError.

    The content never changes, so this needs no journal: a second call completes what a killed one began.
    """
    with Site(target) as site:
        name = folder_of(target).name
        for path, file in paths_of(target):
            folder = site.folder(path)
            text = _text_of(folder, path.name)
            if folder is None or text is None or f"{name}/{CURRENT}/" not in text:
                continue
            try:
                with _version(site, _text_of(site.pair, CURRENT)) as version:
                    copy = version.read(file)
            except FileNotFoundError:
                folder.remove(path.name)
            else:
                folder.put_file(
                    path.name,
                    copy.content,
                    copy.attributes,
                    temporary_of(path.name, target.name),
                    past=copy.changed_at,
                )
        if site.pair is not None:
            site.pair.empty()
            site.remove_pair()


def _is_decided(target: TargetConfig) -> bool:
    """Return whether the configuration says who may read the key."""
    return any(each is not None for each in (target.owner, target.group, target.file_mode))


def old_sha256(change: Change, site: Site) -> str | None:
    """Return the fingerprint of the certificate in `before`; None if there was none."""
    try:
        with _version(site, change.before) as version:
            return leaf_sha256(version.read(change.places[0].file).content)
    except OSError:
        return None


def _attributes(site: Site, place: Place, pair: Folder) -> Attributes:
    """Return the attributes for a copy of a place's file in the folder of the pair."""
    copy = site.shown[place.file]
    if place.is_adopted:
        return copy.attributes  # it is in that folder already
    return closed_like(copy.attributes, copy.way, pair.way)


def _build(pair: Folder, name: str, files: Mapping[str, tuple[bytes, Attributes]]) -> None:
    """Create a version folder under a temporary name and rename it into place, which is not durable yet."""
    unborn = f".new-{name}"
    if pair.holds(unborn):
        pair.remove_tree(unborn)
    pair.discard(name)
    with pair.make_folder(unborn) as folder:
        for file, (content, attributes) in files.items():
            folder.write_new(file, content, attributes, durable=False)
        folder.open_like(pair)
        folder.sync(files)
    pair.move(unborn, name)


def _point(site: Site, name: str) -> None:
    """Make `current` point to a version. Its files first get the current time, later than that of the previous files: hitch
    (1.7) and ejabberd keep a newer file that they have loaded, and RabbitMQ (3.10) ignores files older than two minutes.
    """
    if site.pair is None:
        return
    past = _shown_at(site, site.pair)
    with suppress(FileNotFoundError), site.pair.enter(name) as version:
        for file in version.names():
            version.refresh(file, past=past)
    site.pair.put_link(CURRENT, name, f".{CURRENT}")


def _shown_at(site: Site, pair: Folder) -> int:
    """Return the second of the last change to the files that the paths show, or showed at the survey; 0 if there are none."""
    times = [copy.changed_at for copy in site.shown.values()]
    current = _text_of(pair, CURRENT)
    if is_number(current):
        with suppress(OSError), _version(site, current) as version:
            times += [version.changed_at(file) for file in version.names()]
    return max(times, default=0)


def _is_adopted_by_now(change: Change, pair: Folder) -> bool:
    """Return whether `adopt` has begun: only then does `current` belong to this change."""
    return _text_of(pair, CURRENT) in (change.before, change.after)


def _version(site: Site, name: str | None) -> Folder:
    """Open a version folder. Raises FileNotFoundError if there is none."""
    if site.pair is None or name is None:
        raise FileNotFoundError(str(folder_of(site.target)))
    return site.pair.enter(name)


def _copy_out(change: Change, site: Site, place: Place, name: str, readers: tuple[Reader, ...] = ()) -> None:
    folder = site.folder(place.path)
    with _version(site, name) as version:
        copy = version.read(place.file)
    if folder is None:
        return
    if site.target.in_place and place.was == "file":
        folder.write_in_place(place.path.name, copy.content)
        return
    attributes, shown = copy.attributes, site.shown.get(place.file)
    if shown is not None:
        attributes = closed_like(shown.attributes, shown.way, folder.way)
    elif place.has_content:
        attributes = replace(attributes, mode=place.mode)
    if name == change.after:
        attributes = _of_key(site, place, attributes, readers)
    folder.put_file(place.path.name, copy.content, attributes, _temporary(change, place), past=copy.changed_at)


def _restore(change: Change, site: Site, place: Place) -> None:
    """Restore the original state of a place."""
    folder, name = site.folder(place.path), place.path.name
    if folder is None:
        return
    if place.was == "absent":
        folder.remove(name)
    elif place.was == "link":
        if _text_of(folder, name) != place.link:
            folder.put_link(name, place.link, _temporary(change, place), (place.link_uid, place.link_gid))
    elif not _is_as_it_was(change, site, place, folder):
        try:
            _copy_out(change, site, place, change.before)
        except FileNotFoundError:
            return  # another program has removed the copy: waiting for it would block every later deployment to this service


def _is_as_it_was(change: Change, site: Site, place: Place, folder: Folder) -> bool:
    """Return whether a plain file was never replaced: if it cannot be replaced, an undo must not fail for the same reason."""
    try:
        now = folder.read(place.path.name)
        with _version(site, change.before) as version:
            return now.content == version.read(place.file).content and now.attributes.mode == place.mode
    except OSError:
        return False


def _sweep(change: Change, site: Site) -> None:
    """Remove incomplete files that a killed run may have left."""
    for place in change.places:
        folder = site.folder(place.path)
        if folder is not None:
            folder.clear(_temporary(change, place))
    if site.pair is None:
        return
    for name in site.pair.names():
        if name.startswith((".new-", ".gone-")):
            site.pair.remove_tree(name)
        elif name in (f".{CURRENT}", f"{MARK}-new"):
            site.pair.clear(name)


def _temporary(change: Change, place: Place) -> str:
    return temporary_of(place.path.name, change.target)


def _text_of(folder: Folder | None, name: str) -> str | None:
    if folder is None:
        return None
    link = folder.link(name)
    return None if link is None else link.text
