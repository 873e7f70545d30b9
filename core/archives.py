"""The engine's results for a backup and a restore. Values without behaviour."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from msgspec import Struct


class BackupDone(Struct, frozen=True, kw_only=True):
    """A completed backup."""

    path: Path
    files: int
    bytes: int
    """Total size of its files before sealing."""
    certificates: int
    sealed_for: str
    """`passphrase` or `key`."""
    key_source: str
    """Source of the master key: `file` (it is in the backup), `passphrase`, `credential`, `none`."""
    skipped: tuple[str, ...] = ()
    """Paths that are neither file nor folder, which a backup does not include."""


class Difference(Struct, frozen=True, kw_only=True):
    """One difference between a backup and this box."""

    kind: str
    """`hostname`, `release`, `certificate`, `account`, `target`, `timer`, `vault`, `mount`."""
    name: str
    """Name of the certificate, account or target; otherwise empty."""
    state: str
    """`added`, `removed`, `older`, `newer`, `changed`, `missing-path`, `absent`, `locked`, `mounted`."""
    text: str
    """For people, one sentence."""


class RestoreDone(Struct, frozen=True, kw_only=True):
    """What a restore did, or would do in a dry run."""

    path: Path
    applied: bool
    made: datetime
    version: str
    """The release that created the backup."""
    hostname: str
    files: int
    bytes: int
    certificates: int
    needs_replace: bool
    """Something is already set up here, and would be moved aside."""
    differences: tuple[Difference, ...] = ()
    set_aside: tuple[Path, ...] = ()
    """Folders with the previous data."""
