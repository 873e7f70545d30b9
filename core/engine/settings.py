"""Settings of the whole box: issuers and accounts, targets, the schedule, the vault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.config.model import IssuerConfig, TargetConfig
from core.engine.base import EngineBase, ignore

if TYPE_CHECKING:
    from pathlib import Path

    from core.events import Reporter
    from core.operations import ScheduleInfo
    from core.ports import CancelToken
    from core.vault_moves import VaultMoved


class Settings(EngineBase):
    """Operations on the configuration. Each holds the writers' lock while it runs."""

    def add_issuer(self, name: str, config: IssuerConfig, *, report: Reporter = ignore) -> None:
        """Add an issuer, or override a built-in one, in `certdeck.toml`."""
        from core.workflows.settings.issuers import add_issuer

        with self._writing("issuer add", report) as context:
            add_issuer(context, name, config)

    def remove_issuer(self, name: str, *, report: Reporter = ignore) -> None:
        """Remove an entry of `certdeck.toml`. Refused while a lineage uses an issuer that is not built in."""
        from core.workflows.settings.issuers import remove_issuer

        with self._writing("issuer remove", report) as context:
            remove_issuer(context, name)

    def set_default_issuer(self, name: str, *, report: Reporter = ignore) -> tuple[str, ...]:
        """Make an issuer the default for new certificates; return the existing certificates that keep another one."""
        from core.workflows.settings.issuers import set_default_issuer

        with self._writing("issuer default", report) as context:
            return set_default_issuer(context, name)

    def agree_terms(self, issuer: str, *, report: Reporter = ignore) -> None:
        """Record in the configuration that the user agreed to the issuer's terms of service."""
        from core.workflows.settings.issuers import agree_terms

        with self._writing("issuer agree", report) as context:
            agree_terms(context, issuer)

    def set_eab(self, issuer: str, *, kid: str, hmac: bytes, report: Reporter = ignore) -> None:
        """Store an external account binding: the key ID in the configuration, the HMAC key in the vault."""
        from core.workflows.settings.accounts import set_eab

        with self._writing("account eab", report) as context:
            set_eab(context, issuer, kid=kid, hmac=hmac)

    def add_target(self, config: TargetConfig, *, report: Reporter = ignore) -> None:
        """Add or change a target in `certdeck.toml`."""
        from core.workflows.settings.targets import add_target

        with self._writing("target add", report) as context:
            add_target(context, config)

    def take_over(
        self,
        ids: Sequence[str],
        *,
        name: str | None = None,
        cancel: CancelToken | None = None,
        report: Reporter = ignore,
    ) -> tuple[TargetConfig, ...]:
        """Create targets for services that were detected on this box.

        Args:
            ids: the `id`s of `DetectedService`.
            name: name of the target, if only one service is taken over; otherwise the suggested one is used.

        Raises NotFound (`not-found`), UsageError: then nothing is written.
        """
        from core.workflows.detecting.take_over import take_over

        with self._writing("target add", report, cancel) as context:
            return take_over(context, tuple(ids), name)

    def remove_target(self, name: str, *, report: Reporter = ignore) -> None:
        """Remove a target from the configuration; its files stay as they are."""
        from core.workflows.settings.targets import remove_target

        with self._writing("target remove", report) as context:
            remove_target(context, name)

    def set_schedule(
        self, *, preset: str | None = None, at: Sequence[str] = (), report: Reporter = ignore
    ) -> ScheduleInfo:
        """Enable the scheduled run, or change its times: a preset, times such as `03:00`, or the previous ones.

        Raises UsageError (`usage`) if the lifetime of a certificate is too short for it.
        """
        from core.workflows.settings.schedule import set_schedule

        with self._writing("schedule on", report) as context:
            return set_schedule(context, preset=preset, at=at)

    def unschedule(self, *, report: Reporter = ignore) -> ScheduleInfo:
        """Disable the scheduled run."""
        from core.workflows.settings.schedule import unschedule

        with self._writing("schedule off", report) as context:
            return unschedule(context)

    def set_theme(self, name: str, *, report: Reporter = ignore) -> None:
        """Store the console's theme in `certdeck.toml` (`appliance.theme`). Raises ConfigError, StoreError."""
        from core.config.edit import set_values

        with self._writing("settings", report) as context:
            set_values(context.paths, {"appliance.theme": name})

    def rotate_vault(self, *, report: Reporter = ignore) -> int:
        """Seal every secret again under a new master key; return their number."""
        from core.store.backup_record import forget
        from core.store.vault import Vault

        with self._writing("vault rotate", report):
            forget(self.paths)  # the backup has a different key
            return Vault(self.paths, self.env).rotate()

    def move_vault(self, to: str, *, out: Path | None = None, report: Reporter = ignore) -> VaultMoved:
        """Move the master key to another source (`file`, `passphrase`, `credential`).

        Args:
            out: for `credential`: only write the current key to this new file; everything else stays as it is.

        Raises UsageError, VaultError, StoreError.
        """
        from core.store.backup_record import forget
        from core.store.vault_move import move, write_out

        with self._writing("vault move", report):
            if out is not None:
                return write_out(self.paths, self.env, out)
            return move(self.paths, self.env, to, lambda: forget(self.paths))

    def export_ca_root(self, *, report: Reporter = ignore) -> bytes:
        """Return the PEM of the private CA's root certificate; the root is created on first use."""
        from core.workflows.appliance_ca import root_pem

        with self._writing("issuer root", report) as context:
            return root_pem(context, context.vault)
