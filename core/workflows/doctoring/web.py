"""Checks web servers with web settings of certdeck: missing or duplicate headers, outdated settings."""

from __future__ import annotations

from collections.abc import Iterator

from core.errors import CertdeckError
from core.operations import Finding
from core.store import web
from core.web.shown import WebState
from core.workflows.context import Context
from core.workflows.web.apply import show_web

_ID = "web-headers"


def web_settings(context: Context) -> Iterator[Finding]:
    """Yield a finding for each target with web settings. Requests its headers over HTTPS."""
    for name in web.names(context.paths):
        if name not in context.config.targets:
            continue
        try:
            yield _judged(show_web(context, name))
        except CertdeckError as exc:
            yield Finding(id=_ID, status="warn", title=name, detail=f"{exc.what} {exc.why}", fix=exc.fix)


def _judged(state: WebState) -> Finding:
    wrong = [
        f"{each.name} is {each.state} at {listener.address}"
        for listener in state.listeners
        for each in listener.headers
        if each.state != "ok"
    ]
    if state.state != "applied":
        return Finding(
            id=_ID,
            status="warn",
            title=state.target,
            detail="the web settings in its configuration are not up to date",
            fix=f"Run: certdeck web apply {state.target}",
        )
    if wrong:
        return Finding(
            id=_ID,
            status="warn",
            title=state.target,
            detail="; ".join(wrong),
            fix="Remove these headers from the application behind the web server, or from other configuration blocks.",
        )
    return Finding(id=_ID, status="pass", title=state.target, detail="it sends every security header exactly once")
