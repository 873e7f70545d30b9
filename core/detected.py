"""The TLS services found on a box. Values without behaviour, for both front ends."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from core.config.model import TargetConfig

OURS, UNMANAGED, UNKNOWN = "managed", "unmanaged", "unknown"


class Presented(Struct, frozen=True, kw_only=True):
    """What one listener of a service presented. Texts from the certificate are cleaned."""

    address: str
    """As in a target's `probe`: `127.0.0.1:443`, `smtp://[::1]:25`."""
    dialect: str
    """`tls`, or the protocol with STARTTLS: `smtp`, `imap` …"""
    state: str
    """`managed` (a certificate of certdeck), `unmanaged` (another one), `unknown` (nothing could be seen)."""
    sha256: str | None = None
    subject: str = ""
    names: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None
    days_left: int | None = None
    severity: str = ""
    """`green`, `yellow`, `red`; empty if nothing could be seen."""
    why: str = ""
    """Why nothing could be seen."""


class DetectedService(Struct, frozen=True, kw_only=True):
    """One certificate of one service, as configured and as presented."""

    id: str
    """`nginx:3fa2`: the kind, and four hex digits for the certificate file. It does not depend on other services."""
    kind: str
    """A kind of target; `files` for an unknown program."""
    title: str
    running: bool
    listeners: tuple[Presented, ...] = ()
    certificate: str | None = None
    """Configured path of the certificate; None if none was found."""
    key: str | None = None
    shared_with: tuple[str, ...] = ()
    """IDs of services that read the same certificate or key file."""
    target: str | None = None
    """The target that writes these files."""
    problems: tuple[str, ...] = ()
    """What is wrong, in complete sentences."""
    suggest: TargetConfig | None = None
    """The target that would take it over; None if that is unknown, or it already is one."""
