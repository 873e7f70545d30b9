"""Settings that are kept in state files: of a lineage with its version or order, of a target with a deployment under way.

They are read under the same rules as a configuration file: a change of such a file gains no path, name or number that the
configuration would refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from msgspec.structs import asdict

from core.config.model import LineageConfig, TargetConfig
from core.config.rules import NAME, RULES
from core.store.records import from_values

Kept = TypeVar("Kept", LineageConfig, TargetConfig)


def settings_from(kind: type[Kept], raw: object) -> Kept:
    """Return the `kind` whose plain values stand in `raw`. Raises ValueError for anything that no configuration may say."""
    made = from_values(kind, _with_list(raw))
    if isinstance(raw, Mapping) and not raw.keys() <= set(kind.__struct_fields__):
        raise ValueError("it contains something that is not a setting")
    if not NAME.fullmatch(made.name):
        raise ValueError("its name is not valid")
    for name, value in asdict(made).items():
        if not all(
            _is_plain(text) for text in (value if isinstance(value, tuple) else [value]) if isinstance(text, str)
        ):
            raise ValueError(f"{name} contains control characters")
        rule = RULES.get((kind, name))
        if rule is not None and value is not None and rule(value) is not None:
            raise ValueError(f"{name} has an invalid value")
    return made


def _with_list(raw: object) -> object:
    """Return a target's settings with its probe as a list: earlier releases kept one text, or null."""
    if not isinstance(raw, dict) or not isinstance(raw.get("probe", []), str | None):
        return raw
    return {**raw, "probe": [raw["probe"]] if raw["probe"] else []}


def _is_plain(text: str) -> bool:
    return all(character >= " " and character != "\x7f" for character in text)
