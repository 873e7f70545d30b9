"""What the front ends get of a backup and of a restore. Values without behaviour."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from msgspec import Struct


class BackupDone(Struct, frozen=True, kw_only=True):
    """A backup that was written."""

    path: Path
    files: int
    bytes: int
    """Of the files in it, before they were sealed."""
    certificates: int
    sealed_for: str
    """`passphrase` or `key`."""
    key_source: str
    """Where the master key comes from: `file` (it is in the backup), `passphrase`, `credential`, `none`."""
    skipped: tuple[str, ...] = ()
    """Paths that are neither file nor folder, which no backup holds."""


class Difference(Struct, frozen=True, kw_only=True):
    """One thing in which a backup and this box differ."""

    kind: str
    """`hostname`, `release`, `certificate`, `account`, `target`, `timer`, `vault`, `mount`."""
    name: str
    """Of the certificate, account, target; else empty."""
    state: str
    """`added`, `removed`, `older`, `newer`, `changed`, `missing-path`, `absent`, `locked`, `mounted`."""
    text: str
    """For people, one sentence."""


class RestoreDone(Struct, frozen=True, kw_only=True):
    """What a restore did, or with a dry run would do."""

    path: Path
    applied: bool
    made: datetime
    version: str
    """The release that made the backup."""
    hostname: str
    files: int
    bytes: int
    certificates: int
    needs_replace: bool
    """Something is set up here already, and would be moved aside."""
    differences: tuple[Difference, ...] = ()
    set_aside: tuple[Path, ...] = ()
    """Folders that hold what was here before."""
