"""The plain view: which keys leave it, and that the others leave no trace."""

from __future__ import annotations

import os
import select
import termios
import threading

import pytest

from tui.screens.plain import wait_to_leave


@pytest.mark.parametrize("key", [b"\r", b"\x1b", b"q", b"\x03"], ids=["enter", "esc", "q", "ctrl-c"])
def test_leaves_and_prints_nothing(key: bytes) -> None:
    """Enter, Esc, q and Ctrl+C lead back; an arrow and letters before do not, nothing is echoed, and the terminal is as it was."""
    ours, its = os.openpty()
    try:
        before = termios.tcgetattr(its)
        waiting = threading.Thread(target=wait_to_leave, args=(its,), daemon=True)
        waiting.start()
        while termios.tcgetattr(its)[3] & termios.ECHO:
            threading.Event().wait(0.005)
        for other in (b"\x1b[A", b"x", b"c"):
            os.write(ours, other)
            waiting.join(0.02)
            assert waiting.is_alive()
        os.write(ours, key)
        waiting.join(5)
        assert not waiting.is_alive()
        assert not select.select([ours], [], [], 0)[0]
        assert termios.tcgetattr(its) == before
    finally:
        os.close(ours)
        os.close(its)
