"""The notifications that were sent, kept over runs: `state/notified.json`. If it cannot be read, they are sent again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict

from core.notify.channel import Item
from core.notify.told import ChannelState, Told
from core.paths import Paths
from core.regular import read_stored
from core.store.atomic import make_dir, remove_file
from core.store.records import dumped, from_values, parsed, write_record


def load(paths: Paths) -> dict[str, ChannelState]:
    """Return what is kept, by channel. Raises StoreTooNew (`store-too-new`) for the file of a later release."""
    try:
        raw = parsed(read_stored(paths.notified), paths.notified)
        channels = raw["channels"] if isinstance(raw, dict) else {}
        return {str(name): _state(value) for name, value in channels.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def save(paths: Paths, channels: Mapping[str, ChannelState]) -> None:
    """Keep these and no others. Raises StoreError."""
    kept = {name: state for name, state in channels.items() if state != ChannelState()}
    if not kept:
        remove_file(paths.notified)
        return
    make_dir(paths.state)
    write_record(paths.notified, dumped({"channels": {name: _plain(state) for name, state in kept.items()}}))


def _state(raw: Any) -> ChannelState:
    return ChannelState(
        told={str(key): from_values(Told, value) for key, value in raw["told"].items()},
        pending=tuple(from_values(Item, value) for value in raw["pending"]),
    )


def _plain(state: ChannelState) -> dict[str, object]:
    return {
        "told": {key: asdict(told) for key, told in state.told.items()},
        "pending": [asdict(item) for item in state.pending],
    }
