"""Restores a backup on this box or another: `look` only shows the changes, `restore` replaces the existing state.

Everything is first read, authenticated and written next to the existing state. Only if all of it is valid, one journal file
commits the restore. From then on, the next command completes a killed restore (`core.store.switchover`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from core.archives import Difference, RestoreDone
from core.config.load import parse_config
from core.config.model import Config
from core.dates import moment_in_words
from core.errors import AlreadyThere, BackupTooNew, ConfigError, InUse, NotFound, UsageError, VaultError
from core.events import Changed
from core.foreign.mounts import mount_points
from core.paths import Paths
from core.ports import CancelToken
from core.store import archive, backup_record, switchover
from core.store.atomic import discard, make_dir, new_temporary_dir
from core.store.home import is_empty
from core.store.sealed_stream import Lock, Opener
from core.store.vault import Vault
from core.text import listed
from core.workflows.context import Context, View
from core.workflows.keeping.backup_manifest import Manifest, absent_folders, differences, from_record, manifest_of
from core.workflows.renewing.timer import timer

_CONFIG = "etc/certdeck.toml"
_LONGEST_CONFIG = 2_000_000


class _Seen(Struct, kw_only=True):
    """What was read from the backup so far."""

    files: int = 0
    size: int = 0
    config: bytes = b""


def look(view: View, file: Path, lock: Lock) -> RestoreDone:
    """Read a backup to its end, and return what restoring it would change. Changes nothing.

    Raises NotFound (`not-found`), UsageError (`usage`), BackupInvalid, BackupLocked, BackupTooNew, StoreError.
    """
    seen = _Seen()
    with _opened(file, lock) as (opener, manifest):
        for _ in _watched(view.paths, opener, seen):
            pass
    _check_config(seen, manifest, view.paths)
    done = _done(view, file, manifest, seen)
    mounts = (
        Difference(
            kind="mount",
            name=str(path),
            state="mounted",
            text=f"{path} is a mount point: certdeck would refuse the restore.",
        )
        for path in switchover.mounted(view.paths, mount_points())
    )
    return replace(done, differences=(*done.differences, *mounts))


def restore(context: Context, file: Path, lock: Lock, *, replace_all: bool) -> RestoreDone:
    """Replace the existing state with a backup. The existing state is moved aside, and the log stays.

    Raises AlreadyThere (`already-there`) if this box is set up and `replace_all` is not given; InUse (`in-use`) if a folder to
    move aside is a mount point; and what `look` raises.
    """
    paths, now = context.paths, context.env.clock.now()
    if not is_empty(paths) and not replace_all:
        raise AlreadyThere(
            "The backup was not restored.",
            "This box already has certificates or settings, which would be replaced.",
            "Check the changes with --dry-run. To move the existing files aside, add --replace.",
        )
    _refuse_mounts(paths)
    seen = _Seen()
    with _opened(file, lock) as (opener, manifest), _beside(paths) as places:
        modes = archive.unpack(_watched(paths, opener, seen, context.cancel), places)
        _check_config(seen, manifest, paths)
        locked = _locked(context, places)
        done = _done(context, file, manifest, seen, applied=True)
        # From now on, the master key of this box is the one in the backup.
        beside = Paths(places["etc"], places["state"], paths.run, paths.log)
        backup_record.save(beside, now, backup_record.RESTORED)
        context.cancel.check()
        stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        aside = switchover.begin(paths, stamp=stamp, places=places, modes=modes)
    context.narrator.tell(
        Changed(what=f"restored the backup {file} made on {manifest.hostname} on {moment_in_words(manifest.made)}")
    )
    return replace(done, set_aside=aside, differences=(*done.differences, *locked))


def _refuse_mounts(paths: Paths) -> None:
    found = switchover.mounted(paths, mount_points())
    if found:
        raise InUse(
            "The backup was not restored.",
            f"Something is mounted on {listed([str(path) for path in found], 3)}. A mount point cannot be moved aside.",
            f"Unmount it, or mount the folder above it ({found[0].parent}) as a whole; then restore again. Nothing was changed.",
            details={"paths": [str(path) for path in found]},
        )


@contextmanager
def _beside(paths: Paths) -> Iterator[Mapping[str, Path]]:
    """Yield an empty temporary folder in `etc` and in `state`. They are removed unless the restore was committed."""
    places: dict[str, Path] = {}
    try:
        for name, root in (("etc", paths.etc), ("state", paths.state)):
            make_dir(root)
            places[name] = new_temporary_dir(root)
        yield places
    finally:
        if not switchover.is_under_way(paths):
            for place in places.values():
                discard(place)


@contextmanager
def _opened(file: Path, lock: Lock) -> Iterator[tuple[Opener, Manifest]]:
    if not file.exists():
        raise NotFound("The backup cannot be read.", f"The file {file} does not exist.", "Give the file of a backup.")
    if not file.is_file():
        raise UsageError(f"{file} is not a regular file.", "A backup is a single file.", "Give the file of a backup.")
    with archive.opened(file) as read:
        opener = Opener(read, lock)
        yield opener, from_record(archive.read_manifest(opener))


def _watched(
    paths: Paths, opener: Opener, seen: _Seen, cancel: CancelToken | None = None
) -> Iterator[tuple[archive.Member, Iterator[bytes]]]:
    for member, pieces in archive.members(paths, opener):
        if cancel is not None:
            cancel.check()
        if member.kind == "file":
            seen.files, seen.size = seen.files + 1, seen.size + member.size
        if member.path == _CONFIG and member.size <= _LONGEST_CONFIG:
            seen.config = b"".join(pieces)
            yield member, iter((seen.config,))
        else:
            yield member, pieces


def _check_config(seen: _Seen, manifest: Manifest, paths: Paths) -> Config:
    try:
        return parse_config(seen.config, paths.config)
    except ConfigError as exc:
        raise BackupTooNew(
            "This release cannot use the settings in the backup.",
            f"{exc.why} The backup was made by certdeck {manifest.version}.",
            "Install that release or a newer one, then restore again. Nothing was changed.",
            details=exc.details,
        ) from exc


def _done(view: View, file: Path, manifest: Manifest, seen: _Seen, *, applied: bool = False) -> RestoreDone:
    now = view.env.clock.now()
    hostname = view.config.appliance.hostname or view.env.host.name()
    ours = manifest_of(view.paths, view.config, hostname=hostname, now=now, key_source="none")
    has_timer = timer(view, now).word == "active"
    absent = absent_folders(manifest)
    found = differences(manifest, ours, absent=absent, has_timer=has_timer, applied=applied)
    return RestoreDone(
        path=file,
        applied=applied,
        made=manifest.made,
        version=manifest.version,
        hostname=manifest.hostname,
        files=seen.files,
        bytes=seen.size,
        certificates=len(manifest.certificates),
        needs_replace=not is_empty(view.paths),
        differences=tuple(found),
    )


def _locked(context: Context, places: Mapping[str, Path]) -> tuple[Difference, ...]:
    """Check whether the vault in the backup opens on this box."""
    paths = Paths(places["etc"], places["state"], context.paths.run, context.paths.log)
    try:
        Vault(paths, context.env).check()
    except VaultError as exc:
        return (
            Difference(
                kind="vault", name="", state="locked", text=f"The vault cannot be opened on this box. {exc.why}"
            ),
        )
    return ()
