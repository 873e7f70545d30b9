"""Reads the paths of a target before anything is changed, and decides what a deployment will do to them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from core.config.model import TargetConfig
from core.errors import StageFailed
from core.foreign.folder import Folder
from core.foreign.untrusted import UntrustedPath
from core.foreign.walk import Shown, look_through, open_folder
from core.store.atomic import store_error
from core.targets.change import Change, Place, is_number
from core.targets.paths import CURRENT, folder_of, is_copied, is_ours, paths_of
from core.targets.site import Site, Sites


def survey(target: TargetConfig, sites: Sites) -> Change:
    """Read a target's paths and return what a deployment to it will do. Changes nothing.

    The content of each path is kept in the site of the target: exactly this content, with its owner and mode, is what is kept.

    Raises StageFailed (`stage-failed`) for unusable paths.
    """
    try:
        site = sites.of(target)
        site.refuse_open_to_all()
        current = _current(site)
        places = tuple(_place(site, path, file, current) for path, file in paths_of(target))
        numbers = [] if site.pair is None else [int(name) for name in site.pair.names() if is_number(name)]
    except OSError as exc:
        error = store_error(exc, exc.filename or target.certificate, "opened")
        raise StageFailed(
            f"The paths of target {target.name} are not usable.",
            f"{error.what} {error.why}",
            error.fix
            if isinstance(exc, UntrustedPath)
            else "Run certdeck as the user who owns these files, usually root.",
            details={"target": target.name, "live": "old"},
        ) from exc
    copies = is_copied(target)
    following = max(numbers, default=-1) + 1
    is_adopted = not copies and is_number(current) and all(place.is_adopted for place in places)
    return Change(
        target=target.name,
        folder=folder_of(target),
        is_new_folder=site.pair is None,
        copies=copies,
        current=current,
        before=current if is_adopted and current is not None else str(following),
        has_snapshot=not is_adopted,
        after=str(following if is_adopted else following + 1),
        places=places,
    )


def owns(target: TargetConfig, configured: TargetConfig | None) -> bool:
    """Return whether the paths of `target`, which comes from a record, belong to that target.

    Either the configuration still has them, or they belong to certdeck: links into the folder of the pair, or nothing.
    """
    if configured is not None and (target.mode, *paths_of(target)) == (configured.mode, *paths_of(configured)):
        return True
    folder = folder_of(target)
    return not is_copied(target) and all(_is_free_or_ours(path, folder, file) for path, file in paths_of(target))


def _is_free_or_ours(path: Path, folder: Path, file: str) -> bool:
    try:
        with open_folder(path.parent) as parent:
            link = parent.link(path.name)
            return is_ours(link.text, folder, file) if link is not None else not parent.holds(path.name)
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _current(site: Site) -> str | None:
    """Return the current version folder. Raises UntrustedPath if `current` is not one of certdeck's links."""
    pair = site.pair
    if pair is None or not pair.holds(CURRENT):
        return None
    link = pair.link(CURRENT)
    if link is None or not is_number(link.text):
        raise UntrustedPath(
            pair.path / CURRENT,
            "it is not a link that certdeck created",
            f"Check what is in {pair.path}, then remove it: the next deployment creates it again.",
        )
    return link.text


def _place(site: Site, path: Path, file: str, current: str | None) -> Place:
    target, folder, home = site.target, site.folder(path), site.home
    if folder is None or home is None:
        parent = path.parent if folder is None else Path(target.certificate).parent
        raise StageFailed(
            f"Target {target.name} cannot be written: the folder {parent} is missing.",
            "certdeck does not create folders for a service, because it does not know their owner and mode.",
            f"Create it (mkdir -p {parent}), or correct the paths in [targets.{target.name}].",
            details={"target": target.name, "live": "old"},
        )
    ours = os.path.relpath(home.path / folder_of(target).name / CURRENT / file, folder.path)
    shown = _shown(site, folder, path, file, ours, current)
    if shown is None:
        return Place(path=path, file=file, was="absent", ours=ours)
    link = shown.link
    if shown.copy is not None:
        site.shown[file] = shown.copy
    return Place(
        path=path,
        file=file,
        was="file" if link is None else "link",
        link="" if link is None else link.text,
        link_uid=0 if link is None else link.uid,
        link_gid=0 if link is None else link.gid,
        ours=ours,
        has_content=shown.copy is not None,
        mode=0 if shown.copy is None else shown.copy.attributes.mode,
    )


def _shown(site: Site, folder: Folder, path: Path, file: str, ours: str, current: str | None) -> Shown | None:
    """Return what a path shows. The file behind our own link is read in our own folder, whoever owns it."""
    link = folder.link(path.name)
    if link is None or link.text != ours:
        try:
            return look_through(folder, path.name)
        except OSError as exc:
            if exc.errno != errno.EINVAL:
                raise
            raise _no_file(site.target, path) from exc
    if site.pair is None or current is None:
        return Shown(link=link)
    try:
        with site.pair.enter(current) as version:
            return Shown(link=link, copy=version.read(file))
    except FileNotFoundError:
        return Shown(link=link)


def _no_file(target: TargetConfig, path: Path) -> StageFailed:
    return StageFailed(
        f"Target {target.name} cannot be written: {path} is not a file.",
        "It is a folder, a device or a socket.",
        f"Move it away, or correct the paths in [targets.{target.name}].",
        details={"target": target.name, "live": "old"},
    )
