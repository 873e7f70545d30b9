"""A blocking call that can be left behind: a server that says nothing must not keep somebody who wants to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from core.ports import CancelToken

GRACE_SECONDS = 1.5
"""How long an answer is still waited for after somebody asked to stop: most are on their way, and tell what was done."""
_GLANCE_SECONDS = 0.05

Result = TypeVar("Result")


def interruptible(call: Callable[[], Result], cancel: CancelToken, *, grace: float = GRACE_SECONDS) -> Result:
    """Return what `call` returns, raise what it raises; or raise Cancelled (`cancelled`) when somebody asks to stop meanwhile.

    Args:
        grace: how many seconds an answer is still waited for then.

    The call then goes on in a daemon thread until its own time is over, and nobody hears of its end.
    """
    answers: list[Result] = []
    failures: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        try:
            answers.append(call())
        except BaseException as exc:  # noqa: BLE001 - raised again where it was asked for
            failures.append(exc)
        finally:
            done.set()

    threading.Thread(target=work, name="asking", daemon=True).start()
    while not done.wait(_GLANCE_SECONDS):
        if cancel.is_cancelled and not done.wait(grace):
            cancel.check()
    if failures:
        raise failures[0]
    return answers[0]
