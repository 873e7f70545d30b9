"""The rate limits that CAs report in one run: effective from the first refusal, for all threads, and stored for the next run.

After a limit ends, one order goes first. The others follow only when the CA has accepted it, some seconds apart.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct

from core.acme.session import SHORT_SECONDS
from core.dates import minute_shown
from core.errors import RateLimited
from core.events import Warned
from core.issuers import Issuer
from core.rate_limits import ORDERING, WHAT, Limit, believable, closed
from core.request_kind import RequestKind
from core.store import limits as stored
from core.workflows.context import Context
from core.workflows.issuing.ledger import Counted, Ledger

SPREAD_SECONDS = (1.0, 3.0)
"""Pause between the starts of two orders at a CA after a limit: an empty token bucket refills slowly."""
_LOOK_AGAIN_SECONDS = 0.05
_FREE, _OUT, _PASSED = "free", "out", "passed"
"""State of the first order after a limit: not sent, sent, accepted by the CA."""


def is_waiting(error: BaseException) -> bool:
    """Tell whether an error means that no request was sent, because of a limit that the CA reported earlier."""
    return isinstance(error, RateLimited) and error.details.get("closed") is True


class Limits:
    """All limits of one run. Thread-safe."""

    def __init__(
        self, context: Context, *, insists: bool = False, is_forced: bool = False, ends: float = math.inf
    ) -> None:
        """Load the limits that earlier runs stored.

        Args:
            insists: the user wants to try despite limits from earlier runs. Limits reported in this run still apply.
            is_forced: the user orders something that is not due; the cost is reported.
            ends: end of the first certificate to expire among those to renew, in epoch seconds.
        """
        self.ledger = Ledger(context, insists=insists, is_forced=is_forced)
        self._context = context
        self._before = stored.load(context.paths)
        self._limits = list(believable(self._before, self._now()))
        now = self._now()
        self._ignored = frozenset(each for each in self._limits if insists or each.outlives(ends, now))
        self._first = {each.account: _FREE for each in self._limits if each.kind in ORDERING}
        self._next_begin: dict[str, float] = {}
        self._changed = threading.Condition()

    def gate(self, issuer: Issuer) -> AccountGate:
        """Return the gate that a session with this issuer passes before each request."""
        return AccountGate(self, Counted.at(issuer))

    def enter(self, account: str, issuer: str, kind: RequestKind, names: Sequence[str]) -> None:
        """See `Gate.enter`."""
        kinds = ORDERING if kind == RequestKind.NEW_ORDER else (kind,)
        while True:
            self._context.cancel.check()
            with self._changed:
                limits = [each for each in self._limits if each not in self._ignored]
                limit = closed(limits, account, kinds, names, self._now())
                pause = 0.0 if limit is None else limit.until - self._now()
                if limit is not None and pause > SHORT_SECONDS:
                    raise waiting(issuer, limit)
                if limit is None:
                    first = self._first.get(account, "") if kind == RequestKind.NEW_ORDER else ""
                    if first == _FREE:
                        self._first[account] = _OUT
                    if first != _OUT:
                        pause = self._place(account) if first == _PASSED else 0.0
                        break
                    self._changed.wait(_LOOK_AGAIN_SECONDS)
            if pause > 0:
                self._context.env.clock.sleep(pause, self._context.cancel)
        if pause > 0:
            self._context.env.clock.sleep(pause, self._context.cancel)

    def answered(self, account: str, kind: RequestKind) -> None:
        """See `Gate.answered`."""
        if kind != RequestKind.NEW_ORDER:
            return
        with self._changed:
            now = self._now()
            self._limits = [
                each
                for each in self._limits
                if each.account != account or (each.until > now and each not in self._ignored)
            ]
            if account in self._first:
                self._first[account] = _PASSED
                self._changed.notify_all()

    def unanswered(self, account: str, kind: RequestKind) -> None:
        """See `Gate.unanswered`."""
        with self._changed:
            if kind == RequestKind.NEW_ORDER and self._first.get(account) == _OUT:
                self._first[account] = _FREE
                self._changed.notify_all()

    def refused(self, account: str, issuer: str, limit: Limit) -> None:
        """See `Gate.refused`."""
        with self._changed:
            same = [each for each in self._limits if each.covers(account, (limit.kind,), [limit.domain])]
            is_news = not any(each.until > limit.noted and each not in self._ignored for each in same)
            self._limits = [*(each for each in self._limits if each not in same or each.until > limit.until), limit]
        self.keep()  # at once: after a kill, the next run must not ask again
        if is_news and limit.until - limit.noted > SHORT_SECONDS:
            error = waiting(issuer, limit)
            self._context.narrator.tell(Warned(code="issuer-closed", what=f"{error.what} {error.why}", fix=error.fix))

    def keep(self) -> None:
        """Store current limits, and those that have ended but were not tried since. Never raises."""
        with self._changed:
            kept = tuple(dict.fromkeys(each for each in self._limits if each.until - each.noted > SHORT_SECONDS))
            if kept != self._before:
                stored.save(self._context.paths, kept)
                self._before = kept

    def note(self, account: str, kind: RequestKind, until: datetime, domain: str, said: str) -> Limit:
        """Return a limit that the CA has just reported."""
        return Limit(account=account, kind=kind, until=until.timestamp(), noted=self._now(), domain=domain, said=said)

    def _place(self, account: str) -> float:
        """Reserve the next start of an order. Returns the seconds until then."""
        monotonic = self._context.env.clock.monotonic()
        begins = max(monotonic, self._next_begin.get(account, 0.0))
        self._next_begin[account] = begins + self._context.env.random.uniform(*SPREAD_SECONDS)
        return begins - monotonic

    def _now(self) -> float:
        return self._context.env.clock.now().timestamp()


class AccountGate(Struct, frozen=True):
    """The `Gate` of one account: checks the CA's published limits first, then those that it reported."""

    limits: Limits
    counted: Counted

    @property
    def account(self) -> str:
        return self.counted.account

    @property
    def issuer(self) -> str:
        return self.counted.issuer.name

    def enter(self, kind: RequestKind, names: Sequence[str], *, replaces: bool = False) -> None:
        if kind == RequestKind.NEW_ORDER:
            self.limits.ledger.look(self.counted, names, replaces=replaces)
        self.limits.enter(self.account, self.issuer, kind, names)

    def ordered(self, names: Sequence[str]) -> None:
        self.limits.ledger.ordered(self.counted, names)

    def answered(self, kind: RequestKind) -> None:
        self.limits.answered(self.account, kind)

    def unanswered(self, kind: RequestKind) -> None:
        self.limits.unanswered(self.account, kind)

    def refused(self, kind: RequestKind, until: datetime, domain: str, said: str) -> None:
        self.limits.refused(self.account, self.issuer, self.limits.note(self.account, kind, until, domain, said))


def waiting(issuer: str, limit: Limit) -> RateLimited:
    """Return the error for a request that is not sent because of a limit that the CA reported."""
    until = datetime.fromtimestamp(limit.until, UTC)
    about = f" for {limit.domain}" if limit.domain else ""
    said = f' Its message: "{limit.said}".' if limit.said else ""
    return RateLimited(
        f"{issuer} {WHAT[limit.kind]}{about} before {minute_shown(until)}.",
        f"It refused a request because of a rate limit. An earlier attempt can extend the wait.{said}",
        "Wait until then: the scheduled run continues automatically. To try now, use --force with the certificate's name.",
        retry_at=until,
        details={"closed": True, "kind": limit.kind},
    )
