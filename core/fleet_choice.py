"""What is chosen for a certificate of a fleet: apart, because every request for a certificate holds one."""

from __future__ import annotations

from msgspec import Struct


class Choice(Struct, frozen=True, kw_only=True):
    """What is chosen for a certificate of the fleet beside the usual. None: as it was."""

    policy: str | None = None
    """`master`, `hybrid`, `device`."""
    boxes: tuple[str, ...] | None = None
    """Ids of the devices; empty: all."""
    all_or_none: bool | None = None
    allow_weaker: bool = False
    """Take a weaker key policy than before."""
