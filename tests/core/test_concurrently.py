"""The same operation for many items in parallel."""

from __future__ import annotations

import threading

import pytest

from core.concurrently import map_concurrently


def test_results_come_in_order_and_no_more_run_than_allowed() -> None:
    """Every item is worked on once, four at a time, and the results stand in the order of the items."""
    four = threading.Barrier(4)
    running: set[int] = set()
    most: list[int] = []

    def work(number: int) -> int:
        running.add(number)
        most.append(len(running))
        four.wait(60)
        running.discard(number)
        four.wait(60)
        return number * 2

    assert map_concurrently(work, range(40), at_once=4) == [number * 2 for number in range(40)]
    assert max(most) == 4


@pytest.mark.parametrize("items", [(), ("a",), ("a", "b")])
def test_few_items(items: tuple[str, ...]) -> None:
    """None, one or two items: each has its result."""
    assert map_concurrently(str.upper, items) == [each.upper() for each in items]


def test_the_first_failure_is_raised_and_nothing_more_begins() -> None:
    """Two items fail: the exception of the first one in order comes out, and those that had not started are not started."""
    both = threading.Barrier(2)
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        both.wait(60)
        raise ValueError(str(number))

    with pytest.raises(ValueError, match=r"^0$"):
        map_concurrently(work, range(10), at_once=2)
    assert sorted(begun) == [0, 1]


def test_one_item_alone_starts_no_thread() -> None:
    """A single item is worked on by the caller, and of several the caller takes one, too."""
    seen: set[str] = set()
    map_concurrently(lambda _: seen.add(threading.current_thread().name), ["a"])
    assert seen == {threading.current_thread().name}


@pytest.mark.parametrize("most", [0, 1])
def test_a_system_without_threads_does_the_work_in_fewer(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """If no further thread can be started, those that run, this one alone if need be, do everything."""
    real = threading.Thread.start
    started: list[threading.Thread] = []

    def start(thread: threading.Thread) -> None:
        if len(started) == most:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    assert map_concurrently(str.upper, ("a", "b", "c", "d")) == ["A", "B", "C", "D"]
