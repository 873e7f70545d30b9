"""The engine's results about notification channels: kinds, entries without their secrets, and tests."""

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
    """The events that it reports, all listed."""


class NotificationTest(Struct, frozen=True, kw_only=True):
    """A test message that the receiver accepted."""

    name: str
    kind: str
    said: str
    """The receiver's reply. Foreign text, one line."""
    milliseconds: int
