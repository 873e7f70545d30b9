"""Accounts at CAs, changed: another key, another contact, given up, taken over from another client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.engine.base import EngineBase, ignore

if TYPE_CHECKING:
    from core.events import Reporter
    from core.operations import AccountInfo
    from core.ports import CancelToken
    from core.workflows.context import Context


class Accounts(EngineBase):
    """Each holds the writers' lock while it runs and asks the CA. Raises NotFound where there is no account; IssuerError."""

    def roll_over_account(
        self, issuer: str, *, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> AccountInfo:
        """Give the account a new key; killed in between, the next use finds out which one holds."""
        from core.workflows.settings.account_changes import roll_over

        with self._writing("account rollover", report, cancel) as context:
            changed = roll_over(context, issuer)
            _share(context, issuer)
            return changed

    def deactivate_account(self, issuer: str, *, report: Reporter = ignore, cancel: CancelToken | None = None) -> None:
        """Give the account up for good and forget it; the next order makes a new one."""
        from core.workflows.settings.account_changes import deactivate

        with self._writing("account deactivate", report, cancel) as context:
            deactivate(context, issuer)

    def set_account_contact(
        self, issuer: str, email: str | None, *, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> AccountInfo:
        """Tell the CA another contact, or none. Raises UsageError for what is no address."""
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
        """Take over the account of a key (PEM or JWK) that another client has made; `replaced` names the one before.

        Raises AccountError (`account-error`) for what is no key, or has no account, and where `passphrase` is missing or wrong
        (`details["passphrase"]`: `needed`, `wrong`); UsageError where there is another account and `replace` is not given.
        """
        from core.workflows.settings.account_changes import import_key

        with self._writing("account import", report, cancel) as context:
            changed = import_key(context, issuer, key, replace_existing=replace, passphrase=passphrase)
            _share(context, issuer)
            return changed


def _share(context: Context, issuer: str) -> None:
    """Give a changed account to the other hubs of a fleet, which use the same one."""
    if not context.config.fleet.is_hub:
        return
    from core.workflows.fleet.sharing import share_change

    share_change(context, issuer)
