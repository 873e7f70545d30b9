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
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import TypeVar

from tests.support.killer import SYNCS
from tests.support.watching import Moment, watched

Seen = TypeVar("Seen")
Node = tuple[int, int]
"""A file, link or folder: its inode, and which of those that had this number."""
Names = dict[Node, dict[str, Node]]
Tree = tuple[tuple[str, int, bytes | str | None], ...]
"""Path, mode and content of everything: bytes of a file, text of a link, None of a folder."""


def power_cuts(root: Path, act: Callable[[], object], look: Callable[[], Seen]) -> Iterator[tuple[str, Seen]]:
    """Do `act` here, then yield once for each content of `root` that a power cut can leave.

    Args:
        look: returns how far things outside of the folder have come, such as what a CA has signed; yielded beside where the power
            went, at the latest moment with this content.
    """
    disk = _Disk(root)
    found: dict[Tree, tuple[str, Seen]] = {}
    lock = threading.RLock()

    def strike(name: str, path: str, moment: Moment) -> None:
        with lock:
            disk.look()
            if moment == "after" and name in SYNCS:
                disk.flushed(path)
            elif moment == "before":
                for which, tree in disk.after_cut():
                    found[tree] = (f"before {name} {path}: {which}", look())

    with watched(root, strike):
        act()
    disk.look()
    for which, tree in disk.after_cut():
        found[tree] = (f"at the end: {which}", look())
    for tree, told in found.items():
        _put(root, tree)
        yield told


class _Disk:
    """A folder as it is, and what of it was flushed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._numbers = count(1)
        self._known: dict[int, Node] = {}
        self._names: Names = {}
        self._content: dict[Node, tuple[int, bytes | str | None]] = {}
        self.look()
        self._kept_names: Names = {folder: dict(entries) for folder, entries in self._names.items()}
        self._kept = {node: content for node, (_, content) in self._content.items()}

    def look(self) -> None:
        """Read the folder again."""
        had, self._known, self._names = self._known, {}, {}
        self._top = self._node(os.lstat(self._root).st_ino, had)
        waiting = [(str(self._root), self._top)]
        while waiting:
            place, folder = waiting.pop()
            entries = self._names[folder] = {}
            for entry in sorted(os.listdir(place)):
                path = os.path.join(place, entry)
                status = os.lstat(path)
                node = entries[entry] = self._node(status.st_ino, had)
                content: bytes | str | None = None
                if os.path.islink(path):
                    content = os.readlink(path)
                elif os.path.isdir(path):
                    waiting.append((path, node))
                else:
                    content = Path(path).read_bytes()
                self._content[node] = (status.st_mode, content)

    def flushed(self, path: str) -> None:
        """Note that a file or folder was flushed."""
        if not os.path.lexists(path):
            return
        node = self._known[os.lstat(path).st_ino]
        if node in self._names:
            self._kept_names[node] = dict(self._names[node])
        else:
            self._kept[node] = self._content[node][1]

    def after_cut(self) -> Iterator[tuple[str, Tree]]:
        """Yield what may be there after a power cut, each with its name."""
        changes: dict[Node, list[tuple[Node, str, Node | None]]] = {}
        for folder in {**self._kept_names, **self._names}:
            before, now = self._kept_names.get(folder, {}), self._names.get(folder, {})
            for entry in sorted({**before, **now}):
                if before.get(entry) != now.get(entry):
                    node = now.get(entry) or before[entry]
                    changes.setdefault(node, []).append((folder, entry, now.get(entry)))
        yield "nothing else", self._tree({})
        yield "every name", self._tree(changes)
        for node, each in changes.items():
            entry = each[0][1]
            yield f"only the name {entry}", self._tree({node: each})
            others = {other: rest for other, rest in changes.items() if other != node}
            yield f"every name but {entry}", self._tree(others)
        for node in set(self._known.values()) - set(self._names):
            if self._content[node][1] != self._kept.get(node):
                only = {node: changes[node]} if node in changes else {}
                yield "one file and nothing else", self._tree(only, written=node)

    def _tree(self, changes: Mapping[Node, list[tuple[Node, str, Node | None]]], written: Node | None = None) -> Tree:
        names = {folder: dict(entries) for folder, entries in self._kept_names.items()}
        for each in changes.values():
            for folder, entry, node in each:
                there = names.setdefault(folder, {})
                if node is None:
                    there.pop(entry, None)
                else:
                    there[entry] = node
        found: list[tuple[str, int, bytes | str | None]] = []
        waiting = [("", self._top)]
        while waiting:
            place, folder = waiting.pop()
            for entry, node in names.get(folder, {}).items():
                path = os.path.join(place, entry)
                mode, content = self._content[node]
                if content is None:
                    waiting.append((path, node))
                elif isinstance(content, bytes) and node != written:
                    content = self._kept.get(node) or b""
                found.append((path, mode & 0o7777, content))
        return tuple(sorted(found))

    def _node(self, inode: int, had: Mapping[int, Node]) -> Node:
        """Return who has an inode number now: one that nobody had a moment ago is somebody new."""
        node = self._known.get(inode) or had.get(inode) or (inode, next(self._numbers))
        self._known[inode] = node
        return node


def _put(root: Path, tree: Tree) -> None:
    for path in root.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for name, mode, content in tree:
        path = root / name
        if content is None:
            path.mkdir()
        elif isinstance(content, str):
            path.symlink_to(content)
            continue
        else:
            path.write_bytes(content)
        path.chmod(mode)
