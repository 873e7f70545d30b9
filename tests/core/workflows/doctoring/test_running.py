from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from core.errors import Cancelled, UsageError
from core.operations import Finding
from core.ports import CancelToken
from core.workflows.doctoring.running import Check, NoAnswer, run
from tests.support.clock import FakeClock


def good(id: str) -> Finding:
    return Finding(id=id, status="pass", title=id, detail="good")


def silent(id: str) -> Check:
    def look() -> Iterator[Finding]:
        raise NoAnswer(Finding(id=id, status="fail", title=id, detail="no answer"))

    return Check(id, look, is_remote=True)


def answering(id: str, *, is_remote: bool = False) -> Check:
    return Check(id, lambda: [good(id)], is_remote=is_remote)


def ids(*checks: Check, limit: float = 40.0, clock: FakeClock | None = None) -> list[str]:
    return [each.id for each in run(checks, clock or FakeClock(), CancelToken(), limit_seconds=limit)]


def test_a_box_without_a_network_gets_one_finding() -> None:
    """When nobody whom a check asks can be reached, one finding says so, and what needs no network is still told."""
    assert ids(answering("disk"), silent("directory"), silent("dns"), silent("caa")) == ["disk", "network"]


def test_one_silent_server_is_told_for_itself() -> None:
    """As soon as anybody answers, each thing that does not is a finding of its own."""
    assert ids(silent("directory"), answering("dns", is_remote=True)) == ["directory", "dns"]


def test_one_remote_check_alone_keeps_its_own_words() -> None:
    """Where one thing alone was asked, its own finding says more than that there is no network."""
    assert ids(answering("disk"), silent("directory")) == ["disk", "directory"]


def test_a_check_that_hangs_is_left() -> None:
    """A check that does not end is reported after its time, and nobody waits for it."""
    clock, forever = FakeClock(), threading.Event()

    def hang() -> Iterator[Finding]:
        clock.advance(seconds=41)
        forever.wait()
        yield good("never")

    try:
        found = ids(Check("Slow", hang), clock=clock)
    finally:
        forever.set()
    assert found == ["check-too-slow"]


def test_an_error_of_a_check_is_a_finding() -> None:
    """What a check refuses becomes a finding with what, why and fix."""

    def refuse() -> Iterator[Finding]:
        raise UsageError("What.", "Why.", "Fix.")

    (found,) = run([Check("Title", refuse)], FakeClock(), CancelToken())
    assert (found.id, found.title, found.detail, found.why, found.fix) == ("usage", "Title", "What.", "Why.", "Fix.")


def test_a_mistake_of_ours_is_not_hidden() -> None:
    """An exception that is no error of certdeck's comes out as it is."""

    def break_() -> Iterator[Finding]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run([Check("Title", break_)], FakeClock(), CancelToken())


def test_it_can_be_stopped() -> None:
    """Whoever asks to stop waits for no check."""
    cancel, forever = CancelToken(), threading.Event()

    def hang() -> Iterator[Finding]:
        cancel.cancel()
        forever.wait()
        yield good("never")

    try:
        with pytest.raises(Cancelled):
            run([Check("Slow", hang)], FakeClock(), cancel)
    finally:
        forever.set()


def test_a_stop_waits_until_the_port_is_free_again() -> None:
    """Whoever stops the doctor may order at once: what a check holds is let go before the stop is told."""
    cancel, is_free = CancelToken(), threading.Event()

    def hold() -> Iterator[Finding]:
        cancel.cancel()
        threading.Event().wait(0.3)
        is_free.set()
        yield good("port")

    with pytest.raises(Cancelled):
        run([Check("Port", hold, is_holding=True)], FakeClock(), cancel)
    assert is_free.is_set()
