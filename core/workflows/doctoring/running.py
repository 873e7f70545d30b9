"""Runs checks concurrently, each with a time limit, and reports a missing network only once."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from core.errors import CertdeckError
from core.operations import Finding
from core.ports import CancelToken, Clock

AT_ONCE = 16
LIMIT_SECONDS = 40.0
"""Time limit of one check. Each of its requests has its own shorter limit."""
_LOOK_SECONDS = 0.2
_RELEASE_SECONDS = 1.0
"""How long a cancellation waits for a check to release what it holds."""

Look = Callable[[], Iterable[Finding]]


class NoAnswer(Exception):
    """No server that a check asked has responded. `findings` report that."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__()
        self.findings = findings


class Check(Struct, frozen=True):
    """One check in the doctor's list."""

    title: str
    look: Look
    is_remote: bool = False
    """It needs other machines, and raises NoAnswer if none of them can be reached."""
    is_holding: bool = False
    """It holds something that an order needs, such as the port. An order may start right after a cancellation."""


class _Outcome(Struct, frozen=True):
    findings: tuple[Finding, ...]
    is_answered: bool = True
    unexpected: BaseException | None = None


def run(
    checks: Sequence[Check], clock: Clock, cancel: CancelToken, *, limit_seconds: float = LIMIT_SECONDS
) -> tuple[Finding, ...]:
    """Run all checks, and return their findings in the order of `checks`. Raises Cancelled (`cancelled`)."""
    outcomes = _outcomes(checks, clock, cancel, limit_seconds)
    remote = [number for number, check in enumerate(checks) if check.is_remote]
    is_offline = len(remote) > 1 and not any(outcomes[number].is_answered for number in remote)
    found: list[Finding] = []
    for number, outcome in enumerate(outcomes):
        if not is_offline or number not in remote:
            found += outcome.findings
        elif number == remote[0]:
            found.append(_offline(outcomes[each] for each in remote))
    return tuple(found)


def failed(id: str, title: str, exc: CertdeckError, status: str = "fail") -> Finding:
    """Return an error as a finding."""
    return Finding(id=id, status=status, title=title, detail=exc.what, why=exc.why, fix=exc.fix)


def _outcomes(checks: Sequence[Check], clock: Clock, cancel: CancelToken, limit: float) -> list[_Outcome]:
    todo = deque(enumerate(checks))
    running: dict[int, float] = {}
    ended: dict[int, _Outcome] = {}
    done: queue.Queue[tuple[int, _Outcome]] = queue.Queue()
    holding: list[threading.Thread] = []
    while todo or running:
        while todo and len(running) < AT_ONCE:
            number, check = todo.popleft()
            running[number] = clock.monotonic() + limit
            # A daemon thread: one that hangs in a system call must not prevent the process from ending.
            thread = threading.Thread(target=_work, args=(number, check, done), name="doctor", daemon=True)
            thread.start()
            if check.is_holding:
                holding.append(thread)
        if cancel.is_cancelled:
            for thread in holding:
                thread.join(_RELEASE_SECONDS)
            cancel.check()
        with contextlib.suppress(queue.Empty):
            number, outcome = done.get(timeout=_LOOK_SECONDS)
            while True:  # take all finished checks before any counts as late
                if outcome.unexpected is not None:
                    raise outcome.unexpected
                if running.pop(number, None) is not None:
                    ended[number] = outcome
                number, outcome = done.get_nowait()
        now = clock.monotonic()
        for number in [each for each, ends in running.items() if ends <= now]:
            del running[number]
            ended[number] = _late(checks[number], limit)
    return [ended[number] for number in range(len(checks))]


def _work(number: int, check: Check, done: queue.Queue[tuple[int, _Outcome]]) -> None:
    try:
        outcome = _Outcome(tuple(check.look()))
    except NoAnswer as exc:
        outcome = _Outcome(exc.findings, is_answered=False)
    except CertdeckError as exc:
        outcome = _Outcome((failed(exc.code, check.title, exc),))
    except BaseException as exc:  # noqa: BLE001 - raised again by the thread that waits
        outcome = _Outcome((), unexpected=exc)
    done.put((number, outcome))


def _late(check: Check, limit: float) -> _Outcome:
    finding = Finding(
        id="check-too-slow",
        status="warn",
        title=check.title,
        detail=f"this check did not finish within {limit:g} s",
        why="The system that it checks responds too slowly or not at all.",
        fix="Check the network and the disk of this box, then run `certdeck doctor` again.",
    )
    return _Outcome((finding,), is_answered=False)


def _offline(outcomes: Iterable[_Outcome]) -> Finding:
    """Return one finding for all checks that reached no server."""
    count = sum(1 for _ in outcomes)
    return Finding(
        id="network",
        status="fail",
        title="Network",
        detail=f"no network: none of {count} checks reached a name server or the issuer",
        why="An order needs the issuer, and the issuer needs DNS.",
        fix="Check this box's cable, addresses, routes, DNS settings and proxy. Without a network, "
        "use --issuer appliance-ca.",
    )
