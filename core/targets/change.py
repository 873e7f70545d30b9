"""What a deployment will do to the files of one target, decided by looking and before anything is touched.

A change is a value that goes into the journal: with it alone, and from any state that a killed run may have left, the
old files can be put back. The folder of the pair lies beside the certificate:

    /etc/ssl/domains/domain.crt        -> .certdeck-web/current/fullchain.pem
    /etc/ssl/domains/domain.key        -> .certdeck-web/current/privkey.pem
    /etc/ssl/domains/.certdeck-web/current -> 3
    /etc/ssl/domains/.certdeck-web/3/{fullchain.pem,privkey.pem}

Where a path was not ours yet, what it showed is first copied into a version folder of its own (`before`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.config.model import TargetConfig
from core.errors import StageFailed

FULLCHAIN = "fullchain.pem"
KEY = "privkey.pem"
CHAIN = "chain.pem"
CURRENT = "current"
_LONGEST_NUMBER = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One path of a target, as it was found."""

    path: Path
    file: str
    """Its name in a version folder."""
    was: str
    """`absent`, `file` or `link`."""
    link: str = ""
    """The text of the link that was there."""
    ours: str
    """The text of our link."""
    has_content: bool = False
    """It showed a file; False for nothing at all and for a link to nothing."""
    mode: int = 0
    """Permission bits of what it showed; a copy of a key may have fewer."""

    @property
    def is_adopted(self) -> bool:
        return self.was == "link" and self.link == self.ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    target: str
    folder: Path
    is_new_folder: bool
    copies: bool
    """Mode `copy`: the places are plain files."""
    current: str | None
    """What `current` pointed to."""
    before: str
    """Version folder with what was live."""
    has_snapshot: bool
    """`before` is a copy made for this change."""
    after: str
    """Version folder with the new pair."""
    places: tuple[Place, ...]

    @property
    def was_empty(self) -> bool:
        """Nothing was there before: no old pair to go back to."""
        return not any(place.has_content for place in self.places if place.file != CHAIN)

    def as_json(self) -> dict[str, object]:
        """Return the record for the journal."""
        return {
            "target": self.target,
            "folder": str(self.folder),
            "is_new_folder": self.is_new_folder,
            "copies": self.copies,
            "current": self.current,
            "before": self.before,
            "has_snapshot": self.has_snapshot,
            "after": self.after,
            "places": [{**asdict(place), "path": str(place.path)} for place in self.places],
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any], target: TargetConfig) -> Change:
        """Return the change that `as_json` described. Raises KeyError, TypeError or ValueError for anything else.

        It touches what `target` owns and nothing else: its paths, and the folder of its pair.
        """
        folder = folder_of(target)
        files = dict(_paths_of(target))
        places = tuple(_place_from(place, folder) for place in raw["places"])
        current = raw["current"]
        if (
            (raw["target"], raw["folder"], raw["copies"]) != (target.name, str(folder), target.mode == "copy")
            or {place.path: place.file for place in places} != files
            or len(places) != len(files)
            or not _is_number(raw["before"])
            or not _is_number(raw["after"])
            or not (current is None or _is_link_text(current))
            or not all(isinstance(raw[key], bool) for key in ("is_new_folder", "has_snapshot"))
        ):
            raise ValueError("it is no change of that target")
        return cls(
            target=target.name,
            folder=folder,
            is_new_folder=raw["is_new_folder"],
            copies=raw["copies"],
            current=current,
            before=raw["before"],
            has_snapshot=raw["has_snapshot"],
            after=raw["after"],
            places=places,
        )


def folder_of(target: TargetConfig) -> Path:
    """Return the folder of the pair."""
    return Path(target.certificate).parent / f".certdeck-{target.name}"


def owns(target: TargetConfig, configured: TargetConfig | None) -> bool:
    """Tell whether the paths of `target`, which a record names, are those of that target.

    Either the configuration says so still, or what is there is certdeck's own: links into the folder of the pair, or nothing.
    """
    if configured is not None and (target.mode, *_paths_of(target)) == (configured.mode, *_paths_of(configured)):
        return True
    folder = folder_of(target)
    return target.mode != "copy" and all(
        not os.path.lexists(path) or (path.is_symlink() and _is_ours(os.readlink(path), folder, file))
        for path, file in _paths_of(target)
    )


