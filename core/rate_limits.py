"""Limits reported by CAs: which kind of request of which account is closed, and until when. Pure.

The first refusal closes the kind of request for all users of that account, because the next requests would be refused, too, and
some CAs count refused requests. A limit that concerns only one set of names, according to the CA, closes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from core.renewal import ASK_AGAIN_SECONDS
from core.request_kind import RequestKind
from core.stored_times import LIMIT_NOTED, LIMIT_UNTIL, is_void

ORDERING = (RequestKind.NEW_ORDER, RequestKind.FINALIZE, RequestKind.ORDER)
"""The requests that an order needs: if one of them is closed, a new order would fail."""
REMEMBERED_SECONDS = 86400.0
"""How long a limit is remembered after its end, so that the next run tries one order before all others."""

WHAT: Mapping[str, str] = {
    RequestKind.DIRECTORY: "accepts no requests",
    RequestKind.NEW_ACCOUNT: "accepts no new accounts",
    RequestKind.NEW_ORDER: "accepts no new orders",
    RequestKind.FINALIZE: "finishes no orders",
    RequestKind.REVOCATION: "accepts no revocations",
    RequestKind.RENEWAL_INFO: "returns no renewal information",
    RequestKind.ORDER: "accepts no requests",
}
"""The effect of a limit, in words that follow the CA's name."""


class Limit(Struct, frozen=True, kw_only=True):
    """One closed kind of request."""

    account: str
    """Issuer and directory (`store.accounts.account_id`)."""
    kind: str
    until: float
    """Epoch seconds, like `noted`."""
    noted: float
    domain: str = ""
    """Only orders for this domain and names below it; empty: all."""
    said: str = ""
    """The CA's message."""

    def outlives(self, not_after: float, now: float) -> bool:
        """Return whether a certificate would expire while this limit is waited for, so that the CA is asked anyway, once a day.

        A CA that states a wrong time must not let a certificate expire.
        """
        return not_after <= self.until and now - self.noted >= ASK_AGAIN_SECONDS

    def covers(self, account: str, kinds: Iterable[str], names: Sequence[str]) -> bool:
        """Return whether a request is affected."""
        if self.account != account or self.kind not in kinds:
            return False
        below = f".{self.domain}"
        return not self.domain or any(name == self.domain or name.endswith(below) for name in names)


def believable(limits: Iterable[Limit], now: float) -> tuple[Limit, ...]:
    """Return the limits without those recorded under a wrong clock, and those that ended long ago."""
    return tuple(
        each
        for each in limits
        if not is_void(each.noted, now, LIMIT_NOTED)
        and not is_void(each.until, now, LIMIT_UNTIL)
        and now < each.until + REMEMBERED_SECONDS
    )


def closed(
    limits: Iterable[Limit], account: str, kinds: Iterable[str], names: Sequence[str], now: float
) -> Limit | None:
    """Return the limit that delays a request the longest, or None."""
    wanted = tuple(kinds)
    found = [each for each in limits if each.until > now and each.covers(account, wanted, names)]
    return max(found, key=lambda each: each.until, default=None)
