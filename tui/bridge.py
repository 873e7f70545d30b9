"""Connects the blocking engine with the console, which must not block: threads, messages, and the one operation that may run.

`Bridge.ask` makes a reading call in a separate thread, and passes the answer to the app's thread. `Bridge.start` runs an operation:
its reports arrive as `EngineEvent`, its end as `OperationFinished`. Errors are returned as values. The thread of an operation is
not a daemon: if the console ends, because the user left or the connection dropped, the work is finished first.
"""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from msgspec import Struct, field
from textual.app import App
from textual.message import Message

from core.errors import Cancelled, CertdeckError
from core.events import Report, Reporter
from core.ports import CancelToken

T = TypeVar("T")

log = logging.getLogger(__name__)

Call = Callable[[Reporter, CancelToken], object]
"""An engine call, with the two arguments from the bridge."""


class Operation(Struct, eq=False, kw_only=True):
    """An operation that is running or has ended. Only the app's thread uses it, except `cancel`."""

    title: str
    """For example `Issue shop.example.com`."""
    doing: str
    """For the tray, for example `issuing shop.example.com`."""
    lineage: str | None
    started: datetime
    expects: tuple[str, ...] = ()
    """Targets that it will deploy to, for the progress."""
    quiet: bool = False
    """It has no screen: a toast reports its end."""
    said: str = ""
    """Text of that toast after a success, if the result has none."""
    reports: list[Report] = field(default_factory=list)
    cancel: CancelToken = field(default_factory=CancelToken)
    ended: datetime | None = None
    result: object = None
    error: CertdeckError | None = None
    seen: bool = False
    """The user has seen its end."""

    @property
    def runs(self) -> bool:
        return self.ended is None

    @property
    def outcome(self) -> str:
        """`running`, `done`, `failed`, `cancelled`."""
        if self.runs:
            return "running"
        if self.error is None:
            return "done"
        return "cancelled" if isinstance(self.error, Cancelled) else "failed"


class EngineEvent(Message):
    """A report of the operation."""

    def __init__(self, operation: Operation, report: Report) -> None:
        super().__init__()
        self.operation = operation
        self.report = report


class OperationFinished(Message):
    """The operation has ended, with a result or an error."""

    def __init__(self, operation: Operation, result: object, error: CertdeckError | None) -> None:
        super().__init__()
        self.operation = operation
        self.result = result
        self.error = error


class Answered(Message):
    """A reading call has returned."""

    def __init__(self, then: Callable[[Any], None]) -> None:
        super().__init__()
        self.then = then
        self.answer: object = None


class Bridge:
    """Runs engine calls in threads. There is one for the app."""

    def __init__(self, app: App[Any], now: Callable[[], datetime]) -> None:
        self._app = app
        self._now = now
        self._thread: threading.Thread | None = None
        self._asking = 0
        self.operation: Operation | None = None
        """The running operation, or the last one."""

    @property
    def busy(self) -> bool:
        return self.operation is not None and self.operation.runs

    @property
    def idle(self) -> bool:
        """Nothing is running, including reading calls."""
        return not self.busy and self._asking == 0

    def start(
        self,
        title: str,
        doing: str,
        call: Call,
        *,
        lineage: str | None = None,
        expects: tuple[str, ...] = (),
        quiet: bool = False,
        said: str = "",
    ) -> Operation | None:
        """Run `call` in a thread, and return the operation. None: another one is running."""
        if self.busy:
            return None
        operation = self.operation = Operation(
            title=title, doing=doing, lineage=lineage, started=self._now(), expects=expects, quiet=quiet, said=said
        )

        def report(told: Report) -> None:
            self._app.post_message(EngineEvent(operation, told))

        def work() -> None:
            result, error = _outcome(lambda: call(report, operation.cancel))
            self._app.post_message(OperationFinished(operation, result, error))

        self._thread = self._spawn(work, "operation", daemon=False)
        return operation

    def ask(self, call: Callable[[], T], then: Callable[[T | CertdeckError], None]) -> None:
        """Make a reading call in a thread. `then` gets its value or its error, in the app's thread."""
        message = Answered(then)
        self._asking += 1

        def work() -> None:
            result, error = _outcome(call)
            message.answer = result if error is None else error
            self._app.post_message(message)

        # When the app ends, it does not wait for an answer that it no longer needs.
        self._spawn(work, "question", daemon=True)

    def take(self, message: Message) -> None:
        """Apply a message of this module. The app calls this for each one, before any other handler."""
        if isinstance(message, EngineEvent):
            message.operation.reports.append(message.report)
        elif isinstance(message, OperationFinished):
            operation = message.operation
            operation.result, operation.error, operation.ended = message.result, message.error, self._now()
        elif isinstance(message, Answered):
            self._asking -= 1
            message.then(message.answer)

    def wait(self) -> None:
        """Block until the operation's thread has ended. For use after the app has ended."""
        if self._thread is not None:
            self._thread.join()

    @property
    def works(self) -> bool:
        """The operation's thread is alive. Also valid after the app has ended."""
        return self._thread is not None and self._thread.is_alive()

    def _spawn(self, work: Callable[[], None], name: str, *, daemon: bool) -> threading.Thread:
        # Messages find their app through a context variable.
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(work,), name=name, daemon=daemon)
        thread.start()
        return thread


def _outcome(call: Callable[[], object]) -> tuple[object, CertdeckError | None]:
    """Call, and return the result or the error as values."""
    try:
        return call(), None
    except CertdeckError as exc:
        return None, exc
    except Exception as exc:
        log.exception("the engine raised something that is no CertdeckError")
        return None, internal(exc)


def internal(exc: BaseException) -> CertdeckError:
    """Return the error for a bug of certdeck. It omits the exception's text, which may contain anything and is in the log."""
    return CertdeckError(
        "certdeck failed with an unexpected error.",
        f"This is a bug in certdeck ({type(exc).__name__}). The live certificates are unchanged.",
        "Try again. If it happens again, report it with the end of the debug log.",
    )
