"""What a deployment will do to the files of one target, decided from their current state before anything is changed.

A change is a value that is written to the journal. It is enough to restore the old files from any state that a killed run may
have left. The folder of the pair is next to the certificate:

    /etc/ssl/domains/domain.crt        -> .certdeck-web/current/fullchain.pem
    /etc/ssl/domains/domain.key        -> .certdeck-web/current/privkey.pem
    /etc/ssl/domains/.certdeck-web/current -> 3
    /etc/ssl/domains/.certdeck-web/3/{fullchain.pem,privkey.pem}

If a path does not belong to certdeck yet, its content is first copied into a separate version folder (`before`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from core.config.model import TargetConfig
from core.foreign.attributes import GIVEN_BITS
from core.targets.extra import is_extra
from core.targets.layout import CHAIN
from core.targets.paths import folder_of, is_copied, is_ours, paths_of

_LONGEST_NUMBER = 9
_LARGEST_ID = 2**32 - 2


class Place(Struct, frozen=True, kw_only=True):
    """One path of a target, as it was found."""

    path: Path
    file: str
    """Its name in a version folder."""
    was: str
    """`absent`, `file` or `link`."""
    link: str = ""
    """The text of the link that existed."""
    link_uid: int = 0
    link_gid: int = 0
    """The owner of that link."""
    ours: str
    """The text of our link."""
    has_content: bool = False
    """There was a file at the path; False if there was nothing or a dangling link."""
    mode: int = 0
    """Permission bits of that file, read together with its content; a copy of a key may have fewer."""

    @property
    def is_adopted(self) -> bool:
        """Whether the path was already a link of certdeck."""
        return self.was == "link" and self.link == self.ours


class Change(Struct, frozen=True, kw_only=True):
    """What a deployment does to the paths of one target, and the previous state. Stored in the journal."""

    target: str
    folder: Path
    is_new_folder: bool
    copies: bool
    """Mode `copy`: the places are plain files."""
    current: str | None
    """The previous target of `current`."""
    before: str
    """Version folder with the pair that was live."""
    has_snapshot: bool
    """`before` is a copy made for this change."""
    after: str
    """Version folder with the new pair."""
    places: tuple[Place, ...]

    @property
    def was_empty(self) -> bool:
        """There was no old pair to restore."""
        return not any(place.has_content for place in self.places if place.file != CHAIN and not is_extra(place.file))

    def as_json(self) -> dict[str, object]:
        """Return the record for the journal, for `from_json`."""
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

        It affects only what `target` owns: its paths, and the folder of its pair.
        """
        folder = folder_of(target)
        files = dict(paths_of(target))
        places = tuple(_place_from(place, folder) for place in raw["places"])
        current = raw["current"]
        if (
            (raw["target"], raw["folder"], raw["copies"]) != (target.name, str(folder), is_copied(target))
            or {place.path: place.file for place in places} != files
            or len(places) != len(files)
            or not is_number(raw["before"])
            or not is_number(raw["after"])
            or not (current is None or _is_link_text(current))
            or not all(isinstance(raw[key], bool) for key in ("is_new_folder", "has_snapshot"))
        ):
            raise ValueError("it is not a change of that target")
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


def _place_from(raw: Mapping[str, Any], folder: Path) -> Place:
    if (
        raw["was"] not in ("absent", "file", "link")
        or not (raw["link"] == "" or _is_link_text(raw["link"]))
        or not is_ours(raw["ours"], folder, raw["file"])
        or not isinstance(raw["has_content"], bool)
        or not (type(raw["mode"]) is int and 0 <= raw["mode"] <= 0o7777)
        or not all(
            type(raw.get(key, 0)) is int and 0 <= raw.get(key, 0) <= _LARGEST_ID for key in ("link_uid", "link_gid")
        )
    ):
        raise ValueError("it is not a path of that target")
    return Place(**{**raw, "path": Path(raw["path"]), "mode": raw["mode"] & GIVEN_BITS})


def _is_link_text(text: object) -> bool:
    return isinstance(text, str) and text != "" and "\0" not in text


def is_number(text: object) -> bool:
    """Return whether a text is the name of a version folder."""
    return isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
