"""The options for a certificate of a fleet. A separate module, because every request for a certificate has them."""

from __future__ import annotations

from msgspec import Struct


class Choice(Struct, frozen=True, kw_only=True):
    """The options for a certificate of the fleet. None: unchanged."""

    policy: str | None = None
    """`master`, `hybrid`, `device`."""
    boxes: tuple[str, ...] | None = None
    """IDs of the devices; empty: all."""
    all_or_none: bool | None = None
    allow_weaker: bool = False
    """Accept a weaker key policy than before."""
