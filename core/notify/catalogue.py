"""The table of all kinds of notification channels. The module of a kind is imported on first use."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.notify.channel import ChannelKind

KINDS = {
    "smtp": "smtp",
    "webhook": "webhook",
    "apprise": "apprise",
}
"""Name of the kind → module below `core.notify`, in the order in which they are offered."""


def kind_named(name: str) -> ChannelKind:
    """Return a kind. Raises NotFound (`not-found`) with the closest name."""
    module = KINDS.get(name)
    if module is None:
        from difflib import get_close_matches

        from core.errors import NotFound

        near = get_close_matches(name, KINDS, n=1)
        raise NotFound(
            f"There is no kind of notification {name!r}.",
            f"Did you mean {near[0]}?" if near else "No kind has a similar name.",
            f"Kinds: {', '.join(KINDS)}.",
        )
    kind: ChannelKind = import_module(f"core.notify.{module}").KIND
    return kind


def all_kinds() -> Iterator[ChannelKind]:
    """Yield the kinds in the order in which they are offered."""
    return map(kind_named, KINDS)


def channel_keys(kind: object) -> tuple[str, ...]:
    """Return the keys that `[notifications.NAME]` may have for a kind; empty for an unknown kind."""
    if kind not in KINDS:
        return ()
    return tuple(field.key for field in kind_named(str(kind)).settings)
