"""What the doctor finds: values without behaviour, part of `core.operations`."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Finding(Struct, frozen=True, kw_only=True):
    """One line of the doctor."""

    id: str
    status: str
    """`pass`, `warn`, `fail`, `skip`."""
    title: str
    detail: str
    """What was found."""
    fix: str = ""
    why: str = ""
    """The cause, or what it leads to."""

    @property
    def sentences(self) -> str:
        """What and why, for people."""
        if not self.why:
            return self.detail
        stop = "" if self.detail.endswith((".", "!", "?")) else "."
        return f"{self.detail}{stop} {self.why}"


class Visit(Struct, frozen=True, kw_only=True):
    """One request to the file of the self-test. Foreign text is cleaned."""

    at: datetime
    address: str
    """Of the one who asked."""
    host: str
    """The name that was asked for; empty when there was none."""
    path: str
    is_found: bool
    """It was the file; everything else got 404."""


class Listening(Struct, frozen=True, kw_only=True):
    """The file of the self-test, kept up for a try from outside."""

    address: str
    """Where certdeck listens; empty with a webroot."""
    port: int
    webroot: str
    """The folder that the file is in; empty with a listener."""
    path: str
    visits: tuple[Visit, ...] = ()
    """The first thousand."""
    count: int = 0
