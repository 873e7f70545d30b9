"""The paths of a target on disk."""

from __future__ import annotations

import os
from pathlib import Path

from core.config.model import TargetConfig
from core.config.sharing import owner_of
from core.targets.extra import extras_of
from core.targets.layout import CHAIN, KEY, ONE_FILE, certificate_file, layout_of

CURRENT = "current"
MARK = ".target"


def folder_of(target: TargetConfig) -> Path:
    """Return the folder of the pair: one for all targets with the same files."""
    return Path(target.certificate).parent / f".certdeck-{owner_of(target)}"


def paths_of(target: TargetConfig) -> list[tuple[Path, str]]:
    """Return the paths of a target, each with the name of its file in a version folder; the certificate's comes first."""
    layout = layout_of(target)
    found = [(Path(target.certificate), certificate_file(layout))]
    if layout not in ONE_FILE:
        found.append((Path(target.key), KEY))
    if target.chain is not None:
        found.append((Path(target.chain), CHAIN))
    return [*found, *extras_of(target)]


def is_copied(target: TargetConfig) -> bool:
    """Return whether the paths of a target stay plain files."""
    return target.mode == "copy" or target.in_place


def place_of(path: str) -> str:
    """Return the real location of a path: links in its folder are followed, one at its end is not."""
    folder, name = os.path.split(os.path.normpath(path))
    return os.path.join(os.path.realpath(folder), name)


def temporary_of(name: str, target: str) -> str:
    """Return the temporary name of a file that will replace `name`."""
    return f".certdeck-{target}.{name}"


def is_ours(link: object, folder: Path, file: str) -> bool:
    """Return whether a text is that of certdeck's link to `file` in the folder of a pair."""
    return isinstance(link, str) and f"/{link}".endswith(f"/{folder.name}/{CURRENT}/{file}")
