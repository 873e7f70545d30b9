"""What a move of the master key tells."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class VaultMoved(Struct, frozen=True, kw_only=True):
    """What `vault move` has done."""

    to: str
    """`file`, `passphrase`, `credential`."""
    is_done: bool
    """False where the key was only written out, for the administrator to make a credential of it."""
    from_: str
    """The source that sealed before."""
    resealed: int
    """How many secrets were sealed under another key than before."""
    removed: tuple[Path, ...]
    """Key files that are gone now."""
    key_file: Path | None
    """Where the key was written out, else None."""
