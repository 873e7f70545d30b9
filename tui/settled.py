"""Whether everything that follows from the last key has been done. Textual hands on what happens in messages."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.message_pump import MessagePump


def is_settled(app: App[Any]) -> bool:
    """Tell whether the screen that is shown has been made, and no message waits for it or for the app."""
    stack = app.screen_stack
    if not stack or _waits(app):
        return False
    return all(each._is_mounted and not _waits(each) for each in stack[-1].walk_children(with_self=True))


def _waits(pump: MessagePump) -> bool:
    return bool(pump.message_queue_size or pump._pending_message or pump._next_callbacks)
