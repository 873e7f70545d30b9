"""Recovery: deleted certificates, and a new vault if the key is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.engine.base import EngineBase, ignore

if TYPE_CHECKING:
    from core.events import Reporter
    from core.kept import DeletedLineage, LostSecret, NewLog, NewVault, Restored


class Recovery(EngineBase):
    """Restoring deleted data, and starting a new log or vault."""

    def deleted(self) -> tuple[DeletedLineage, ...]:
        """Return the lineages that `undelete` can restore. Needs no lock and no key."""
        from core.workflows.keeping.undelete import deleted

        return deleted(self._view())

    def undelete(self, name: str, *, report: Reporter = ignore) -> Restored:
        """Restore a deleted lineage with all its versions; nothing is deployed.

        Raises NotFound (`not-found`), UsageError (`usage`) if a lineage with that name exists, VaultError.
        """
        from core.workflows.keeping.undelete import undelete

        with self._writing("undelete", report, None, name) as context:
            return undelete(context, name)

    def new_log_chain(self) -> NewLog:
        """Move the log aside if there is one, and start a new one whose first entry records this. Raises LockHeld, StoreError."""
        from core.kept import NewLog
        from core.store.lock import writers_lock
        from core.store.quarantine import set_aside

        now = self.env.clock.now()
        with writers_lock(self.paths, self.env, "log --new-chain"), self._history() as history:
            entries, place = history.new_chain(lambda path: set_aside(self.paths, path, now), now, self.env.host.user())
        return NewLog(previous_entries=entries, set_aside=place)

    def lost_secrets(self) -> tuple[LostSecret, ...]:
        """Return the secrets that no master key of this box decrypts. Needs no lock.

        Raises VaultError for a missing or wrong passphrase.
        """
        from core.workflows.keeping.new_vault import lost_secrets

        return lost_secrets(self._reading())

    def new_vault(self, *, report: Reporter = ignore) -> NewVault:
        """Move aside the secrets that no master key of this box decrypts, and create a key if there is none.

        Raises UsageError (`usage`) if everything can be decrypted; VaultError as `lost_secrets`.
        """
        from core.store.backup_record import forget
        from core.workflows.keeping.new_vault import new_vault

        with self._writing("vault new", report) as context:
            forget(self.paths)  # the backup has a different key
            return new_vault(context)
