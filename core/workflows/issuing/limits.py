"""The limits of CAs in one run: closed at the first refusal, shared by all threads, kept for the next run.

After a limit one order goes first. Only when the CA takes it do the others follow, some seconds apart.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct

from core.acme.session import SHORT_SECONDS
from core.errors import RateLimited
from core.events import Warned
from core.issuers import Issuer
from core.rate_limits import ORDERING, WHAT, Limit, believable, closed
from core.request_kind import RequestKind
from core.store import limits as stored
from core.workflows.context import Context
from core.workflows.issuing.ledger import Counted, Ledger

SPREAD_SECONDS = (1.0, 3.0)
"""Between the beginnings of two orders at a CA that had closed: a bucket that was empty fills slowly."""
_LOOK_AGAIN_SECONDS = 0.05
_FREE, _OUT, _PASSED = "free", "out", "passed"
"""Of the first order after a limit: nobody has sent it, it is on its way, the CA took it."""


def is_waiting(error: BaseException) -> bool:
    """Tell whether nothing was asked of the CA, because it had said stop before."""
    return isinstance(error, RateLimited) and error.details.get("closed") is True


class Limits:
    """All limits of one run. Thread-safe."""

    def __init__(
        self, context: Context, *, insists: bool = False, is_forced: bool = False, ends: float = math.inf
    ) -> None:
        """Take what earlier runs were told.

        Args:
            insists: a person wants to try although a CA has said stop; what it says in this run still counts.
            is_forced: somebody orders what is not due, and is told what that costs.
            ends: when the first of the certificates ends that are to be renewed, in epoch seconds.
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
        """Return what a session with the account at that issuer asks before each request."""
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
        self.keep()  # at once: a run that is killed must not be followed by one that asks again
        if is_news and limit.until - limit.noted > SHORT_SECONDS:
            error = waiting(issuer, limit)
            self._context.narrator.tell(Warned(code="issuer-closed", what=f"{error.what} {error.why}", fix=error.fix))

    def keep(self) -> None:
        """Remember what is closed, and what has ended and was not tried since. Never raises."""
        with self._changed:
            kept = tuple(dict.fromkeys(each for each in self._limits if each.until - each.noted > SHORT_SECONDS))
            if kept != self._before:
                stored.save(self._context.paths, kept)
                self._before = kept

    def note(self, account: str, kind: RequestKind, until: datetime, domain: str, said: str) -> Limit:
        """Return a limit that was told now."""
        return Limit(account=account, kind=kind, until=until.timestamp(), noted=self._now(), domain=domain, said=said)

    def _place(self, account: str) -> float:
        """Return how long to wait for the next place in the row of orders."""
        monotonic = self._context.env.clock.monotonic()
        begins = max(monotonic, self._next_begin.get(account, 0.0))
        self._next_begin[account] = begins + self._context.env.random.uniform(*SPREAD_SECONDS)
        return begins - monotonic

    def _now(self) -> float:
        return self._context.env.clock.now().timestamp()


class AccountGate(Struct, frozen=True):
    """The `Gate` of one account: first the CA's published limits, then what it has said."""

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
    """Return the error for a request that is not sent, because the CA has said stop."""
    until = datetime.fromtimestamp(limit.until, UTC)
    about = f" for {limit.domain}" if limit.domain else ""
    said = f' Its message: "{limit.said}".' if limit.said else ""
    return RateLimited(
        f"{issuer} {WHAT[limit.kind]}{about} before {until:%Y-%m-%d %H:%M} UTC.",
        f"It refused a request because of a rate limit. An earlier attempt can extend the wait.{said}",
        "Wait until then: the scheduled run continues automatically. To try now, use --force with the certificate's name.",
        retry_at=until,
        details={"closed": True, "kind": limit.kind},
    )
