"""The table of web servers, and the row for a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from core.config.model import TargetConfig
from core.errors import WebNotPossible
from core.web import apache, caddy, haproxy, nginx
from core.web.wanted import Server

SERVERS: Mapping[str, Server] = {
    each.name: each for each in (nginx.SERVER, apache.SERVER, haproxy.SERVER, caddy.SERVER)
}


def find_server(kind: str, test: Sequence[str]) -> Server | None:
    """Return the web server of this kind, or the one that this command tests; None for any other service."""
    program = Path(test[0]).name if test else ""
    return SERVERS.get(kind) or next((each for each in SERVERS.values() if program in each.programs), None)


def server_of(target: TargetConfig) -> Server:
    """Return the web server of a target, by its kind or by the program that tests it.

    Raises WebNotPossible (`web-not-possible`).
    """
    found = find_server(target.kind, target.test)
    if found is None:
        raise WebNotPossible(
            f"The target {target.name} is not a web server that certdeck can configure.",
            f"It has the kind {target.kind!r}. certdeck has web settings for {', '.join(SERVERS)}.",
            f"If it is one of these, run: certdeck target add {target.name} --kind KIND.",
            details={"target": target.name},
        )
    return found
