"""What notification channels look like from outside: their kinds, the entries without their secrets, and how a test went."""

from __future__ import annotations

from msgspec import Struct

from core.fields import EntryInfo, EntryKind


class NotificationKind(EntryKind, frozen=True, kw_only=True):
    """A kind of channel."""

    takes_any: bool = False
    family: str = "notify"
    """The command that it belongs to."""


class NotificationInfo(EntryInfo, frozen=True, kw_only=True):
    """An entry of `[notifications]`."""

    on: tuple[str, ...]
    """The events that it tells of, all of them named."""


class NotificationTest(Struct, frozen=True, kw_only=True):
    """A test message that was taken."""

    name: str
    kind: str
    said: str
    """What the other side answered. Foreign text, one line."""
    milliseconds: int
