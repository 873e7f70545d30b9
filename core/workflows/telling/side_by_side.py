"""Sends messages at the end of a run: concurrently, within a time limit, and without any effect on the run if one fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from core.errors import Cancelled, CertdeckError, NotifyError
from core.ports import Clock

SECONDS = 30.0
"""Time limit for all messages together."""


def all_done(
    jobs: Mapping[str, Callable[[], str]],
    clock: Clock,
    unforeseen: Callable[[str, Exception], CertdeckError],
    *,
    seconds: float = SECONDS,
) -> dict[str, str | CertdeckError]:
    """Run all jobs in threads. Returns the result or the error of each, by name. Takes at most `seconds`. Never raises.

    A job that is not finished by then gets a timeout error, and is abandoned in its daemon thread.
    """
    results: dict[str, str | CertdeckError] = {}

    def work(name: str, job: Callable[[], str]) -> None:
        result: str | CertdeckError
        try:
            result = job()
        except Cancelled:
            return  # its time is over, which is reported below
        except CertdeckError as exc:
            result = exc
        except Exception as exc:  # noqa: BLE001 - a receiver may send anything
            result = unforeseen(name, exc)
        results.setdefault(name, result)

    threads = [threading.Thread(target=work, args=each, name=f"tell-{each[0]}", daemon=True) for each in jobs.items()]
    deadline = clock.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - clock.monotonic()))
    for name in jobs:
        late = NotifyError(
            f"The notification {name} was not sent in time.",
            f"It took longer than {seconds:g} s and was abandoned.",
            f"Test it: certdeck notify test {name}",
            details={"notification": name, "reason": "timeout"},
        )
        results.setdefault(name, late)
    return results
