"""Backup of the whole box in one file, restore, and the bug report."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from core.config.model import Config
from core.engine.base import EngineBase, ignore
from core.errors import CertdeckError, ConfigError

if TYPE_CHECKING:
    from core.archives import BackupDone, RestoreDone
    from core.events import Reporter
    from core.operations import LogEntry
    from core.ports import CancelToken


_REPORTED_ENTRIES = 500


class Archives(EngineBase):
    """Backup, restore, and the file for a bug report."""

    def backup(
        self,
        out: Path,
        *,
        passphrase: bytes | None = None,
        to_key: bytes | None = None,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> BackupDone:
        """Write everything except the log into one file, sealed with a passphrase or for an X25519 public key (PEM).

        Raises UsageError (`usage`), StoreError, LockHeld.
        """
        from core.store.sealed_stream import Lock
        from core.workflows.keeping.backup import backup

        with self._writing("backup", report, cancel) as context:
            return backup(context, out, Lock(passphrase=passphrase, key_pem=to_key))

    def backed_up_elsewhere(self, *, report: Reporter = ignore) -> None:
        """Record that the master key is backed up by other means."""
        from core.workflows.keeping.backup import backed_up_elsewhere

        with self._writing("backup", report) as context:
            backed_up_elsewhere(context)

    def look_at_backup(self, file: Path, *, passphrase: bytes | None = None, key: bytes | None = None) -> RestoreDone:
        """Read a backup completely, and return what restoring it would change here. Needs no lock.

        Raises NotFound (`not-found`), BackupInvalid, BackupLocked, BackupTooNew, StoreError.
        """
        from core.store.sealed_stream import Lock
        from core.workflows.context import View
        from core.workflows.keeping.restore import look

        view = View(paths=self.paths, env=self.env, config=self._config_or_default())
        return look(view, file, Lock(passphrase=passphrase, key_pem=key))

    def restore(
        self,
        file: Path,
        *,
        passphrase: bytes | None = None,
        key: bytes | None = None,
        replace: bool = False,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> RestoreDone:
        """Replace the state of this box with a backup; `replace` is required if anything is set up here.

        Raises AlreadyThere (`already-there`), and as `look_at_backup` does.
        """
        from core.store.sealed_stream import Lock
        from core.workflows.keeping.restore import restore

        with self._writing("restore", report, cancel, config=self._config_or_default()) as context:
            return restore(context, file, Lock(passphrase=passphrase, key_pem=key), replace_all=replace)

    def write_report(self, out: Path, *, texts: Mapping[str, str]) -> tuple[str, ...]:
        """Write a file for a bug report, without secrets; return the names of its members. Needs no lock.

        Args:
            texts: file name → text from the front end, such as the status. Secrets are removed from these, too.

        Raises UsageError (`usage`), StoreError.
        """
        from core.events import KeyUsed
        from core.workflows.keeping.report import Source, write_report

        entries: tuple[LogEntry, ...] = ()
        with self._history() as history:
            who = self.env.host.user()
            context = self._context(Config(), lambda told: history.record(told, who), None)
            context.narrator.tell(KeyUsed(key="*", purpose=f"leave it out of the report {out}"))
            with suppress(CertdeckError):
                entries = history.entries(limit=_REPORTED_ENTRIES)
        return write_report(Source(paths=self.paths, env=self.env, entries=entries, texts=texts), out)

    def _config_or_default(self) -> Config:
        """Return the settings of this box, or the defaults: unreadable settings must not prevent replacing them."""
        with suppress(ConfigError):
            return self.config()
        return Config()
