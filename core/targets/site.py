"""The folders of a target, opened once and held open for a whole change, and what its paths showed at the beginning.

The folder of the pair is inside a folder that may belong to the service's account. That account must not be able to choose what is
restored from it. So the folder has to be owned by certdeck, and a file `.target` in it has the name of its target. A folder from
an earlier release has no such file, and gets it at the next deployment.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISDIR, S_ISLNK

from core.config.model import TargetConfig
from core.config.sharing import owner_of
from core.foreign.attributes import Attributes
from core.foreign.folder import Folder
from core.foreign.opened import Copy
from core.foreign.trust import open_to_all
from core.foreign.untrusted import UntrustedPath
from core.foreign.walk import open_folder
from core.targets.paths import MARK, folder_of, paths_of


class Site:
    """The open folders of one target. A context manager. Opening raises OSError; a missing folder is None."""

    def __init__(self, target: TargetConfig) -> None:
        self.target = target
        self.pair: Folder | None = None
        """The folder of the pair; None if there is none."""
        self.shown: dict[str, Copy] = {}
        """What each path showed at the survey, by the name of its file in a version folder."""
        self._folders: dict[Path, Folder | None] = {}
        try:
            for path, _ in paths_of(target):
                if path.parent not in self._folders:
                    self._folders[path.parent] = _opened(path.parent)
            self.find_pair()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Site:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all folders. May be called again."""
        for folder in (*self._folders.values(), self.pair):
            if folder is not None:
                folder.close()

    @property
    def home(self) -> Folder | None:
        """The folder that contains the folder of the pair."""
        return self._folders[folder_of(self.target).parent]

    def folder(self, path: Path) -> Folder | None:
        """Return the folder that contains a path of the target."""
        return self._folders[path.parent]

    def find_pair(self) -> Folder | None:
        """Open the folder of the pair if it exists. Raises UntrustedPath if it is not certdeck's own."""
        name = folder_of(self.target).name
        if self.pair is not None or self.home is None or not self.home.holds(name):
            return self.pair
        self.pair = self._own(self.home, name)
        return self.pair

    def make_pair(self) -> Folder:
        """Open the folder of the pair; create it, and its mark, if it does not exist. Raises OSError."""
        home, name = self.home, folder_of(self.target).name
        if home is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder_of(self.target).parent))
        pair = self.find_pair()
        if pair is None:
            pair = self.pair = home.make_folder(name)
            pair.open_like(home)
            home.sync()
        if _mark(pair) is None:
            pair.put_file(MARK, owner_of(self.target).encode(), Attributes(mode=0o644), f"{MARK}-new")
        return pair

    def remove_pair(self) -> None:
        """Remove the folder of the pair, which has to be empty except for the mark. Raises OSError."""
        if self.home is None or self.pair is None:
            return
        self.pair.clear(f"{MARK}-new")
        self.pair.clear(MARK)
        self.home.remove_folder(folder_of(self.target).name)
        self.home.sync()
        self.pair.close()
        self.pair = None

    def refuse_open_to_all(self) -> None:
        """Raise UntrustedPath if every account could replace the target's files with its own, and so get its key."""
        if os.geteuid() != 0:
            return  # anyone who can do that can attack a service of that user without certdeck, too
        for folder in self._folders.values():
            if folder is not None and (level := open_to_all(folder.way)) is not None:
                above = folder.path
                for _ in range(len(folder.way) - 1 - folder.way.index(level)):
                    above = above.parent
                raise UntrustedPath(
                    above,
                    "every account can write to this folder and replace what is in it",
                    f"Remove that permission: chmod o-w {above}",
                )

    def _own(self, home: Folder, name: str) -> Folder:
        path = home.path / name
        remove = f"Check what is in {path}, then remove it: the next deployment creates it again."
        with home.opened(name) as (_, status):
            if S_ISLNK(status.st_mode):
                raise UntrustedPath(path, "a symbolic link is in the place of certdeck's folder", remove)
            if not S_ISDIR(status.st_mode):
                raise UntrustedPath(path, "it is not a folder, but certdeck stores its files there", remove)
        pair = home.enter(name)
        mark = None
        if pair.level.is_ours:
            mark = _mark(pair)
            if mark in (None, owner_of(self.target)):
                return pair
        pair.close()
        whose = (
            "it is the folder of another target"
            if mark
            else f"it belongs to user {pair.level.uid}, or others can write to it"
        )
        raise UntrustedPath(path, f"{whose}, and certdeck stores keys only in its own folders", remove)


class Sites:
    """The sites of some targets, each opened on first use. A context manager."""

    def __init__(self) -> None:
        self._sites: dict[str, Site] = {}

    def of(self, target: TargetConfig) -> Site:
        """Return the site of a target. Raises OSError, on each call, if it cannot be opened."""
        site = self._sites.get(target.name)
        if site is None or site.target != target:
            site = Site(target)
            replaced = self._sites.pop(target.name, None)
            if replaced is not None:
                replaced.close()
            self._sites[target.name] = site
        return site

    def __enter__(self) -> Sites:
        return self

    def __exit__(self, *_: object) -> None:
        for site in self._sites.values():
            site.close()


@contextmanager
def held(sites: Sites | None) -> Iterator[Sites]:
    """Yield the given open sites, or new ones that are closed at the end."""
    if sites is not None:
        yield sites
        return
    with Sites() as opened:
        yield opened


def _mark(pair: Folder) -> str | None:
    """Return the name of the target that a folder is marked with. Raises OSError."""
    try:
        return pair.read(MARK).content.decode("utf-8", "replace")
    except FileNotFoundError:
        return None


def _opened(path: Path) -> Folder | None:
    try:
        return open_folder(path)
    except FileNotFoundError:
        return None
