"""Serves the self-test's file until it is stopped, for a test from another network, and reports the requests (SF-19)."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

from core.challenges.http01 import PREFIX, READY
from core.errors import Cancelled
from core.operations import Listening, Visit
from core.ports import HttpReply, HttpRequest
from core.text import safe_line
from core.workflows.context import Context
from core.workflows.doctoring.port80 import FILE, file_in

MOST_KEPT = 1000
"""Most requests in the result: an open port on the internet is scanned constantly."""
_DAY_SECONDS = 86400.0


def listen(
    context: Context,
    *,
    seconds: float | None,
    ready: Callable[[Listening], None] | None,
    visited: Callable[[Visit], None] | None,
) -> Listening:
    """Serve `/.well-known/acme-challenge/test.txt` until the time is over or the context is cancelled. Returns the requests.

    Args:
        seconds: how long; None: until cancelled.
        ready: called once, when the file is available.
        visited: called for each request, by another thread. With a webroot, requests are not visible.

    Raises PortUnavailable (`port-unavailable`), ChallengeError for a webroot that cannot be written.
    """
    visits: list[Visit] = []
    count = 0
    lock = threading.Lock()

    def answer(request: HttpRequest) -> HttpReply:
        nonlocal count
        is_it = request.path == PREFIX + FILE
        visit = Visit(
            at=context.env.clock.now(),
            address=safe_line(request.peer, 64),
            host=safe_line(request.host, 253),
            path=safe_line(request.path, 300),
            is_found=is_it,
        )
        with lock:
            count += 1
            if len(visits) < MOST_KEPT:
                visits.append(visit)
            if visited is not None:
                visited(visit)
        return HttpReply(status=200, body=READY) if is_it else HttpReply(status=404)

    http01 = context.config.http01
    is_webroot = http01.mode == "webroot"

    def result(port: int) -> Listening:
        return Listening(
            address="" if is_webroot else http01.address,
            port=port,
            webroot=str(http01.webroot or "") if is_webroot else "",
            path=PREFIX + name,
            visits=tuple(visits),
            count=count,
        )

    with contextlib.ExitStack() as stack:
        name, port = FILE, 80
        if is_webroot:
            name = stack.enter_context(file_in(context, Path(http01.webroot or ""), READY))
        else:
            port = stack.enter_context(context.env.listener.listen(http01.address, http01.port, answer))
        if ready is not None:
            ready(result(port))
        with contextlib.suppress(Cancelled):  # this is the normal end
            while seconds is None:
                context.env.clock.sleep(_DAY_SECONDS, context.cancel)
            context.env.clock.sleep(seconds, context.cancel)
    return result(port)
