"""Keys one after the other: each key acts on what the one before it has left behind.

Textual hands a key to the widget that has the focus now. What the key before it does happens later, in messages: a page that it
opens is in the stack at once, but has no field yet, and a field that it leaves still has the focus. On a slow machine, or over a
slow line, letters typed ahead would be lost or end in a field that they were not meant for, a passphrase in a path. Here a key
waits until no message is under way, so that letters go to the page that the person is opening.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

from textual.app import App
from textual.events import Event, Key
from textual.widget import Widget

from tui.reading import takes_text
from tui.settled import is_settled

_AT_ONCE: Final = 20
"""So many looks follow each other without a pause: most keys have done what they do by then."""
_PAUSE_SECONDS: Final = 0.001
_LOOKS: Final = 2000
"""After so many a key is handed on all the same: nothing that hangs may take the keys away."""


class KeyQueue:
    """The keys and pasted texts of one app that wait for their turn."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._waiting: deque[Event] = deque()
        self._tried: Event | None = None
        """The first of them, while it is on its way to the app once more."""
        self._looks = 0
        """How often somebody looked whether it is its turn."""
        self._typing_in: Widget | None = None
        """The field that the last letter went to."""
        self._task: asyncio.Task[None] | None = None

    def is_turn_of(self, event: Event) -> bool:
        """Tell whether an event that the app has just received may act now. If not, it is kept, and comes again later."""
        if event is self._tried:
            self._tried = None
            is_due = is_settled(self._app) or self._looks >= _LOOKS
            if is_due:
                self._waiting.popleft()
                self._looks = 0
        else:
            is_due = not self._waiting and (self._goes_on(event) or is_settled(self._app))
            if not is_due:
                self._waiting.append(event)
        if is_due:
            self._typing_in = self._field_for(event)
        elif self._task is None or self._task.done():
            self._task = asyncio.create_task(self._hand_on(), name="keys")
        return is_due

    @property
    def is_empty(self) -> bool:
        """No key waits."""
        return not self._waiting

    def next_letter(self) -> Event | None:
        """Return the letter that waits behind the one that has just acted, where it goes on in the same field."""
        if self._tried is None and self._waiting and self._goes_on(self._waiting[0]):
            return self._waiting.popleft()
        return None

    def _goes_on(self, event: Event) -> bool:
        """Tell whether a letter follows a letter. Those do no more than stand in their field, and a paste may come as keys."""
        return self._typing_in is not None and self._field_for(event) is self._typing_in

    def _field_for(self, event: Event) -> Widget | None:
        """Return the field that a letter goes to; None for other keys, and where no field has the focus."""
        if not isinstance(event, Key) or not event.is_printable or not self._app.screen_stack:
            return None
        return self._app.focused if takes_text(self._app.focused) else None

    async def _hand_on(self) -> None:
        while self._waiting:
            self._looks += 1
            if self._tried is None and (is_settled(self._app) or self._looks >= _LOOKS):
                # What the app itself is doing is seen only when it takes the event.
                self._tried = self._waiting[0]
                if not self._app.post_message(self._tried):
                    return  # the app ends
            await asyncio.sleep(0 if self._looks < _AT_ONCE else _PAUSE_SECONDS)
