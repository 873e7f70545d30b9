"""The signals of job control are handled between two steps of the console, never in the middle of one."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from tui.suspension import Suspension


class Driver:
    """A driver like Textual's: it writes to a queue whose lock is not reentrant."""

    def __init__(self) -> None:
        self.queue = threading.Lock()
        self.did: list[str] = []
        signal.signal(signal.SIGTSTP, self.stop)
        signal.signal(signal.SIGCONT, self.resume)

    def _write(self, what: str) -> None:
        assert self.queue.acquire(timeout=0), f"{what} would wait forever for a write that it has interrupted"
        self.queue.release()
        self.did.append(what)

    def stop(self, number: int, frame: FrameType | None) -> None:
        self._write("stop")

    def resume(self, number: int, frame: FrameType | None) -> None:
        self._write("resume")

    def suspend_application_mode(self) -> None:
        self._write("suspend")


@pytest.fixture
def driver() -> Iterator[Driver]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT)}
    yield Driver()
    for number, handler in before.items():
        signal.signal(number, handler)


def _signal_in_a_write(driver: Driver, number: signal.Signals) -> None:
    with driver.queue:
        os.kill(os.getpid(), number)
        for _ in range(1000):
            pass  # Python runs signal handlers between two instructions


@pytest.mark.parametrize(
    ("number", "does"), [(signal.SIGTSTP, ["stop"]), (signal.SIGCONT, ["suspend", "forget", "resume"])]
)
def test_a_signal_in_the_middle_of_a_write_waits(driver: Driver, number: signal.Signals, does: list[str]) -> None:
    """A signal that interrupts a write to the terminal is handled after it."""

    async def run() -> None:
        Suspension(driver, lambda: driver.did.append("forget"))  # type: ignore[arg-type]  # all that it needs of a driver
        _signal_in_a_write(driver, number)
        assert driver.did == []
        while len(driver.did) < len(does):
            await asyncio.sleep(0)

    asyncio.run(run())
    assert driver.did == does


def test_a_lost_connection_is_no_continuation(driver: Driver) -> None:
    """After the end, as after SIGHUP, SIGCONT no longer touches the terminal, even if both came together."""

    async def run() -> None:
        suspension = Suspension(driver, lambda: driver.did.append("forget"))  # type: ignore[arg-type]  # as above
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, suspension.end)
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGCONT)
        await asyncio.sleep(0.05)

    asyncio.run(run())
    assert driver.did == []
