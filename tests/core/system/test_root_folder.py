"""Whose files a process sees: told from its root, its mount namespace and its parents."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.system.root_folder import is_contained, is_private

HOST, OTHER = "mnt:[1]", "mnt:[2]"


class Proc:
    """A /proc with processes whose root folders are folders of the test."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "proc"
        self.host = folder
        self.add("self", root=self.host, namespace=HOST)

    def add(self, pid: int | str, *, root: Path, namespace: str, exe: str = "/usr/sbin/x", parent: int = 0) -> None:
        process = self.path / str(pid)
        (process / "ns").mkdir(parents=True)
        (process / "ns" / "mnt").symlink_to(namespace)
        (process / "root").symlink_to(root)
        (process / "exe").symlink_to(exe)
        (process / "stat").write_text(f"{pid} (a b) S {parent} 1 1")


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    (tmp_path / "jail").mkdir()
    return Proc(tmp_path)


def test_a_service_that_locks_itself_in_is_not_contained(proc: Proc) -> None:
    """haproxy's workers have an empty folder as their root, and their configuration is that of the box."""
    proc.add(5, root=proc.host / "jail", namespace=HOST)
    assert (is_contained(proc.path, 5), is_private(proc.path, 5)) == (False, False)


def test_what_was_started_in_another_root_is_contained(proc: Proc) -> None:
    """A program that chroot(8) has started comes from that folder, and so do its files."""
    proc.add(5, root=proc.host / "jail", namespace=HOST, exe=str(proc.host / "jail" / "usr" / "sbin" / "x"))
    assert is_contained(proc.path, 5)


def test_a_unit_with_its_own_tmp_sees_the_files_of_the_box(proc: Proc) -> None:
    """PrivateTmp makes a mount namespace with the same root."""
    proc.add(5, root=proc.host, namespace=OTHER)
    assert (is_contained(proc.path, 5), is_private(proc.path, 5)) == (False, True)


def test_what_is_hidden_counts_as_not_contained(proc: Proc) -> None:
    """A process of another user, whose links cannot be read, is not called contained."""
    (proc.path / "5").mkdir()
    assert (is_contained(proc.path, 5), is_private(proc.path, 5)) == (False, False)
