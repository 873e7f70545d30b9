"""The content of a backup: records one after another, each a length (4 bytes), a JSON object, and for a file its bytes.

First the manifest, then folders, files and the links of `live` in the order of their paths, last the end with their number. The
order makes reading simple and safe in bounded memory: a path comes after its folder and never twice. A path that would lead out
of the two folders, a link anywhere but in `live`, and sizes that no backup has are refused, even in a file with a valid seal.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE, S_ISDIR, S_ISLNK, S_ISREG

from msgspec import Struct

from core.errors import StoreError
from core.paths import Paths
from core.store.atomic import TEMPORARY, storing
from core.store.home import is_left_out, roots, stays
from core.store.sealed_stream import Opener, Sealer, invalid

PIECE = 64 * 1024
_LONGEST_RECORD = 64 * 1024
_LONGEST_MANIFEST = 32 * 1024 * 1024
_LARGEST_FILE = 64 * 1024 * 1024
_LARGEST_ALL = 4 * 1024 * 1024 * 1024
_MOST_MEMBERS = 2_000_000
_DEEPEST = 12
_MODES = 0o775
"""Never setuid or sticky, never writable by all."""
_LIVE = re.compile(r"\.\./lineages/(?P<name>[^/]+)/[1-9][0-9]{0,8}")


class Member(Struct, frozen=True, kw_only=True):
    """One entry of the folders."""

    path: str
    """`etc/certdeck.toml`; `etc` and `state` are the folders themselves."""
    kind: str
    """`dir`, `file`, `link`."""
    mode: int = 0o700
    size: int = 0
    target: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.path.split("/"))


class Packed(Struct, frozen=True, kw_only=True):
    """What went into a backup."""

    files: int
    bytes: int
    skipped: tuple[str, ...]
    """Paths of what is neither file nor folder, nor a link of ours."""


# -- writing -----------------------------------------------------------------------------------------------------------


def pack(sealer: Sealer, paths: Paths, manifest: bytes) -> Packed:
    """Write manifest and folders. Wants the writers' lock. Raises StoreError."""
    _put(sealer, manifest)
    count = files = total = 0
    skipped: list[str] = []
    for name, root in roots(paths):
        if not root.is_dir():
            continue
        for path, member in _walk(paths, root, name, skipped):
            _put(sealer, json.dumps(_record(member)).encode())
            count += 1
            if member.kind == "file":
                _copy(sealer, path, member.size)
                files, total = files + 1, total + member.size
    _put(sealer, json.dumps({"kind": "end", "members": count}).encode())
    sealer.close()
    return Packed(files=files, bytes=total, skipped=tuple(skipped))


def _walk(paths: Paths, folder: Path, name: str, skipped: list[str]) -> Iterator[tuple[Path, Member]]:
    with storing(folder, "read"):
        yield folder, Member(path=name, kind="dir", mode=S_IMODE(folder.stat().st_mode))
        names = sorted(os.listdir(folder))
    for inner in names:
        path, inside = folder / inner, f"{name}/{inner}"
        if inner.startswith(TEMPORARY) or ("/" not in name and is_left_out(paths, folder, inner)):
            continue
        with storing(path, "read"):
            found = path.lstat()
            if S_ISLNK(found.st_mode):
                target = os.readlink(path)
                if is_live_link(inside, target):
                    yield path, Member(path=inside, kind="link", target=target)
                    continue
                if not inside.startswith("etc/") or not path.is_file():
                    skipped.append(str(path))
                    continue
                found = path.stat()  # settings that are a link to a file elsewhere: its content counts
        if S_ISDIR(found.st_mode):
            yield from _walk(paths, path, inside, skipped)
        elif S_ISREG(found.st_mode) and found.st_size <= _LARGEST_FILE:
            yield path, Member(path=inside, kind="file", mode=S_IMODE(found.st_mode), size=found.st_size)
        else:
            skipped.append(str(path))


def _record(member: Member) -> dict[str, object]:
    record: dict[str, object] = {"kind": member.kind, "path": member.path}
    if member.kind == "link":
        return {**record, "target": member.target}
    record["mode"] = member.mode
    return {**record, "size": member.size} if member.kind == "file" else record


def _copy(sealer: Sealer, path: Path, size: int) -> None:
    with storing(path, "read"):
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:
            left = size
            while left and (piece := file.read(min(left, PIECE))):
                sealer.add(piece)
                left -= len(piece)
    if left:
        raise StoreError(f"{path} could not be read.", "It changed during the backup.", "Run the command again.")


def _put(sealer: Sealer, record: bytes) -> None:
    sealer.add(len(record).to_bytes(4, "big") + record)


# -- reading -----------------------------------------------------------------------------------------------------------


def read_manifest(opener: Opener) -> Mapping[str, object]:
    """Return the first record. Raises BackupInvalid."""
    return _take(opener, _LONGEST_MANIFEST)


