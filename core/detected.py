"""What was found of the TLS services of a box. Values without behaviour, for both front ends."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from core.config.model import TargetConfig

OURS, UNMANAGED, UNKNOWN = "managed", "unmanaged", "unknown"


class Presented(Struct, frozen=True, kw_only=True):
    """What one listener of a service presented. Texts of the certificate are clean."""

    address: str
    """As in a target's `probe`: `127.0.0.1:443`, `smtp://[::1]:25`."""
    dialect: str
    """`tls`, or the protocol that changes to TLS: `smtp`, `imap` …"""
    state: str
    """`managed` (it is a certificate of certdeck), `unmanaged` (it is another one), `unknown` (nothing could be seen)."""
    sha256: str | None = None
    subject: str = ""
    names: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None
    days_left: int | None = None
    severity: str = ""
    """`green`, `yellow`, `red`; empty where nothing could be seen."""
    why: str = ""
    """Why nothing could be seen, in words."""


class DetectedService(Struct, frozen=True, kw_only=True):
    """One certificate of one service, as its configuration says and as it presents it."""

    id: str
    """`nginx:3fa2`: the kind, and four digits for the certificate file. It stays the same while other services come and go."""
    kind: str
    """A kind of target; `files` for a program that certdeck does not know."""
    title: str
    running: bool
    listeners: tuple[Presented, ...] = ()
    certificate: str | None = None
    """Path of the certificate as configured; None where none could be found."""
    key: str | None = None
    shared_with: tuple[str, ...] = ()
    """Ids of those that read the same certificate or key file."""
    target: str | None = None
    """The target that writes these files."""
    problems: tuple[str, ...] = ()
    """What is wrong, in whole sentences."""
    suggest: TargetConfig | None = None
    """The target that would take it over; None where that cannot be said, or it is one already."""
