"""The table of web servers, and which one a target is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.config.model import TargetConfig
from core.errors import WebNotPossible
from core.web import apache, caddy, haproxy, nginx
from core.web.wanted import Server

SERVERS: Mapping[str, Server] = {
    each.name: each for each in (nginx.SERVER, apache.SERVER, haproxy.SERVER, caddy.SERVER)
}


def server_of(target: TargetConfig) -> Server:
    """Return the web server that a target is, by its kind or by the program that tests it.

    Raises WebNotPossible (`web-not-possible`).
    """
    program = Path(target.test[0]).name if target.test else ""
    found = SERVERS.get(target.kind) or next((each for each in SERVERS.values() if program in each.programs), None)
    if found is None:
        raise WebNotPossible(
            f"The target {target.name} is no web server that certdeck can set up.",
            f"It has the kind {target.kind!r}. Settings for the web exist for {', '.join(SERVERS)}.",
            f"If it is one of them: certdeck target add {target.name} --kind KIND.",
            details={"target": target.name},
        )
    return found
