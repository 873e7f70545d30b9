"""Files that people name: read once, within bounds, never waited for without end."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from core.errors import UsageError
from core.input_file import SECRET_BYTES, read_input, read_secret_file


def pipe_with(content: bytes, *, close: bool = True) -> tuple[int, int]:
    """Return both ends of a pipe in which something is waiting, as a shell makes it for `<(command)`."""
    reader, writer = os.pipe()
    os.write(writer, content)
    if close:
        os.close(writer)
        writer = -1
    return reader, writer


def test_a_pipe_of_the_shell_is_read_to_its_end() -> None:
    """`<(command)` is read although its writer comes late."""
    reader, writer = pipe_with(b"hun", close=False)

    def write_late() -> None:
        os.write(writer, b"ter2")
        os.close(writer)

    late = threading.Timer(0.1, write_late)
    late.start()
    try:
        assert read_secret_file(Path(f"/dev/fd/{reader}")) == b"hunter2"
    finally:
        late.join()
        os.close(reader)


def test_a_pipe_that_never_ends_is_given_up() -> None:
    """A pipe whose writer keeps silent is given up after its time, with a reason."""
    reader, writer = pipe_with(b"x", close=False)
    began = time.monotonic()
    try:
        with pytest.raises(UsageError, match="too long"):
            read_secret_file(Path(f"/dev/fd/{reader}"), pipe_seconds=0.3)
    finally:
        os.close(reader)
        os.close(writer)
    assert time.monotonic() - began < 30


def test_a_pipe_without_end_is_bounded() -> None:
    """What writes without end is read to the limit and one byte more."""
    reader, _ = pipe_with(b"x" * 5000)
    try:
        assert len(read_input(Path(f"/dev/fd/{reader}"), limit=100)) == 101
    finally:
        os.close(reader)


def test_special_files_are_refused_at_once(tmp_path: Path) -> None:
    """A named pipe, a device, a socket and a directory are refused without being waited for."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    began = time.monotonic()
    for path, why in (
        (tmp_path / "pipe", "neither a regular file"),
        (tmp_path / "link", "neither a regular file"),
        (Path("/dev/zero"), "neither a regular file"),
        (tmp_path, "directory"),
        (tmp_path / "none", "no such file"),
        (Path("a\0b"), "not a valid file name"),
    ):
        with pytest.raises(UsageError) as caught:
            read_secret_file(path)
        assert why in caught.value.why
    assert time.monotonic() - began < 30


@pytest.mark.skipif(not os.access("/proc/kmsg", os.R_OK), reason="needs root and a kernel log")
def test_a_file_that_waits_like_a_pipe_is_given_up() -> None:
    """/proc/kmsg calls itself a regular file and gives nothing until the kernel speaks: two seconds, not two minutes."""
    began = time.monotonic()
    with suppress(OSError):
        read_input(Path("/proc/kmsg"), limit=10_000_000)
    assert time.monotonic() - began < 60


def test_a_secret_is_not_too_long(tmp_path: Path) -> None:
    """A file larger than any secret is refused; the empty file and /dev/null are read."""
    path = tmp_path / "secret"
    path.write_bytes(b"x" * (SECRET_BYTES + 1))
    with pytest.raises(UsageError, match="too large"):
        read_secret_file(path)
    path.write_bytes(b"")
    assert read_secret_file(path) == read_secret_file(Path("/dev/null")) == b""
