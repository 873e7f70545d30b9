"""core.store.atomic: whole or not at all, private from the first byte, and errors that say what to do."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import StoreError, StoreFull, StoreNotWritable
from core.store.atomic import (
    TemporaryFile,
    make_dir,
    remove_file,
    remove_tree,
    replace_symlink,
    store_error,
    sweep,
    write_file,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0, 0o077, 0o377])
def test_modes_do_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    """Files are 0600 and folders 0700 unless said otherwise, under any umask."""
    before = os.umask(umask)
    try:
        make_dir(tmp_path / "a/b")
        write_file(tmp_path / "a/b/private", b"x")
        write_file(tmp_path / "a/b/public", b"x", 0o644)
    finally:
        os.umask(before)
    assert [mode(tmp_path / path) for path in ("a", "a/b", "a/b/private", "a/b/public")] == [0o700, 0o700, 0o600, 0o644]


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    """A folder that an administrator has opened to a group stays open to it."""
    tmp_path.chmod(0o750)
    make_dir(tmp_path)
    assert mode(tmp_path) == 0o750


def test_a_file_is_never_open_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The temporary file is 0600 when it is opened, before anything is in it, even if the result is 0644."""
    seen = []
    real = os.fchmod

    def watching(handle: int, wanted: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(handle).st_mode))
        assert os.fstat(handle).st_size == 0
        real(handle, wanted)

    monkeypatch.setattr(os, "fchmod", watching)
    write_file(tmp_path / "f", b"x", 0o644)
    assert seen == [0o600]


def test_a_link_is_replaced_in_one_step(tmp_path: Path) -> None:
    """A link points to the new target, whether it was there or not, and nothing else is left."""
    link = tmp_path / "link"
    for target in ("one", "two"):
        replace_symlink(link, target)
        assert link.readlink() == Path(target)
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


def test_removing_follows_no_link(tmp_path: Path) -> None:
    """A link inside a removed folder goes; what it leads to stays."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").write_text("x")
    (tmp_path / "gone/inner").mkdir(parents=True)
    (tmp_path / "gone/link").symlink_to(tmp_path / "kept")
    remove_tree(tmp_path / "gone")
    remove_tree(tmp_path / "gone")
    remove_file(tmp_path / "nothing")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept/file").exists()


def test_sweeping_takes_what_the_dead_left_and_nothing_else(tmp_path: Path) -> None:
    """Temporary files and folders are cleared; in a shared folder those of living processes stay, and real files always do."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead = tmp_path / f".tmp-{child.pid}-1"
    dead.mkdir()
    (dead / "privkey.pem").write_text("x")
    (tmp_path / f".tmp-{child.pid}-2").symlink_to("nowhere")
    (tmp_path / f".tmp-{os.getpid()}-999999").write_text("left by one whose number is ours now")
    living = tmp_path / f".tmp-{os.getppid()}-1"
    living.write_text("x")
    (tmp_path / "real").write_text("x")
    with TemporaryFile(tmp_path / "index"):
        mine = next(each for each in tmp_path.glob(".tmp-*") if each.is_file() and not each.read_bytes())
        assert sweep(tmp_path, is_shared=True) == 3
        assert {path.name for path in tmp_path.iterdir()} == {mine.name, living.name, "real"}
    assert sweep(tmp_path) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"real"}
    assert sweep(tmp_path / "nothing") == 0


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, StoreFull),
        (errno.EDQUOT, StoreFull),
        (errno.EACCES, StoreNotWritable),
        (errno.EPERM, StoreNotWritable),
        (errno.EROFS, StoreNotWritable),
        (errno.EIO, StoreError),
    ],
)
def test_errors_name_the_path_and_the_way_out(code: int, kind: type[StoreError]) -> None:
    """What the system says becomes an error of the store with the path and something to do."""
    error = store_error(OSError(code, os.strerror(code)), Path("/var/lib/certdeck/x"))
    assert type(error) is kind
    assert error.what == "/var/lib/certdeck/x could not be written."
    assert error.why.endswith(".")
    assert error.fix.endswith(".")


def test_a_file_in_the_way_of_a_folder_is_said(tmp_path: Path) -> None:
    """Where a folder should be and a file is, the error is ours and the file stays."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError):
        make_dir(tmp_path / "file/below")
    with pytest.raises(StoreError):
        write_file(tmp_path / "file/below", b"x")
    assert (tmp_path / "file").read_text() == "x"
