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
    """The text of the link that was there."""
    link_uid: int = 0
    link_gid: int = 0
    """Whose that link was."""
    ours: str
    """The text of our link."""
    has_content: bool = False
    """It showed a file; False for nothing at all and for a link to nothing."""
    mode: int = 0
    """Permission bits of what it showed, read with its content; a copy of a key may have fewer."""

    @property
    def is_adopted(self) -> bool:
        return self.was == "link" and self.link == self.ours


class Change(Struct, frozen=True, kw_only=True):
    """What a deployment does to the paths of one target, and what was there before. Stands in the journal."""

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
        return not any(place.has_content for place in self.places if place.file != CHAIN and not is_extra(place.file))

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
    """Tell whether a text is the name of a version folder."""
    return isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
