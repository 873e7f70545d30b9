"""What `web show`, `web apply` and `web remove` give back. Values without behaviour."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from core.web.answers import HeaderSeen


class WebFile(Struct, frozen=True, kw_only=True):
    """A configuration file that serves the certificate of the target."""

    path: str
    applied: bool
    """It holds exactly what is wanted."""
    lines: tuple[str, ...]
    """What would stand in it, the blocks alone."""


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
    """`applied`, `outdated` (there are settings, and not those that are wanted), `absent`."""
    changed: bool = False
    files: tuple[WebFile, ...] = ()
    hsts: str | None = None
    """The value that is sent now; None: none."""
    hsts_why: str = ""
    hsts_next: datetime | None = None
    listeners: tuple[Listener, ...] = ()
    redirect: str = "unknown"
    """How plain HTTP is answered: `redirected` (by whomever), `missing` (without a redirect), `challenge-redirected` (the challenge
    too), `closed` (nothing answers), `unknown` (the target has no probe)."""
    notes: tuple[str, ...] = ()
