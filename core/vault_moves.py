"""The result of moving the master key."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class VaultMoved(Struct, frozen=True, kw_only=True):
    """The result of `vault move`."""

    to: str
    """`file`, `passphrase`, `credential`."""
    is_done: bool
    """False if the key was only written out, for the administrator to create a credential from it."""
    from_: str
    """The previous source."""
    resealed: int
    """Number of secrets that were sealed with another key than before."""
    removed: tuple[Path, ...]
    """Key files that were removed."""
    key_file: Path | None
    """Where the key was written out, otherwise None."""
