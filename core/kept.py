"""What is kept beside the certificates in use, as the front ends get it: deleted ones, and secrets that nothing opens any more."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from msgspec import Struct


class DeletedLineage(Struct, frozen=True, kw_only=True):
    """A certificate that can be brought back."""

    name: str
    deleted: datetime | None
    """None: it was not deleted; its settings are gone, and its versions are still stored."""
    kept_until: datetime | None
    """When its copy goes for good; None: it stays."""
    in_the_way: bool = False
    """There is a certificate of that name again."""


class Restored(Struct, frozen=True, kw_only=True):
    """A certificate that was brought back. Nothing was deployed."""

    name: str
    version: int | None
    """The live one; where none is, the newest that is stored."""
    live: bool
    """It is live again, as it was."""
    rolled_back_from: int | None = None
    """A newer version that is kept too."""
    shown_by: tuple[str, ...] = ()
    """Its targets that show it already."""
    targets: tuple[str, ...] = ()
    """All its targets: what carries another certificate by now is none."""


class LostSecret(Struct, frozen=True, kw_only=True):
    """Something sealed that no master key of this box opens."""

    kind: str
    """`account`, `eab`, `dns`, `ca`, `version`, `order`, `request`, `deleted`, `other`."""
    name: str
    """As it was sealed: `account/letsencrypt-1a2b3c4d`."""


class NewLog(Struct, frozen=True, kw_only=True):
    """The log after it was begun anew."""

    previous_entries: int
    """Number of the last entry of the chain before, as far as it is known; 0 where nothing is."""
    set_aside: Path | None
    """Where the old log lies now; None where there was none."""


class NewVault(Struct, frozen=True, kw_only=True):
    """The vault after what could not be opened was set aside."""

    lost: tuple[LostSecret, ...]
    set_aside: Path | None
    """The folder where it lies now."""
    is_new_key: bool
    """A master key was made."""
