"""The engine's results about retained data: deleted certificates, and secrets that can no longer be decrypted."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from msgspec import Struct


class DeletedLineage(Struct, frozen=True, kw_only=True):
    """A certificate that can be restored."""

    name: str
    deleted: datetime | None
    """None: it was not deleted; its settings are missing, and its versions are still stored."""
    kept_until: datetime | None
    """When its copy is removed permanently; None: it is kept."""
    in_the_way: bool = False
    """There is a certificate with that name again."""


class Restored(Struct, frozen=True, kw_only=True):
    """A restored certificate. Nothing was deployed."""

    name: str
    version: int | None
    """The live version; if there is none, the newest stored one."""
    live: bool
    """It is live again, as before."""
    rolled_back_from: int | None = None
    """A newer stored version."""
    shown_by: tuple[str, ...] = ()
    """Its targets that already serve it."""
    targets: tuple[str, ...] = ()
    """All its targets, without those that have another certificate by now."""


class LostSecret(Struct, frozen=True, kw_only=True):
    """A sealed secret that no master key of this box decrypts."""

    kind: str
    """`account`, `eab`, `dns`, `ca`, `version`, `order`, `request`, `deleted`, `other`."""
    name: str
    """Its name in the vault: `account/letsencrypt-1a2b3c4d`."""


class NewLog(Struct, frozen=True, kw_only=True):
    """The new log, and where the previous one is kept."""

    previous_entries: int
    """Number of the last entry of the previous chain, if known; otherwise 0."""
    set_aside: Path | None
    """Where the previous log is now; None if there was none."""


class NewVault(Struct, frozen=True, kw_only=True):
    """The vault after undecryptable secrets were moved aside."""

    lost: tuple[LostSecret, ...]
    set_aside: Path | None
    """The folder where they are now."""
    is_new_key: bool
    """A master key was created."""
