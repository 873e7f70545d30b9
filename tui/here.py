"""Finds the console's keys for the commands in a sentence: for `certdeck schedule on`, the key is S.

The engine's messages are for both front ends, so they name commands. The table of actions has the key of each. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tui.action import Action
from tui.actions import ACTIONS

_COMMAND: Final = re.compile(r"\bcertdeck (--renew|[a-z][a-z-]+)(?: ([a-z][a-z-]+))?")
_NO_KEY: Final = frozenset({"status"})
"""Commands whose result the first screen shows anyway."""
_SCOPES: Final = ("certificates", "app")
"""Scopes whose keys work on the first screen."""


def keys_for(words: str, *, elsewhere: bool = False) -> str:
    """Return the keys for the commands in `words`: `S Schedule`, `m Issuers, then a Agree`. Empty: there are none.

    `elsewhere`: for a page other than the first one, where the keys for certificates have other meanings.
    """
    return " · ".join(dict.fromkeys(_shown(action, elsewhere) for action in _named(words)))


def _named(words: str) -> Iterator[Action]:
    for found in _COMMAND.finditer(words):
        first = "renew" if found[1] == "--renew" else found[1]
        action = _action(f"{first} {found[2]}") or _action(first)
        if action is not None and first not in _NO_KEY:
            yield action


def _action(command: str) -> Action | None:
    able = [action for action in ACTIONS if command in action.commands and (_opener(action) or action.scope in _SCOPES)]
    return min(able, key=lambda action: action.scope not in _SCOPES, default=None)


def _opener(action: Action) -> Action | None:
    """Return the action that opens the page on which this one has its key."""
    return next((each for each in ACTIONS if each.scope == "app" and each.id == action.scope), None)


def _shown(action: Action, elsewhere: bool) -> str:
    page = _opener(action)
    own = f"{action.key_shown or '^p'} {action.label}"
    if elsewhere and action.scope == "certificates":
        return f"{own} on the first screen"
    return f"{page.key_shown or '^p'} {page.label}, then {own}" if page is not None else own
