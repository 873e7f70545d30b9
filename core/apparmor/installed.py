"""What AppArmor enforces on this machine, and the profiles that are installed here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from core.apparmor.policy import FOLDER, Profile, Read, enforced, profiles_in
from core.regular import read_regular

LOADED = "/sys/kernel/security/apparmor/profiles"
_LONGEST = 1_000_000
_LEFT_OVER = (".dpkg-new", ".dpkg-old", ".dpkg-dist", ".dpkg-bak", ".rpmnew", ".rpmsave", "~")
"""Names in a folder of profiles that AppArmor passes over, as it does with those that begin with a dot."""


def enforced_now(root: Path) -> frozenset[str]:
    """Return the names of the profiles that the kernel enforces; none without AppArmor, or where this process is not root."""
    try:
        return enforced((root / LOADED.lstrip("/")).read_text("utf-8", "replace"))
    except OSError:
        return frozenset()


def profiles_of(programs: Sequence[str], root: Path) -> Iterator[tuple[str, Profile]]:
    """Yield the installed profiles that may be for one of some programs (absolute paths), each with its own path."""
    read = reading(root)
    names = {os.path.basename(program) for program in programs}
    for file in _names(root, FOLDER):
        for text in read(f"{FOLDER}/{file}"):
            if any(name in text for name in names):  # most files are for other programs
                for profile in profiles_in(text, read):
                    yield f"{FOLDER}/{file}", profile


def reading(root: Path) -> Read:
    """Return what reads the profiles of a system, for `core.apparmor.policy`."""

    def read(path: str) -> Sequence[str]:
        texts = []
        for each in [f"{path}/{name}" for name in _names(root, path)] or [path]:
            with suppress(OSError):
                texts.append(read_regular(root / each.lstrip("/"), _LONGEST).decode("utf-8", "replace"))
        return texts

    return read


def _names(root: Path, folder: str) -> list[str]:
    """Return the files of a folder of profiles; none where it is no folder."""
    try:
        with os.scandir(root / folder.lstrip("/")) as found:
            names = [entry.name for entry in found if entry.is_file()]
    except OSError:
        return []
    return sorted(name for name in names if not name.startswith(".") and not name.endswith(_LEFT_OVER))
