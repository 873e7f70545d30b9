"""A power cut at every file operation of something, with all that a file system may forget of what was not flushed.

    for where, seen in power_cuts(tmp_path, act):   # act(): what is tried, once
        ...                                         # the folder is as it is after the next start: look, recover, look again

What was flushed is there. A file keeps what it held when it was flushed last, and is empty when it never was; or the disk got to
its new content first. Each change to the names in a folder is there or not, whatever came before or after it, until the folder is
flushed; the two names of a rename are one change. Tried are: none of the changes, all of them, each alone, and all but each.
Folders that come out the same are given once. What SQLite and other C code write counts as never flushed, unless Python flushes it.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import TypeVar

from tests.support.image import Entry, Image, put_back
from tests.support.killer import SYNCS
from tests.support.watching import Moment, watched

Seen = TypeVar("Seen")
Node = tuple[int, int]
"""A file, link or folder: its inode, and which of those that had this number."""
Changes = Mapping[Node, list[tuple[Node, str, Node | None]]]
"""What has got or lost its name: folder, name, and what has that name now."""


def power_cuts(root: Path, act: Callable[[], object], look: Callable[[], Seen]) -> Iterator[tuple[str, Seen]]:
    """Do `act` here, then yield once for each content of `root` that a power cut can leave.

    Args:
        look: returns how far things outside of the folder have come, such as what a CA has signed; yielded beside where the power
            went, at the latest moment with this content.
    """
    disk = _Disk(root)
    found: dict[frozenset[tuple[str, int, bytes]], tuple[str, Seen, Image]] = {}
    lock = threading.RLock()

    def note(where: str) -> None:
        seen = look()
        for which, image in disk.after_cut():
            same = frozenset((path, entry.mode, entry.content) for path, entry in image.items())
            found[same] = (f"{where}: {which}", seen, image)

    def strike(name: str, path: str, moment: Moment) -> None:
        with lock:
            disk.look()
            if moment == "after" and name in SYNCS:
                disk.flushed(path)
            elif moment == "before":
                note(f"before {name} {path}")

    with watched(root, strike):
        act()
    disk.look()
    note("at the end")
    for where, seen, image in found.values():
        put_back(image, [root])
        yield where, seen


class _Disk:
    """A folder as it is, and what of it was flushed."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._numbers = count(1)
        self._known: dict[int, Node] = {}
        self._names: dict[Node, dict[str, Node]] = {}
        self._entries: dict[Node, Entry] = {}
        self.look()
        self._kept_names = {folder: dict(names) for folder, names in self._names.items()}
        self._kept = {node: entry.content for node, entry in self._entries.items()}

    def look(self) -> None:
        """Read the folder again."""
        had, self._known, self._names = self._known, {}, {}
        self._top = self._node(self._root, had)
        waiting = [(self._root, self._top)]
        while waiting:
            place, folder = waiting.pop()
            names = self._names[folder] = {}
            for name in sorted(os.listdir(place)):
                path = os.path.join(place, name)
                names[name] = self._node(path, had)
                if stat.S_ISDIR(self._entries[names[name]].mode):
                    waiting.append((path, names[name]))

    def _node(self, path: str, had: Mapping[int, Node]) -> Node:
        """Read an entry. An inode number that nobody had a moment ago is that of somebody new."""
        found = os.lstat(path)
        node = self._known.get(found.st_ino) or had.get(found.st_ino) or (found.st_ino, next(self._numbers))
        self._known[found.st_ino] = node
        modified, content = found.st_mtime_ns, b""
        if stat.S_ISDIR(found.st_mode):
            modified = 0
        elif stat.S_ISLNK(found.st_mode):
            content = os.fsencode(os.readlink(path))
        else:
            content = Path(path).read_bytes()
        self._entries[node] = Entry(found.st_mode, found.st_uid, found.st_gid, modified, content)
        return node

    def flushed(self, path: str) -> None:
        """Note that a file or folder was flushed."""
        if not os.path.lexists(path):
            return
        node = self._known[os.lstat(path).st_ino]
        if node in self._names:
            self._kept_names[node] = dict(self._names[node])
        else:
            self._kept[node] = self._entries[node].content

    def after_cut(self) -> Iterator[tuple[str, Image]]:
        """Yield what may be there after a power cut, each with its name."""
        changes: dict[Node, list[tuple[Node, str, Node | None]]] = {}
        for folder in {**self._kept_names, **self._names}:
            before, now = self._kept_names.get(folder, {}), self._names.get(folder, {})
            for name in sorted({**before, **now}):
                if before.get(name) != now.get(name):
                    node = now.get(name) or before[name]
                    changes.setdefault(node, []).append((folder, name, now.get(name)))
        yield "nothing else", self._image({})
        yield "every name", self._image(changes)
        for node, each in changes.items():
            name = each[0][1]
            yield f"only the name {name}", self._image({node: each})
            others = {other: rest for other, rest in changes.items() if other != node}
            yield f"every name but {name}", self._image(others)
        for node in set(self._known.values()) - set(self._names):
            if self._entries[node].content != self._kept.get(node):
                only = {node: changes[node]} if node in changes else {}
                yield "one file and nothing else", self._image(only, written=node)

    def _image(self, changes: Changes, written: Node | None = None) -> Image:
        names = {folder: dict(kept) for folder, kept in self._kept_names.items()}
        for each in changes.values():
            for folder, name, node in each:
                there = names.setdefault(folder, {})
                if node is None:
                    there.pop(name, None)
                else:
                    there[name] = node
        image = {self._root: self._entries[self._top]}
        waiting = [(self._root, self._top)]
        while waiting:
            place, folder = waiting.pop()
            for name, node in names.get(folder, {}).items():
                entry = self._entries[node]
                if stat.S_ISDIR(entry.mode):
                    waiting.append((os.path.join(place, name), node))
                elif stat.S_ISREG(entry.mode) and node != written:
                    entry = entry._replace(content=self._kept.get(node, b""))
                image[os.path.join(place, name)] = entry
        return image
