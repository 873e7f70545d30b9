"""Who was told of what, kept over runs: `state/notified.json`. A file that cannot be read counts as missing: it is told again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.errors import StoreError
from core.notify.channel import Item
from core.notify.told import ChannelState, Told
from core.paths import Paths
from core.store.atomic import make_dir, remove_file, write_file
from core.store.records import from_values, parsed, rfc3339

FORMAT = 1
"""Of the file. A newer one was written by a newer certdeck, and is left alone."""


def load(paths: Paths) -> dict[str, ChannelState]:
    """Return what is kept, by channel. Raises StoreError (`store-error`) for the file of a newer certdeck."""
    try:
        raw = parsed(paths.notified.read_bytes())
        if not isinstance(raw, dict):
            return {}
        if isinstance(raw.get("format"), int) and raw["format"] > FORMAT:
            raise StoreError(
                f"{paths.notified} was written by a newer certdeck.",
                f"Its format is {raw['format']}; this certdeck knows {FORMAT}.",
                "Install the newer certdeck again, or remove the file: then everything is told once more.",
            )
        return {str(name): _state(value) for name, value in raw["channels"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def save(paths: Paths, channels: Mapping[str, ChannelState]) -> None:
    """Keep these and no others. Raises StoreError."""
    kept = {name: state for name, state in channels.items() if state != ChannelState()}
    if not kept:
        remove_file(paths.notified)
        return
    make_dir(paths.state)
    value = {"format": FORMAT, "channels": {name: _plain(state) for name, state in kept.items()}}
    write_file(paths.notified, json.dumps(value, indent=1).encode())


def _state(raw: Any) -> ChannelState:
    return ChannelState(
        told={str(key): from_values(Told, value) for key, value in raw["told"].items()},
        pending=tuple(from_values(Item, value) for value in raw["pending"]),
    )


def _plain(state: ChannelState) -> dict[str, object]:
    return {
        "told": {
            key: {
                "at": rfc3339(told.at),
                "level": told.level,
                "lineage": told.lineage,
                "ended": told.ended,
                "events": list(told.events),
            }
            for key, told in state.told.items()
        },
        "pending": [
            {
                "events": list(item.events),
                "what": item.what,
                "why": item.why,
                "fix": item.fix,
                "certificate": item.certificate,
                "target": item.target,
                "next_try": None if item.next_try is None else rfc3339(item.next_try),
                "not_after": None if item.not_after is None else rfc3339(item.not_after),
                "urgent": item.urgent,
            }
            for item in state.pending
        ],
    }
