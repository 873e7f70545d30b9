"""Changes of accounts at CAs: a new key, another contact, deactivation, and import from another client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.engine.base import EngineBase, ignore

if TYPE_CHECKING:
    from core.events import Reporter
    from core.operations import AccountInfo
    from core.ports import CancelToken
    from core.workflows.context import Context


class Accounts(EngineBase):
    """Each operation holds the writers' lock and contacts the CA. Raises NotFound if there is no account; IssuerError."""

    def roll_over_account(
        self, issuer: str, *, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> AccountInfo:
        """Give the account a new key. After a kill in between, the next use finds out which key is valid."""
        from core.workflows.settings.account_changes import roll_over

        with self._writing("account rollover", report, cancel) as context:
            changed = roll_over(context, issuer)
            _share(context, issuer)
            return changed

    def deactivate_account(self, issuer: str, *, report: Reporter = ignore, cancel: CancelToken | None = None) -> None:
        """Deactivate the account permanently and delete it here; the next order creates a new one."""
        from core.workflows.settings.account_changes import deactivate

        with self._writing("account deactivate", report, cancel) as context:
            deactivate(context, issuer)

    def set_account_contact(
        self, issuer: str, email: str | None, *, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> AccountInfo:
        """Set the contact at the CA; None removes it. Raises UsageError for an invalid address."""
        from core.workflows.settings.account_changes import set_contact

        with self._writing("account contact", report, cancel) as context:
            changed = set_contact(context, issuer, email)
            _share(context, issuer)
            return changed

    def import_account(
        self,
        issuer: str,
        key: bytes,
        *,
        replace: bool = False,
        passphrase: bytes | None = None,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> AccountInfo:
        """Import the account of a key (PEM or JWK) from another client; `replaced` in the result names the previous account.

        Raises AccountError (`account-error`) for an invalid key, one without an account, or if `passphrase` is missing or wrong
        (`details["passphrase"]`: `needed`, `wrong`); UsageError if there is another account and `replace` is not set.
        """
        from core.workflows.settings.account_changes import import_key

        with self._writing("account import", report, cancel) as context:
            changed = import_key(context, issuer, key, replace_existing=replace, passphrase=passphrase)
            _share(context, issuer)
            return changed


def _share(context: Context, issuer: str) -> None:
    """Publish a changed account to the other hubs of a fleet, which use the same one."""
    if not context.config.fleet.is_hub:
        return
    from core.workflows.fleet.sharing import share_change

    share_change(context, issuer)
