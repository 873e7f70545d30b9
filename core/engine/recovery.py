"""What is kept for a bad day: deleted certificates, and a new vault when the key is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.engine.base import EngineBase, ignore

if TYPE_CHECKING:
    from core.events import Reporter
    from core.kept import DeletedLineage, LostSecret, NewLog, NewVault, Restored


class Recovery(EngineBase):
    """Bringing back, and beginning anew."""

    def deleted(self) -> tuple[DeletedLineage, ...]:
        """Return what `undelete` can bring back. Needs no lock and no key."""
        from core.workflows.keeping.undelete import deleted

        return deleted(self._view())

    def undelete(self, name: str, *, report: Reporter = ignore) -> Restored:
        """Bring a deleted lineage back with all its versions; nothing is deployed.

        Raises NotFound (`not-found`), UsageError (`usage`) where there is a lineage of that name, VaultError.
        """
        from core.workflows.keeping.undelete import undelete

        with self._writing("undelete", report, None, name) as context:
            return undelete(context, name)

    def new_log_chain(self) -> NewLog:
        """Set the log aside, as far as it is there, and begin a new one whose first entry says so. Raises LockHeld, StoreError."""
        from core.kept import NewLog
        from core.store.lock import writers_lock
        from core.store.quarantine import set_aside

        now = self.env.clock.now()
        with writers_lock(self.paths, self.env, "log --new-chain"), self._history() as history:
            entries, place = history.new_chain(lambda path: set_aside(self.paths, path, now), now, self.env.host.user())
        return NewLog(previous_entries=entries, set_aside=place)

    def lost_secrets(self) -> tuple[LostSecret, ...]:
        """Return what no master key of this box opens. Needs no lock; raises VaultError where a passphrase is missing or wrong."""
        from core.workflows.keeping.new_vault import lost_secrets

        return lost_secrets(self._reading())

    def new_vault(self, *, report: Reporter = ignore) -> NewVault:
        """Set aside what no master key of this box opens, and make a key where there is none.

        Raises UsageError (`usage`) where everything opens; VaultError as `lost_secrets`.
        """
        from core.store.backup_record import forget
        from core.workflows.keeping.new_vault import new_vault

        with self._writing("vault new", report) as context:
            forget(self.paths)  # what was backed up is another key
            return new_vault(context)
