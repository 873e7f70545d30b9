"""Examines every entry on the path to a file with `core.permissions`: whether root may trust it.

Group write permission counts unless the group's only members are root and this process's own user; groups such as `staff`, for
which Debian makes folders group-writable, have no members. NFSv4 ACLs are not read: Linux shows them as mode bits.
"""

from __future__ import annotations

import functools
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from core.errors import UntrustedPath
from core.paths import Paths
from core.permissions import ACL_ATTRIBUTE, Accounts, Entry, Weakness, is_readable, weakness
from core.search_path import find_program, search_path

_INTERPRETERS = r"(?:ba|da|a|k|z)?sh|busybox|(?:python|perl|ruby|php|lua|node)[0-9.]*|env"
"""Interpreters: programs that execute the file in their arguments."""
_MOST_LINKS = 40
_FIRST_LINE = 256


def obeyed(paths: Paths) -> Iterator[Path]:
    """Yield the files that name commands: the configuration, the settings of certificates, and deployments in progress.

    Files in a folder that clearly no other account can change are left out, because there may be thousands.
    """
    yield paths.config
    trusted = (0, os.geteuid())
    for folder in (paths.certificates, paths.transactions):
        yield folder
        with suppress(OSError), os.scandir(folder) as entries:
            for each in entries:
                found = each.stat(follow_symlinks=False)
                if found.st_uid not in trusted or found.st_mode & 0o022 or not stat.S_ISREG(found.st_mode):
                    yield Path(each.path)


def command_files(argv: Sequence[str], variables: Mapping[str, str]) -> Iterator[Path]:
    """Yield the files that a command executes: the program, its interpreter, and the script in an interpreter's arguments.

    A program that cannot be found yields nothing. The interpreter that runs certdeck itself is trusted already.
    """
    path = search_path(variables)
    program = find_program(argv[0], path) if argv and argv[0] else None
    if program is None or not os.path.isfile(program):
        return
    if not os.path.samefile(program, sys.executable):
        yield Path(program)
    interpreter = _interpreter(program, path)
    if interpreter:
        yield Path(interpreter)
    if re.fullmatch(_INTERPRETERS, os.path.basename(program)):
        script = next((each for each in argv[1:] if not each.startswith("-")), "")
        if script.startswith("/") and os.path.isfile(script):
            yield Path(script)


def weaknesses(files: Iterable[Path]) -> tuple[Weakness, ...]:
    """Return what lets another account change or replace one of these files. Each entry on the paths is examined once."""
    accounts = _accounts()
    seen: set[str] = set()
    found = []
    for file in files:
        for entry in _way(file, seen):
            weak = weakness(entry, accounts)
            if weak is not None:
                found.append(weak)
    return tuple(found)


def is_readable_by_others(file: Path) -> bool:
    """Return whether an account other than root and this process's own user can read a file; False if it does not exist."""
    way = list(_way(file, set()))
    return bool(way) and stat.S_ISREG(way[-1].mode) and is_readable(way, _accounts())


def refuse_untrusted(files: Iterable[Path], what: str) -> None:
    """Raise UntrustedPath (`untrusted-path`) if another account can change one of `files`. `what`: what is not done then."""
    found = weaknesses(files)
    if not found:
        return
    commands = [command for each in found for command in each.fix]
    raise UntrustedPath(
        what,
        f"{found[0].path}: {found[0].why}, so another account could give commands to root.",
        f"Check its content, then run: {' && '.join(dict.fromkeys(commands))}",
        details={"paths": [each.path for each in found]},
    )


def _way(file: Path, seen: set[str]) -> Iterator[Entry]:
    """Yield every existing entry from / to the file, including links and their targets."""
    waiting = [part for part in os.path.abspath(file).split("/") if part]
    current, links = "/", 0
    if "/" not in seen:
        seen.add("/")
        yield _entry("/", os.lstat("/"))
    while waiting:
        part = waiting.pop(0)
        if part in (".", ".."):
            current = os.path.dirname(current) if part == ".." else current
            continue
        path = os.path.join(current, part)
        try:
            found = os.lstat(path)
        except OSError:
            return
        if path not in seen:
            seen.add(path)
            yield _entry(path, found)
        if stat.S_ISLNK(found.st_mode):
            links += 1
            if links > _MOST_LINKS:
                return
            target = os.readlink(path)
            waiting = [part for part in target.split("/") if part] + waiting
            current = "/" if target.startswith("/") else current
        else:
            current = path


def _entry(path: str, found: os.stat_result) -> Entry:
    acl = b""
    if found.st_mode & stat.S_IRWXG and not stat.S_ISLNK(found.st_mode):  # without these bits, an ACL grants nothing
        with suppress(OSError):  # there is none, or the file system does not support it
            acl = os.getxattr(path, ACL_ATTRIBUTE, follow_symlinks=False)
    return Entry(path=path, mode=found.st_mode, uid=found.st_uid, gid=found.st_gid, acl=acl)


def _accounts() -> Accounts:
    uids = frozenset({0, os.geteuid(), *_outside()})
    return Accounts(uids=uids, is_shared=lambda gid: _is_shared(gid, uids))


@functools.lru_cache(maxsize=64)
def _is_shared(gid: int, trusted: frozenset[int]) -> bool:
    import grp
    import pwd

    try:
        names = set(grp.getgrgid(gid).gr_mem)
    except (KeyError, OSError):
        return True
    names |= {each.pw_name for each in pwd.getpwall() if each.pw_gid == gid}
    return any(_uid(name) not in trusted for name in names)


def _uid(name: str) -> int | None:
    import pwd

    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return 0  # there is no such account, so it cannot act as a member


@functools.lru_cache(maxsize=1)
def _outside() -> frozenset[int]:
    """Return the uid that represents owners outside this user namespace; empty if it is a real account inside it."""
    try:
        overflow = int(Path("/proc/sys/kernel/overflowuid").read_text("ascii"))
        ranges = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text("ascii").splitlines()]
    except (OSError, ValueError):
        return frozenset()
    is_inside = any(first <= overflow < first + count for first, _, count in ranges)
    return frozenset() if is_inside else frozenset({overflow})


def _interpreter(program: str, path: str) -> str:
    """Return the interpreter in a script's first line; for `env`, the program that it finds. Empty if there is none."""
    try:
        handle = os.open(program, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            line = os.read(handle, _FIRST_LINE).partition(b"\n")[0]
        finally:
            os.close(handle)
    except OSError:
        return ""
    if not line.startswith(b"#!"):
        return ""
    words = os.fsdecode(line[2:]).split()
    if words and os.path.basename(words[0]) == "env":
        name = next((word for word in words[1:] if not word.startswith("-") and "=" not in word), "")
        return (name and find_program(name, path)) or words[0]
    return words[0] if words else ""
