"""core.permissions and core.trusted_paths: who else can change what root obeys."""

from __future__ import annotations

import os
import stat
import struct
import sys
from pathlib import Path

import pytest

from core.paths import Paths
from core.permissions import ACL_ATTRIBUTE, Accounts, Entry, is_readable, weakness
from core.trusted_paths import command_files, is_readable_by_others, obeyed, weaknesses

SHARED, PRIVATE, STRANGER = 50, 60, 1000
ACCOUNTS = Accounts(uids=frozenset({0, 7}), is_shared=lambda gid: gid == SHARED)
FILE, FOLDER, LINK = stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs to give files to another account")


def acl(*entries: tuple[int, int, int]) -> bytes:
    """Return a POSIX ACL as Linux stores it: tag, permissions, id."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *each) for each in entries)


WRITES = acl(
    (0x01, 6, 0xFFFFFFFF), (0x02, 6, STRANGER), (0x04, 4, 0xFFFFFFFF), (0x10, 6, 0xFFFFFFFF), (0x20, 4, 0xFFFFFFFF)
)
MASKED = acl(
    (0x01, 6, 0xFFFFFFFF), (0x02, 6, STRANGER), (0x04, 4, 0xFFFFFFFF), (0x10, 4, 0xFFFFFFFF), (0x20, 4, 0xFFFFFFFF)
)
OURS = acl((0x01, 6, 0xFFFFFFFF), (0x02, 6, 7), (0x04, 4, 0xFFFFFFFF), (0x10, 6, 0xFFFFFFFF), (0x20, 4, 0xFFFFFFFF))
GROUP = acl(
    (0x01, 6, 0xFFFFFFFF), (0x04, 4, 0xFFFFFFFF), (0x08, 6, SHARED), (0x10, 6, 0xFFFFFFFF), (0x20, 4, 0xFFFFFFFF)
)


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "attribute", "fix"),
    [
        (FILE | 0o644, 0, 0, b"", None),
        (FILE | 0o600, 7, 0, b"", None),
        (FILE | 0o600, STRANGER, 0, b"", ("chown root '/a b'",)),
        (FILE | 0o666, STRANGER, 0, b"", ("chown root '/a b'", "chmod go-w '/a b'")),
        (FILE | 0o646, 0, 0, b"", ("chmod go-w '/a b'",)),
        (FILE | 0o664, 0, SHARED, b"", ("chmod go-w '/a b'",)),
        (FILE | 0o664, 0, PRIVATE, b"", None),
        (FOLDER | 0o777, 0, 0, b"", ("chmod go-w '/a b'",)),
        (FOLDER | 0o1777, 0, 0, b"", None),
        (FOLDER | 0o1777, STRANGER, 0, b"", ("chown root '/a b'",)),
        (FILE | 0o1666, 0, 0, b"", ("chmod go-w '/a b'",)),
        (FOLDER | 0o2775, 0, SHARED, b"", ("chmod go-w '/a b'",)),
        (LINK | 0o777, 0, 0, b"", None),
        (LINK | 0o777, STRANGER, 0, b"", ("chown -h root '/a b'",)),
        (FILE | 0o664, 0, SHARED, WRITES, ("setfacl -b '/a b'",)),
        (FILE | 0o644, 0, SHARED, MASKED, None),
        (FILE | 0o664, 0, SHARED, OURS, None),
        (FILE | 0o664, 0, PRIVATE, GROUP, ("setfacl -b '/a b'",)),
        (FILE | 0o664, 0, SHARED, b"\x03\0\0\0damaged", ("chmod go-w '/a b'",)),
    ],
)
def test_who_can_write(mode: int, uid: int, gid: int, attribute: bytes, fix: tuple[str, ...] | None) -> None:
    """Owner, group, everybody, the sticky bit and an ACL decide; what is found comes with the commands that end it."""
    found = weakness(Entry(path="/a b", mode=mode, uid=uid, gid=gid, acl=attribute), ACCOUNTS)
    assert (None if found is None else found.fix) == fix


@pytest.mark.parametrize(
    ("folder", "file", "gid", "readable"),
    [
        (0o755, 0o600, SHARED, False),
        (0o755, 0o644, SHARED, True),
        (0o700, 0o644, SHARED, False),
        (0o750, 0o640, SHARED, True),
        (0o750, 0o640, PRIVATE, False),
        (0o711, 0o604, PRIVATE, True),
    ],
)
def test_who_can_read(folder: int, file: int, gid: int, readable: bool) -> None:
    """A secret is readable where its own bits and every folder above let another account through."""
    way = [
        Entry(path="/", mode=FOLDER | 0o755, uid=0, gid=0),
        Entry(path="/etc", mode=FOLDER | folder, uid=0, gid=gid),
        Entry(path="/etc/key", mode=FILE | file, uid=0, gid=gid),
    ]
    assert is_readable(way, ACCOUNTS) is readable


def found_in(*files: Path) -> list[str]:
    return [each.path for each in weaknesses(files)]


def test_every_folder_and_link_on_the_way_counts(tmp_path: Path) -> None:
    """A folder that everybody can write is found above the file, and behind a link; below /tmp nothing else is."""
    real, opened = tmp_path / "real", tmp_path / "opened"
    real.mkdir()
    opened.mkdir()
    (real / "file").write_text("x")
    (tmp_path / "link").symlink_to(opened / "on")
    (opened / "on").symlink_to("../real")
    assert found_in(tmp_path / "link" / "file", real / "file", real / "missing") == []
    opened.chmod(0o777)
    assert found_in(real / "file") == []
    assert found_in(tmp_path / "link" / "file") == [str(opened)]
    (tmp_path / "circle").symlink_to("circle")
    assert found_in(tmp_path / "circle") == []


@as_root
def test_another_owner_counts(tmp_path: Path) -> None:
    """A file, a link or a folder of another account is found, whatever its mode."""
    for name in ("file", "folder"):
        (tmp_path / name).mkdir() if name == "folder" else (tmp_path / name).touch(0o400)
        os.chown(tmp_path / name, STRANGER, 0)
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.chown(tmp_path / "link", STRANGER, 0, follow_symlinks=False)
    for name in ("file", "folder", "link"):
        assert found_in(tmp_path / name) == [str(tmp_path / name)]


def test_a_real_acl_counts(tmp_path: Path) -> None:
    """An ACL that lets another account write is read from the file system."""
    path = tmp_path / "file"
    path.touch(0o644)
    try:
        os.setxattr(path, ACL_ATTRIBUTE, WRITES)
    except OSError:
        pytest.skip("this file system has no ACLs")
    assert [each.fix for each in weaknesses([path])] == [(f"setfacl -b {path}",)]


def test_a_command_obeys_program_interpreter_and_script(tmp_path: Path) -> None:
    """The program is found on PATH; a script's interpreter and a script that is named after an interpreter count, too."""
    script = tmp_path / "reload"
    script.write_text("#!/usr/bin/env sh\n")
    script.chmod(0o755)
    variables = {"PATH": f"relative:{tmp_path}:/usr/bin:/bin"}

    def names(*argv: str) -> list[str]:
        return [path.name for path in command_files(argv, variables)]

    assert names("reload") == ["reload", "sh"]
    assert names("sh", "-x", str(script), "/etc/passwd") == ["sh", "reload"]
    assert names("cp", str(script), "/x") == ["cp"]
    assert names("sh", "-c", "exit 0") == ["sh"]
    assert names(sys.executable, str(script)) == ["reload"]
    assert names("no-such-program") == names("") == names() == []


def test_of_many_certificates_the_odd_ones_are_looked_at(tmp_path: Path) -> None:
    """The files in a folder that only root can change are passed over; the others are looked at."""
    paths = Paths(tmp_path / "etc", tmp_path / "state", tmp_path / "run", tmp_path / "log")
    paths.certificates.mkdir(parents=True)
    for name, mode in (("a.toml", 0o600), ("b.toml", 0o644), ("c.toml", 0o666)):
        (paths.certificates / name).touch()
        (paths.certificates / name).chmod(mode)
    (paths.certificates / "d.toml").symlink_to("a.toml")
    assert {path.name for path in obeyed(paths)} == {
        "certdeck.toml",
        "certificates.d",
        "transactions",
        "c.toml",
        "d.toml",
    }


def test_a_secret_for_everybody_is_readable(tmp_path: Path) -> None:
    """A file of mode 0644 below folders that anybody may pass is readable; one that is not there is not."""
    tmp_path.chmod(0o755)
    key = tmp_path / "key"
    assert not is_readable_by_others(key)
    key.touch(0o600)
    assert not is_readable_by_others(key)
    key.chmod(0o644)
    above = all(folder.stat().st_mode & 0o001 for folder in key.parents)
    assert is_readable_by_others(key) is above