def survey(target: TargetConfig) -> Change:
    """Look at a target's paths and return what deploying to it will do. Reads the disk, changes nothing.

    Raises StageFailed (`stage-failed`) for paths that cannot carry a certificate.
    """
    folder = folder_of(target)
    try:
        places = tuple(_place(target, path, file, folder) for path, file in _paths_of(target))
        current = _text_of(folder / CURRENT)
        numbers = [int(name) for name in os.listdir(folder) if _is_number(name)] if folder.is_dir() else []
    except OSError as exc:
        raise StageFailed(
            f"The paths of target {target.name} cannot be looked at.",
            f"{exc.filename}: {exc.strerror}.",
            "Run certdeck as the user who owns these files, usually root.",
            details={"target": target.name, "live": "old"},
        ) from exc
    copies = target.mode == "copy"
    following = max(numbers, default=-1) + 1
    is_adopted = not copies and _is_number(current) and all(place.is_adopted for place in places)
    return Change(
        target=target.name,
        folder=folder,
        is_new_folder=not folder.exists(),
        copies=copies,
        current=current,
        before=current if is_adopted and current is not None else str(following),
        has_snapshot=not is_adopted,
        after=str(following if is_adopted else following + 1),
        places=places,
    )


def _place(target: TargetConfig, path: Path, file: str, folder: Path) -> Place:
    parent = path.parent
    if not parent.is_dir():
        raise StageFailed(
            f"Target {target.name} cannot be written: the folder {parent} is missing.",
            "certdeck makes no folders of a service: their owner and mode are not its business.",
            f"Make it (mkdir -p {parent}), or correct the paths in [targets.{target.name}].",
            details={"target": target.name, "live": "old"},
        )
    ours = os.path.relpath(os.path.join(os.path.realpath(folder), CURRENT, file), os.path.realpath(parent))
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return Place(path=path, file=file, was="absent", ours=ours)
    link = os.readlink(path) if stat.S_ISLNK(status.st_mode) else ""
    try:
        shown = os.stat(path).st_mode
    except FileNotFoundError:
        return Place(path=path, file=file, was="link", link=link, ours=ours)
    if not stat.S_ISREG(shown):
        raise StageFailed(
            f"Target {target.name} cannot be written: {path} is not a file.",
            "Something else has that name: a folder, a device or a socket.",
            f"Move it away, or correct the paths in [targets.{target.name}].",
            details={"target": target.name, "live": "old"},
        )
    return Place(
        path=path,
        file=file,
        was="link" if link else "file",
        link=link,
        ours=ours,
        has_content=True,
        mode=stat.S_IMODE(shown),
    )


def _paths_of(target: TargetConfig) -> list[tuple[Path, str]]:
    """Return the paths of a target, each with the name of its file in a version folder."""
    chain = [] if target.chain is None else [(Path(target.chain), CHAIN)]
    return [(Path(target.certificate), FULLCHAIN), (Path(target.key), KEY), *chain]


def _is_ours(link: object, folder: Path, file: str) -> bool:
    return isinstance(link, str) and f"/{link}".endswith(f"/{folder.name}/{CURRENT}/{file}")


def _place_from(raw: Mapping[str, Any], folder: Path) -> Place:
    if (
        raw["was"] not in ("absent", "file", "link")
        or not (raw["link"] == "" or _is_link_text(raw["link"]))
        or not _is_ours(raw["ours"], folder, raw["file"])
        or not isinstance(raw["has_content"], bool)
        or not (type(raw["mode"]) is int and 0 <= raw["mode"] <= 0o7777)
    ):
        raise ValueError("it is no place of that target")
    return Place(**{**raw, "path": Path(raw["path"])})


def _is_link_text(text: object) -> bool:
    return isinstance(text, str) and text != "" and "\0" not in text


def _is_number(text: object) -> bool:
    return isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER


def _text_of(link: Path) -> str | None:
    try:
        return os.readlink(link)
    except FileNotFoundError:
        return None
