"""Writes a backup: one encrypted file with settings, certificates, keys, accounts, vault and master key, but not the log.

It is written under the writers' lock, so that its contents are consistent, and in pieces, so that its size does not matter.
"""

from __future__ import annotations

from pathlib import Path

from core.archives import BackupDone
from core.errors import UsageError
from core.events import Changed, KeyUsed, Warned
from core.store import archive, backup_record, master_key
from core.store.sealed_stream import Lock, Sealer, check_public_key
from core.workflows.context import Context
from core.workflows.keeping.backup_manifest import manifest_of, to_bytes
from core.workflows.keeping.out_file import place_for

_MODE = 0o600


def backup(context: Context, out: Path, lock: Lock) -> BackupDone:
    """Write a backup to `out`, replacing an existing file.

    Raises UsageError (`usage`) for an unusable path or public key; StoreError, VaultError.
    """
    if lock.key_pem is not None:
        check_public_key(lock.key_pem)
    paths, now = context.paths, context.env.clock.now()
    if out.resolve().is_relative_to(paths.etc.resolve()):
        raise UsageError(
            f"{out} is in certdeck's own configuration folder.",
            "The next backup would contain this one.",
            "Choose a file elsewhere, preferably on another machine.",
        )
    keys = master_key.ring(paths, context.env)
    source = keys[0].source if keys else "none"
    manifest = manifest_of(
        paths,
        context.config,
        hostname=context.config.appliance.hostname or context.env.host.name(),
        now=now,
        key_source=source,
    )
    context.narrator.tell(KeyUsed(key="*", purpose=f"backup to {out}"))
    with place_for(paths, out, out / "certdeck.backup") as place, place.written(_MODE) as write:

        def put(piece: bytes) -> None:
            context.cancel.check()
            write(piece)

        packed = archive.pack(Sealer(put, lock, context.env.random), paths, to_bytes(manifest))
    backup_record.save(paths, now, backup_record.BACKUP)
    for path in packed.skipped:
        context.narrator.tell(
            Warned(
                code="not-in-backup",
                what=f"{path} is not in the backup: it is a link, a device, or too large.",
                fix="If you need it, copy it by other means.",
            )
        )
    context.narrator.tell(Changed(what=f"wrote a backup to {out}"))
    return BackupDone(
        path=out,
        files=packed.files,
        bytes=packed.bytes,
        certificates=len(manifest.certificates),
        sealed_for="passphrase" if lock.passphrase is not None else "key",
        key_source=source,
        skipped=packed.skipped,
    )


def backed_up_elsewhere(context: Context) -> None:
    """Record that the master key is backed up by other means, which ends the reminders. Raises StoreError."""
    backup_record.save(context.paths, context.env.clock.now(), backup_record.ELSEWHERE)
    context.narrator.tell(Changed(what="recorded that this box is backed up by other means"))
