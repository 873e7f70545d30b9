"""The table of all kinds of notification channels. The module of a kind is imported on first use."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from core.config.rules import NOTIFICATION_KINDS

if TYPE_CHECKING:
    from core.notify.channel import ChannelKind


def kind_named(name: str) -> ChannelKind:
    """Return a kind. Raises NotFound (`not-found`) with the closest name."""
    if name not in NOTIFICATION_KINDS:
        from difflib import get_close_matches

        from core.errors import NotFound

        near = get_close_matches(name, NOTIFICATION_KINDS, n=1)
        raise NotFound(
            f"There is no kind of notification {name!r}.",
            f"Did you mean {near[0]}?" if near else "No kind has a similar name.",
            f"Kinds: {', '.join(NOTIFICATION_KINDS)}.",
        )
    kind: ChannelKind = import_module(f"core.notify.{name}").KIND
    return kind


def all_kinds() -> Iterator[ChannelKind]:
    """Yield the kinds in the order in which they are offered."""
    return map(kind_named, NOTIFICATION_KINDS)


def channel_keys(kind: object) -> tuple[str, ...]:
    """Return the keys that `[notifications.NAME]` may have for a kind; empty for an unknown kind."""
    if kind not in NOTIFICATION_KINDS:
        return ()
    return tuple(field.key for field in kind_named(str(kind)).settings)
