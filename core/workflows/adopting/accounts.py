"""Asks a CA for the account of a key before the key is taken over: a deactivated account would fail the next renewal."""

from __future__ import annotations

from contextlib import closing

from msgspec import Struct

from core.acme.account import Account, look_up
from core.acme.account_key import AccountKey
from core.acme.session import AcmeSession
from core.errors import AccountDeactivated, Cancelled, CertdeckError
from core.workflows.context import Context
from core.workflows.issuing.plan import issuer_named


class AccountThere(Struct, frozen=True, kw_only=True):
    """The CA's answer about an account key."""

    account: Account | None = None
    terms: str | None = None
    """URL of the CA's terms of service, to which the owner of the account has agreed."""
    gone: str = ""
    """Why the key has no account, as a sentence. Empty: it has one, or the CA did not answer."""
    trouble: str = ""
    """Why the CA gave no answer, as sentences. Empty: it did."""


class Accounts:
    """Asks each CA once for each key. A CA that does not respond is asked only once in total."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], AccountThere] = {}
        self._silent: dict[str, AccountThere] = {}

    def of(self, context: Context, issuer: str, key: AccountKey) -> AccountThere:
        """Return the account of a key at an issuer of `context.config` (RFC 8555 §7.3.1). Raises Cancelled."""
        asked = (issuer, key.thumbprint)
        if issuer in self._silent:
            return self._silent[issuer]
        if asked not in self._known:
            answer = self._known[asked] = _asked(context, issuer, key)
            if answer.trouble:
                self._silent[issuer] = answer
        return self._known[asked]


def _asked(context: Context, issuer: str, key: AccountKey) -> AccountThere:
    try:
        wanted = issuer_named(context.config, issuer)
        entry = context.config.issuers.get(issuer)
        assert wanted.directory is not None, "only ACME issuers have accounts"
        with closing(context.env.transport(entry.ca_bundle if entry else None)) as transport:
            session = AcmeSession(
                transport=transport,
                clock=context.env.clock,
                random=context.env.random,
                directory_url=wanted.directory,
                key=key,
                cancel=context.cancel,
                issuer=issuer,
            )
            found = look_up(session)
            if found is None:
                return AccountThere(gone=f"{issuer} has no account for this key.")
            return AccountThere(account=found, terms=session.directory.terms_of_service)
    except AccountDeactivated as exc:
        return AccountThere(gone=f"{exc.what} {exc.why}")
    except Cancelled:
        raise
    except CertdeckError as exc:
        return AccountThere(trouble=f"{exc.what} {exc.why}")
