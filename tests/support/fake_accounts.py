"""The part of the engine's double that changes accounts; `known_accounts` is what it has."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace as changed

from core.engine import ignore
from core.errors import NotFound
from core.events import Reporter
from core.operations import AccountInfo
from core.ports import CancelToken


class FakeAccounts:
    """Mix-in; its host has `_called` and `known_accounts`."""

    known_accounts: tuple[AccountInfo, ...]

    def roll_over_account(
        self, issuer: str, *, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> AccountInfo:
        self._asked("roll_over_account", issuer=issuer)
        return self._change(issuer, thumbprint="NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")

    def deactivate_account(self, issuer: str, *, report: Reporter = ignore, cancel: CancelToken | None = None) -> None:
        self._asked("deactivate_account", issuer=issuer)
        gone = self._change(issuer)
        self.known_accounts = tuple(each for each in self.known_accounts if each != gone)

    def set_account_contact(
        self, issuer: str, email: str | None, *, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> AccountInfo:
        self._asked("set_account_contact", issuer=issuer, email=email)
        return self._change(issuer, contact=email)

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
        self._asked(
            "import_account",
            issuer=issuer,
            key=key,
            replace=replace,
            **({} if passphrase is None else {"passphrase": passphrase}),
        )
        return self._change(issuer)

    def _change(self, issuer: str, **changes: Any) -> AccountInfo:
        for account in self.known_accounts:
            if account.issuer == issuer:
                made = changed(account, **changes)
                self.known_accounts = tuple(made if each is account else each for each in self.known_accounts)
                return made
        raise NotFound(f"There is no account at {issuer} yet.", "The first order creates it.", "Issue a certificate.")

    def _asked(self, method: str, **given: Any) -> None:
        called: Any = self
        called._called(method, **given)
