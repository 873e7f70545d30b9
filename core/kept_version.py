"""One stored version of a certificate, for the list of versions. A value without behaviour."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class KeptVersion(Struct, frozen=True, kw_only=True):
    """A stored version."""

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
    """Its key is stored, sealed or not, so that it can be deployed."""
