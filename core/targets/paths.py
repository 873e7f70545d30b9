"""The names of what a target has on disk."""

from __future__ import annotations

from pathlib import Path

from core.config.model import TargetConfig

FULLCHAIN = "fullchain.pem"
KEY = "privkey.pem"
CHAIN = "chain.pem"
CURRENT = "current"
MARK = ".target"


def folder_of(target: TargetConfig) -> Path:
    """Return the folder of the pair."""
    return Path(target.certificate).parent / f".certdeck-{target.name}"


def paths_of(target: TargetConfig) -> list[tuple[Path, str]]:
    """Return the paths of a target, each with the name of its file in a version folder."""
    chain = [] if target.chain is None else [(Path(target.chain), CHAIN)]
    return [(Path(target.certificate), FULLCHAIN), (Path(target.key), KEY), *chain]


def temporary_of(name: str, target: str) -> str:
    """Return the temporary name for what takes the place of `name`."""
    return f".certdeck-{target}.{name}"


def is_ours(link: object, folder: Path, file: str) -> bool:
    """Tell whether a text is that of certdeck's link to `file` in the folder of a pair."""
    return isinstance(link, str) and f"/{link}".endswith(f"/{folder.name}/{CURRENT}/{file}")
