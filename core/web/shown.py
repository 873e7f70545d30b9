"""The results of `web show`, `web apply` and `web remove`. Values without behaviour."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from core.web.answers import HeaderSeen


class WebFile(Struct, frozen=True, kw_only=True):
    """A configuration file that serves the certificate of the target."""

    path: str
    applied: bool
    """It has exactly the wanted content."""
    lines: tuple[str, ...]
    """The wanted lines, only the blocks."""


class Listener(Struct, frozen=True, kw_only=True):
    """What one address of the target sends."""

    address: str
    headers: tuple[HeaderSeen, ...] = ()
    failure: str | None = None


class WebState(Struct, frozen=True, kw_only=True):
    """The settings of the web server of one target."""

    target: str
    server: str
    state: str
    """`applied`, `outdated` (the settings differ from the wanted ones), `absent`."""
    changed: bool = False
    files: tuple[WebFile, ...] = ()
    hsts: str | None = None
    """The value that is sent now; None: no header."""
    hsts_why: str = ""
    hsts_next: datetime | None = None
    listeners: tuple[Listener, ...] = ()
    redirect: str = "unknown"
    """The response to plain HTTP: `redirected` (by any configuration), `missing` (no redirect), `challenge-redirected` (the
    challenge is redirected, too), `closed` (no response), `unknown` (the target has no probe)."""
    notes: tuple[str, ...] = ()
