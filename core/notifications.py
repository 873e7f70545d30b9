"""What notification channels look like from outside: their kinds, the entries without their secrets, and how a test went."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from core.fields import Field


class NotificationKind(Struct, frozen=True, kw_only=True):
    """A kind of channel: what its form asks for."""

    name: str
    title: str
    fields: tuple[Field, ...]
    help: str
    notes: tuple[str, ...] = ()
    takes_any: bool = False
    family: str = "notify"
    """The command that it belongs to."""


class NotificationInfo(Struct, frozen=True, kw_only=True):
    """An entry, without its secrets."""

    name: str
    kind: str
    title: str
    on: tuple[str, ...]
    """The events that it tells of, all of them named."""
    settings: Mapping[str, str]
    secrets: Mapping[str, bool]
    """Which are there, by key."""
    missing: tuple[str, ...] = ()
    """Required fields that have no value."""


class NotificationTest(Struct, frozen=True, kw_only=True):
    """A test message that was taken."""

    name: str
    kind: str
    said: str
    """What the other side answered. Foreign text, one line."""
    milliseconds: int
