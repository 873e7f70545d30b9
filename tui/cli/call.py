"""What a command works with: its arguments, the engine, its output, and cancellation."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.ports import CancelToken
from tui.cli.output import Output

if TYPE_CHECKING:
    from core.engine import Engine
    from core.events import Report, Reporter, Warned


class Call:
    """The running command."""

    def __init__(self, args: argparse.Namespace, engine: Engine, output: Output) -> None:
        self.args = args
        self.engine = engine
        self.output = output
        self.wants_json: bool = args.json
        self.cancel = CancelToken()
        self._warnings: list[Warned] = []
        """Warnings of the work, repeated in the result because progress lines scroll away."""

    def result(self, value: Mapping[str, object], lines: Iterable[str]) -> None:
        """Write the result to stdout, as one JSON object or as text, followed by the warnings of the work."""
        if self.wants_json:
            from tui.cli.jsonout import dumped, warnings_json

            self.output.out.raw(dumped({**value, **warnings_json(value, self._warnings)}))
        else:
            from tui.glyphs import printable

            self.output.out.lines(lines)
            self.output.out.lines(printable(f"{each.what} {each.fix}") for each in self._warnings)

    def _remember(self, told: Report) -> None:
        from core.events import IN_RESULT, Warned

        if isinstance(told.event, Warned) and told.event.code in IN_RESULT and told.event not in self._warnings:
            self._warnings.append(told.event)

    def say(self, text: str) -> None:
        """Write a line of the result as text."""
        self.output.out.line(text)

    @property
    def can_ask(self) -> bool:
        return not self.wants_json and self.output.can_ask

    @contextmanager
    def working(self, *, tell: bool = True) -> Iterator[Reporter]:
        """Wrap an operation: yields the reporter, and makes signals cancel instead of kill.

        A second interrupt ends the process at once, which the store survives.
        """
        is_first = True

        def report(told: Report) -> None:
            nonlocal is_first
            if is_first:
                # Only now: an idle run reports nothing, and must not pay for logging.
                is_first = False
                from tui.cli.crash import log_quietly

                log_quietly(self.engine.paths.debug_log)
            self._remember(told)
            if tell or self.args.debug:
                from tui.cli.progress import progress_line

                line = progress_line(told, self.output.err, every=self.args.debug)
                if line:
                    self.output.err.line(line)

        with _signals_cancel(self.cancel):
            yield report


@contextmanager
def _signals_cancel(cancel: CancelToken) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: object) -> None:
        if cancel.is_cancelled and number == signal.SIGINT:
            raise KeyboardInterrupt
        cancel.cancel()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers if signal.getsignal(number) != signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
