"""The doctor's findings: values without behaviour, part of `core.operations`."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Finding(Struct, frozen=True, kw_only=True):
    """One finding of the doctor."""

    id: str
    status: str
    """`pass`, `warn`, `fail`, `skip`."""
    title: str
    detail: str
    """What was found."""
    fix: str = ""
    why: str = ""
    """The cause, or the consequence."""

    @property
    def sentences(self) -> str:
        """`detail` and `why` as text for people."""
        if not self.why:
            return self.detail
        stop = "" if self.detail.endswith((".", "!", "?")) else "."
        return f"{self.detail}{stop} {self.why}"


class Visit(Struct, frozen=True, kw_only=True):
    """One request for the self-test file. Foreign text is cleaned."""

    at: datetime
    address: str
    """Address of the client."""
    host: str
    """The requested host name; empty if there was none."""
    path: str
    is_found: bool
    """It was the self-test file; everything else got 404."""


class Listening(Struct, frozen=True, kw_only=True):
    """The self-test file, served for a test from outside."""

    address: str
    """The address that certdeck listens on; empty with a webroot."""
    port: int
    webroot: str
    """The folder that contains the file; empty with a listener."""
    path: str
    visits: tuple[Visit, ...] = ()
    """The first thousand requests."""
    count: int = 0
