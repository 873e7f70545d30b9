"""Limits that CAs have set: which kind of request of which account is closed until when. Pure.

The first refusal closes the kind of request for everybody who uses that account, because the next ones would be refused too, and
some CAs count refused requests. A limit that the CA says to concern one set of names closes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from core.renewal import ASK_AGAIN_SECONDS
from core.request_kind import RequestKind
from core.stored_times import LIMIT_NOTED, LIMIT_UNTIL, is_void

ORDERING = (RequestKind.NEW_ORDER, RequestKind.FINALIZE, RequestKind.ORDER)
"""What an order needs: where one of them is closed, a new order would come to nothing."""
REMEMBERED_SECONDS = 86400.0
"""How long after its end a limit is remembered, so that the next run tries one order before all others."""

WHAT: Mapping[str, str] = {
    RequestKind.DIRECTORY: "accepts no requests",
    RequestKind.NEW_ACCOUNT: "accepts no new accounts",
    RequestKind.NEW_ORDER: "accepts no new orders",
    RequestKind.FINALIZE: "finishes no orders",
    RequestKind.REVOCATION: "accepts no revocations",
    RequestKind.RENEWAL_INFO: "returns no renewal information",
    RequestKind.ORDER: "accepts no requests",
}
"""What a limit does, after the CA's name."""


class Limit(Struct, frozen=True, kw_only=True):
    """One kind of request that is closed."""

    account: str
    """Issuer and directory (`store.accounts.account_id`)."""
    kind: str
    until: float
    """Epoch seconds, as `noted`."""
    noted: float
    domain: str = ""
    """Only orders for this domain and names below it; empty: all."""
    said: str = ""
    """The CA's words."""

    def outlives(self, not_after: float, now: float) -> bool:
        """Tell whether a certificate would end while this is waited for, so that the CA is asked all the same, once a day.

        A CA that gives a time by mistake must not let a certificate expire.
        """
        return not_after <= self.until and now - self.noted >= ASK_AGAIN_SECONDS

    def covers(self, account: str, kinds: Iterable[str], names: Sequence[str]) -> bool:
        """Tell whether a request is meant."""
        if self.account != account or self.kind not in kinds:
            return False
        below = f".{self.domain}"
        return not self.domain or any(name == self.domain or name.endswith(below) for name in names)


def believable(limits: Iterable[Limit], now: float) -> tuple[Limit, ...]:
    """Return the limits without those that a wrong clock has written, and those that are long over."""
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
    """Return the limit that keeps a request back the longest, or None."""
    wanted = tuple(kinds)
    found = [each for each in limits if each.until > now and each.covers(account, wanted, names)]
    return max(found, key=lambda each: each.until, default=None)
