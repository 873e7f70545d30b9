"""What one kind of target knows that the others do not."""

from __future__ import annotations

from msgspec import Struct


class Kind(Struct, frozen=True, kw_only=True):
    """A row of the table in `kinds`. Commands are argument lists, never a shell line."""

    name: str
    title: str
    test: tuple[str, ...] = ()
    """The service's own configuration test, where the target gives none."""
    reload: tuple[str, ...] = ()
    idle_signs: tuple[str, ...] = ()
    """What a reload says when the service does not run at all. Lower case."""
