"""Requests what a web server sends now, from each of its addresses."""

from __future__ import annotations

from collections.abc import Sequence

from core.concurrently import map_concurrently
from core.config.model import TargetConfig
from core.ports import Response, TransportFailure
from core.probe_address import parse
from core.web.answers import CHALLENGE, judge, redirects
from core.web.headers import HSTS
from core.web.shown import Listener
from core.web.wanted import Wanted
from core.workflows.context import Context, View

TIMEOUT_SECONDS = 5.0
PATIENCE_SECONDS = 3.0


def listeners_of(view: View, target: TargetConfig) -> tuple[str, ...]:
    """Return the addresses at which the target serves HTTPS."""
    found = [
        listener
        for probe in target.probe
        if (place := parse(probe)) is not None and not place.dialect
        for listener in view.env.prober.listeners(probe, timeout=TIMEOUT_SECONDS)
    ]
    return tuple(dict.fromkeys(found))


def headers_seen(view: View, target: TargetConfig, wanted: Wanted, host: str) -> tuple[Listener, ...]:
    """Return the headers that each address sends for `/`, or its failure."""
    unwanted = () if any(name == HSTS for name, _ in wanted.headers) else (HSTS,)

    def look(address: str) -> Listener:
        try:
            answer = _page(view, address, "https", host, "/")
        except TransportFailure as exc:
            return Listener(address=address, failure=str(exc))
        return Listener(address=address, headers=judge(answer, wanted.headers, unwanted))

    return tuple(map_concurrently(look, listeners_of(view, target)))


def settled(view: Context, target: TargetConfig, wanted: Wanted, host: str) -> tuple[Listener, ...]:
    """Return the headers once they are right, or after `PATIENCE_SECONDS`: after a reload, old workers still respond."""
    until = view.env.clock.monotonic() + PATIENCE_SECONDS
    while True:
        seen = headers_seen(view, target, wanted, host)
        is_right = all(header.state == "ok" for listener in seen for header in listener.headers)
        if is_right or view.env.clock.monotonic() >= until:
            return seen
        view.env.clock.sleep(0.1, view.cancel)


def redirect_seen(view: View, target: TargetConfig, host: str) -> str:
    """Return the state of the redirect on plain HTTP, as in `WebState.redirect`."""
    port = view.config.web.http_port
    places = [place for listener in listeners_of(view, target) if (place := parse(listener)) is not None]
    addresses = [str(place._replace(port=port)) for place in places]
    if not addresses:
        return "unknown"

    def look(address: str) -> str:
        try:
            if not redirects(_page(view, address, "http", host, "/")):
                return "missing"
            # A CA follows redirects to HTTPS, but the challenge is answered on plain HTTP alone.
            challenge = _page(view, address, "http", host, CHALLENGE)
        except TransportFailure:
            return "closed"
        return "challenge-redirected" if redirects(challenge) else "redirected"

    return _worst(map_concurrently(look, addresses))


def _worst(states: Sequence[str]) -> str:
    order = ("missing", "challenge-redirected", "redirected", "closed")
    return next(state for state in order if state in states)


def _page(view: View, listener: str, scheme: str, host: str, path: str) -> Response:
    """Request a page from one address. Raises TransportFailure."""
    place = parse(listener)
    assert place is not None
    named = f"[{host}]" if ":" in host else host
    url = f"{scheme}://{named}:{place.port}{path}"
    return view.env.web_reader.get(url, address=place.host, timeout=TIMEOUT_SECONDS)
