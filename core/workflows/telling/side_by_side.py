"""Messages to the outside at the end of a run: all at once, bounded in time, and none of them able to make anything fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from core.errors import Cancelled, CertdeckError, NotifyError
from core.ports import Clock

SECONDS = 30.0
"""For all of them together."""


def all_done(
    jobs: Mapping[str, Callable[[], str]],
    clock: Clock,
    unforeseen: Callable[[str, Exception], CertdeckError],
    *,
    seconds: float = SECONDS,
) -> dict[str, str | CertdeckError]:
    """Do all jobs in threads and return what each returned, or its error. Takes `seconds` at the most; never raises.

    A job that is not done by then is left behind in a daemon thread.
    """
    results: dict[str, str | CertdeckError] = {}

    def work(name: str, job: Callable[[], str]) -> None:
        result: str | CertdeckError
        try:
            result = job()
        except Cancelled:
            return  # its time is over, which is said below
        except CertdeckError as exc:
            result = exc
        except Exception as exc:  # noqa: BLE001 - a receiver's answer may be anything
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
