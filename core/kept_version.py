"""One kept version of a certificate, as a ladder of versions shows it. A value without behaviour."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class KeptVersion(Struct, frozen=True, kw_only=True):
    """A version that is stored."""

    number: int
    is_live: bool
    is_waiting: bool
    """It was issued after the live one and is not deployed yet."""
    not_before: datetime
    not_after: datetime
    issuer: str
    sha256: str
    key_type: str
    names: tuple[str, ...]
    has_key: bool
    """Its key is kept, sealed or not: it can be deployed."""
