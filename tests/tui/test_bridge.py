"""The bridge: one operation at a time in a thread, its reports and its end as messages, errors as values."""

from __future__ import annotations

import threading

from core.errors import Cancelled, CertdeckError
from core.events import RunStarted
from core.ports import CancelToken
from tests.support.deck import deck, settled
from tests.support.fake_engine import FakeEngine
from tui.bridge import EngineEvent, OperationFinished


async def test_reports_arrive_in_order_in_the_apps_thread() -> None:
    """Everything that an operation tells arrives in its order, and screens hear it in the app's own thread."""
    engine = FakeEngine()
    app = deck(engine)
    heard: list[tuple[str, bool]] = []
    async with app.run_test() as pilot:
        here = threading.current_thread()

        def listen(message: object) -> None:
            if isinstance(message, EngineEvent):
                heard.append((type(message.report.event).__name__, threading.current_thread() is here))
            elif isinstance(message, OperationFinished):
                heard.append(("finished", threading.current_thread() is here))

        app.news.subscribe(app.screen, listen)
        operation = app.bridge.start(
            "Deploy shop", "deploying shop", lambda report, cancel: engine.deploy("shop", report=report)
        )
        assert operation is not None
        assert operation.outcome == "running"
        await settled(pilot)
    assert heard[0] == ("RunStarted", True)
    assert heard[-1] == ("finished", True)
    assert all(in_app for _, in_app in heard)
    assert isinstance(operation.reports[0].event, RunStarted)
    assert operation.outcome == "done"
    assert operation.ended is not None


async def test_errors_are_values() -> None:
    """An operation that fails ends with its error as a value; the console goes on."""
    app = deck()
    error = CertdeckError("a.", "b.", "c.")

    def call(report: object, cancel: CancelToken) -> None:
        raise error

    async with app.run_test() as pilot:
        operation = app.bridge.start("x", "x", call)
        await settled(pilot)
        assert operation is not None
        assert operation.error is error
        assert operation.outcome == "failed"
        assert app.bridge.start("y", "y", lambda report, cancel: 7) is not None
        await settled(pilot)
        assert app.bridge.operation is not None
        assert app.bridge.operation.result == 7


async def test_cancelling() -> None:
    """An operation that is asked to stop ends as cancelled, which is no failure."""
    app = deck()

    def call(report: object, cancel: CancelToken) -> None:
        cancel.wait(5)

    async with app.run_test() as pilot:
        operation = app.bridge.start("x", "x", call)
        assert operation is not None
        operation.cancel.cancel()
        await settled(pilot)
        assert isinstance(operation.error, Cancelled)
        assert operation.outcome == "cancelled"


async def test_asking_gives_value_or_error() -> None:
    """A reading call hands its value, or its error, to whoever asked; a bug of ours comes as an error too."""
    app = deck()
    answers: list[object] = []

    def fail() -> int:
        raise CertdeckError("a.", "b.", "c.")

    def break_down() -> int:
        raise KeyError("x")

    async with app.run_test() as pilot:
        for call in (lambda: 7, fail, break_down):
            app.bridge.ask(call, answers.append)
            await settled(pilot)
    assert answers[0] == 7
    assert isinstance(answers[1], CertdeckError)
    assert isinstance(answers[2], CertdeckError)
    assert answers[2].what == "certdeck failed with an unexpected error."


async def test_the_work_outlives_the_console() -> None:
    """When the console ends while an operation runs, its thread goes on to the end, and can be waited for (SF-19)."""
    app = deck()
    go_on, done = threading.Event(), threading.Event()

    def call(report: object, cancel: CancelToken) -> None:
        go_on.wait(5)
        done.set()

    async with app.run_test() as pilot:
        app.bridge.start("x", "x", call)
        await pilot.press("q")
    assert not app.is_running
    assert app.bridge.works
    go_on.set()
    app.bridge.wait()
    assert done.is_set()
    assert not app.bridge.works
