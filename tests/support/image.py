"""What is in some folders, kept in memory and put back: how a test begins again and again from the same files."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Entry(NamedTuple):
    """A file, a link or a folder."""

    mode: int
    """With the bits of its kind."""
    owner: int
    group: int
    modified: int
    """In nanoseconds; 0 of a folder."""
    content: bytes
    """Of a link what it leads to; nothing of a folder."""


Image = dict[str, Entry]
"""By absolute path; a folder comes before what is in it."""


def image_of(places: Iterable[Path]) -> Image:
    """Return what is at these places and below them now."""
    image: Image = {}
    open_ones = [str(place) for place in places if os.path.lexists(place)]
    while open_ones:
        path = open_ones.pop()
        found = os.lstat(path)
        modified, content = found.st_mtime_ns, b""
        if stat.S_ISDIR(found.st_mode):
            modified = 0
            open_ones += [f"{path}/{name}" for name in os.listdir(path)]
        elif stat.S_ISLNK(found.st_mode):
            content = os.fsencode(os.readlink(path))
        else:
            assert stat.S_ISREG(found.st_mode), path
            with open(path, "rb", buffering=0) as file:
                content = file.read()
        image[path] = Entry(found.st_mode, found.st_uid, found.st_gid, modified, content)
    return image


def put_back(image: Image, places: Iterable[Path]) -> None:
    """Make these places what they are in the image. What is so already stays the same file."""
    now = image_of(places)
    for path, entry in now.items():
        wanted = image.get(path)
        if wanted == entry or not os.path.lexists(path):
            continue
        if not stat.S_ISDIR(entry.mode):
            os.unlink(path)
        elif wanted is None or not stat.S_ISDIR(wanted.mode):
            shutil.rmtree(path)
    folders = []
    for path, entry in image.items():
        if now.get(path) == entry:
            continue
        if stat.S_ISDIR(entry.mode):
            folders.append((path, entry))
            if not os.path.isdir(path):
                os.mkdir(path, 0o700)
            continue
        if stat.S_ISLNK(entry.mode):
            os.symlink(os.fsdecode(entry.content), path)
        else:
            with open(path, "xb", buffering=0) as file:
                file.write(entry.content)
        _give(path, entry)
        os.utime(path, ns=(entry.modified, entry.modified), follow_symlinks=False)
    for path, entry in folders:  # last: one may be closed to us
        _give(path, entry)


def _give(path: str, entry: Entry) -> None:
    found = os.lstat(path)
    if (found.st_uid, found.st_gid) != (entry.owner, entry.group):
        os.lchown(path, entry.owner, entry.group)
    if not stat.S_ISLNK(entry.mode):
        os.chmod(path, stat.S_IMODE(entry.mode))