def members(paths: Paths, opener: Opener) -> Iterator[tuple[Member, Iterator[bytes]]]:
    """Yield what follows the manifest, each with its content in pieces, to the end. Raises BackupInvalid, also at its end."""
    before: tuple[str, ...] = ()
    folders: list[tuple[str, ...]] = []
    count = total = 0
    while True:
        record = _take(opener, _LONGEST_RECORD)
        if record.get("kind") == "end":
            if record.get("members") != count:
                raise invalid("The number of files does not match its header.")
            opener.finish()
            return
        member = _member(paths, record)
        parts = member.parts
        while folders and folders[-1] != parts[:-1]:
            folders.pop()
        if parts <= before or (len(parts) > 1 and not folders):
            raise invalid("Its files are not in the expected order.")
        if member.kind == "dir":
            folders.append(parts)
        before, count, total = parts, count + 1, total + member.size
        if count > _MOST_MEMBERS or total > _LARGEST_ALL:
            raise invalid("It contains more data than any certdeck backup.")
        left = _Pieces(opener, member.size)
        yield member, left
        left.skip()


class _Pieces:
    """The content of one file."""

    def __init__(self, opener: Opener, size: int) -> None:
        self._opener = opener
        self._left = size

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._left:
            raise StopIteration
        count = min(self._left, PIECE)
        self._left -= count
        return self._opener.take(count)

    def skip(self) -> None:
        for _ in self:
            pass


def unpack(content: Iterator[tuple[Member, Iterator[bytes]]], places: Mapping[str, Path]) -> dict[str, int]:
    """Write everything below `places` (`etc` and `state` → an empty folder of ours); returns the modes of the two.

    Raises BackupInvalid, StoreError.
    """
    modes: dict[str, int] = {}
    for member, pieces in content:
        root, *rest = member.parts
        path = places[root].joinpath(*rest)
        with storing(path):
            if not rest:
                modes[root] = member.mode
            elif member.kind == "dir":
                path.mkdir(0o700)
                path.chmod(member.mode | 0o700)
            elif member.kind == "link":
                path.symlink_to(member.target)
            else:
                _write(path, member.mode, pieces)
    return modes


def _write(path: Path, mode: int, pieces: Iterator[bytes]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        for piece in pieces:
            view = memoryview(piece)
            while view:
                view = view[os.write(handle, view) :]
        os.fchmod(handle, mode)
    finally:
        os.close(handle)


def is_live_link(path: str, target: str) -> bool:
    """Tell whether a link is one that says which version is live."""
    found = _LIVE.fullmatch(target)
    return found is not None and path == f"state/live/{found['name']}"


def _member(paths: Paths, record: Mapping[str, object]) -> Member:
    path, kind, mode, size, target = (record.get(key) for key in ("path", "kind", "mode", "size", "target"))
    if not isinstance(path, str) or kind not in ("dir", "file", "link"):
        raise invalid("A record in it is damaged.")
    _check_path(paths, path)
    if kind == "link":
        if not isinstance(target, str) or not is_live_link(path, target):
            raise invalid("It contains a link that points outside.")
        return Member(path=path, kind="link", target=target)
    if type(mode) is not int or mode < 0 or (kind == "dir") != (size is None) or ("/" not in path and kind != "dir"):
        raise invalid("A record in it is damaged.")
    if kind == "dir":
        return Member(path=path, kind="dir", mode=mode & _MODES)
    if type(size) is not int or not 0 <= size <= _LARGEST_FILE:
        raise invalid("It contains a file that is larger than any certdeck file.")
    return Member(path=path, kind="file", mode=mode & _MODES, size=size)


def _check_path(paths: Paths, path: str) -> None:
    parts = path.split("/")
    folders: dict[str, Path] = dict(roots(paths))
    is_inside = parts[0] in folders and len(parts) <= _DEEPEST
    if not is_inside or any(part in ("", ".", "..") or "\0" in part or len(part) > 255 for part in parts):
        raise invalid("It contains a path outside certdeck's folders.")
    if len(parts) > 1 and (stays(paths, folders[parts[0]], parts[1]) or parts[-1].startswith(TEMPORARY)):
        raise invalid("It contains a file that does not belong in a backup.")


def _take(opener: Opener, longest: int) -> Mapping[str, object]:
    length = int.from_bytes(opener.take(4), "big")
    if length > longest:
        raise invalid("A record in it is too long.")
    try:
        record = json.loads(opener.take(length))
    except (ValueError, RecursionError) as exc:
        raise invalid("A record in it is damaged.") from exc
    if not isinstance(record, dict):
        raise invalid("A record in it is damaged.")
    return record


@contextmanager
def opened(path: Path) -> Iterator[Callable[[int], bytes]]:
    """Open a backup to be read in pieces, by the size of a piece. Raises StoreError."""
    with storing(path, "read"):
        file = path.open("rb")

    def read(count: int) -> bytes:
        with storing(path, "read"):
            return file.read(count)

    with file:
        yield read
