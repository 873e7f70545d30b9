"""The token by which one thread, or a signal handler, stops another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import Cancelled
from core.ports import CancelToken
from tests.support.sources import ROOT


@pytest.fixture
def token() -> Iterator[CancelToken]:
    """A token that SIGUSR1 cancels."""
    token = CancelToken()
    before = signal.signal(signal.SIGUSR1, lambda number, frame: token.cancel())
    yield token
    signal.signal(signal.SIGUSR1, before)


def test_it_wakes_every_thread_that_waits() -> None:
    """All waits end at once, and later ones do not begin."""
    token = CancelToken()
    with ThreadPoolExecutor(4) as pool:
        waits = [pool.submit(token.wait, 60.0) for _ in range(4)]
        token.wait(0.05)
        token.cancel()
        token.cancel()
        for each in waits:
            with pytest.raises(Cancelled):
                each.result(timeout=10)
    with pytest.raises(Cancelled):
        token.wait(60.0)


def test_a_signal_ends_a_wait(token: CancelToken) -> None:
    """A handler in the waiting thread itself ends its wait."""
    began = time.monotonic()
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
    with pytest.raises(Cancelled):
        token.wait(60.0)
    assert time.monotonic() - began < 30


def test_a_handler_may_interrupt_any_instruction_of_it() -> None:
    """A handler that cancels within a method of the same token, wherever that is, never waits for it."""
    places = 0

    def interrupt(frame: object, event: str, argument: object) -> object:
        nonlocal places
        frame.f_trace_opcodes = True  # type: ignore[attr-defined]  # a frame, as sys.settrace gives it
        if event == "opcode":
            places += 1
            if places == wanted:
                token.cancel()
        return interrupt

    wanted = 0
    while places >= wanted:
        wanted, places = wanted + 1, 0
        token = CancelToken()
        before = sys.gettrace()
        sys.settrace(interrupt)
        try:
            token.wait(0.0)
        except Cancelled:
            pass
        finally:
            sys.settrace(before)
    assert wanted > 10


LATE = """
import os, signal, sys, threading, time
from core.ports import CancelToken

def handler(number, frame):
    while time.monotonic() < ends:
        pass

signal.signal(signal.SIGUSR1, handler)
ends = time.monotonic() + 1.0
threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
CancelToken().wait(0.3)
for _ in range(2000):
    CancelToken().wait(1e-6)
"""


def test_a_wait_whose_end_passes_in_a_signal_handler_ends() -> None:
    """A wait ends although its time is over when a signal handler returns, or before it has begun."""
    subprocess.run([sys.executable, "-c", LATE], cwd=ROOT, check=True, timeout=60)
