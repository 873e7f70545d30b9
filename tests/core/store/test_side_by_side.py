"""Flushes that are waited for together."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from core.errors import StoreError
from core.store.atomic import write_folder

FILES = {"one": b"1", "two": b"2", "three": b"3"}


@pytest.mark.parametrize("inside", ["", "1"])
def test_the_files_of_a_folder_are_flushed_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    """Its files and the folders of them wait for the disk at the same time: it writes them in one go."""
    together = threading.Barrier(len(FILES) + 1 + len(inside), timeout=60)
    real = os.fsync

    def fsync(handle: int) -> None:
        if not os.path.samefile(f"/proc/self/fd/{handle}", tmp_path):
            together.wait()
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    write_folder(tmp_path / "made", FILES, inside=inside)
    assert {path.name: path.read_bytes() for path in (tmp_path / "made" / inside).iterdir()} == FILES


def test_a_flush_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one of several flushes fails, the folder does not get its name."""
    real = os.fsync

    def fsync(handle: int) -> None:
        if os.readlink(f"/proc/self/fd/{handle}").endswith("two"):
            raise OSError(5, "Input/output error")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StoreError, match="Input/output error"):
        write_folder(tmp_path / "made", FILES)
    assert list(tmp_path.iterdir()) == []
