"""Counts how much this box uses of the published rate limits of CAs. Checked before each order, stored in `state/ledger.json`.

Orders in progress already count as certificates, so that several at once do not exceed a limit together. An order that ends without
a certificate no longer counts as one: a CA counts it only as an order, or as a failed validation.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from msgspec import Struct

from core.budget import (
    FAILURES,
    ORDERS,
    PER_DOMAIN,
    PER_NAMES,
    RENEWAL,
    REPLACES,
    Allowance,
    Standing,
    Use,
    first_in_the_way,
    kept,
    standings,
    subjects_of,
)
from core.config.model import Config
from core.errors import AuthorizationFailed, CertdeckError
from core.issuers import BUILT_IN, Issuer
from core.registered_domain import registered_domain
from core.store import ledger as stored
from core.store.accounts import account_id
from core.store.index import facts_of_all
from core.workflows.context import Context
from core.workflows.issuing.budget_words import spent, tell_cost
from core.workflows.issuing.plan import issuer_named


class Counted(Struct, frozen=True, kw_only=True):
    """An account at an issuer, whose limits are counted."""

    account: str
    issuer: Issuer

    @staticmethod
    def at(issuer: Issuer) -> Counted:
        """Return the account of this box at an issuer."""
        return Counted(account=account_id(issuer.name, issuer.directory or ""), issuer=issuer)


class OneOrder(Struct, kw_only=True):
    """An order in progress: from just before it is placed until it ends."""

    names: tuple[str, ...]
    exempt: tuple[str, ...] = ()
    """Reasons why the CA may not count it: `replaces`, `renewal`."""
    is_placed: bool = False
    """The CA has accepted it."""


class Ledger:
    """The counts of one run. Thread-safe."""

    def __init__(self, context: Context, *, insists: bool = False, is_forced: bool = False) -> None:
        """`insists`: order even if that exceeds a limit. `is_forced`: report the cost of each order."""
        self._context = context
        self._insists = insists
        self._is_forced = is_forced or insists
        self._lock = threading.Lock()
        self._longest = longest(context.config)
        self._under_way: dict[str, list[OneOrder]] = {}
        """By account."""
        self._had: dict[str, set[frozenset[str]]] | None = None
        self._uses: list[Use] | None = None

    def look(self, counted: Counted, names: Sequence[str], *, replaces: bool) -> None:
        """Check that an order may be placed, and count it as in progress. Raises BudgetSpent (`rate-limit-budget`)."""
        allowances = counted.issuer.limits
        if not allowances:
            return
        exempt = self._exempt(counted, names, replaces=replaces)
        now = self._now()
        with self._lock:
            uses = [*self._all(), *self._unsettled(counted, now)]
            found = standings(allowances, uses, counted.account, names, exempt, registered_domain, now)
            in_the_way = first_in_the_way(found)
            if in_the_way is not None and not self._insists:
                raise spent(self._context.config, counted.issuer, names, in_the_way)
            self._place(counted, names, exempt)
        if self._is_forced and found:
            tell_cost(self._context.narrator, counted.issuer, found)

    def ordered(self, counted: Counted, names: Sequence[str]) -> None:
        """Count an order that the CA has accepted."""
        if not counted.issuer.limits:
            return
        with self._lock:
            order = self._of(counted, names)
            if order is not None:
                order.is_placed = True
            self._add(counted, ORDERS, names, order.exempt if order else ())

    def learn(self, issuer: Issuer, met: Standing, until: datetime) -> None:
        """Record that the CA reported a limit as exhausted until `until`."""
        account, limit, subject = Counted.at(issuer).account, met.allowance.limit, met.subject
        now = self._now()
        said = Use(account=account, limit=limit, subject=subject, at=now, until=until.timestamp())
        with self._lock:
            self._keep([said], now)

    @contextmanager
    def order(self, issuer: Issuer, names: Sequence[str]) -> Iterator[OneOrder]:
        """Count the result of the order in this context: a certificate on success, failed validations otherwise."""
        counted = Counted.at(issuer)
        if not issuer.limits:
            yield OneOrder(names=tuple(names))
            return
        failed: set[str] = set()
        is_issued = False
        outside = OneOrder(names=tuple(names))
        try:
            yield outside
            is_issued = True
        except AuthorizationFailed as exc:
            failed = refused_names(exc)
            raise
        finally:
            with self._lock:
                order = self._of(counted, names)
                exempt = (*outside.exempt, *(order.exempt if order else self._renews(counted, names)))
                if order is not None:
                    self._under_way[counted.account].remove(order)
                if is_issued:
                    self._add(counted, PER_DOMAIN, names, exempt)
                    self._add(counted, PER_NAMES, names, exempt)
                if failed:
                    self._add(counted, FAILURES, sorted(failed), exempt)

    def has_issued(self, issuer: Issuer, names: Sequence[str]) -> None:
        """Note that a CA has issued for exactly these names before, if no certificate on this box shows it."""
        with self._lock:
            self._issued().setdefault(issuer.directory or "", set()).add(frozenset(names))

    def has_uses(self, counted: Counted) -> bool:
        """Tell whether this box has used any of an account's limits."""
        with self._lock:
            return any(use.account == counted.account for use in self._all())

    def standing(self, issuer: Issuer, names: Sequence[str]) -> tuple[Standing, ...]:
        """Return the state of the limits that apply to a new order for `names`."""
        counted = Counted.at(issuer)
        exempt = self._exempt(counted, names, replaces=False)
        with self._lock:
            uses = self._all()
        return standings(counted.issuer.limits, uses, counted.account, names, exempt, registered_domain, self._now())

    def _exempt(self, counted: Counted, names: Sequence[str], *, replaces: bool) -> tuple[str, ...]:
        with self._lock:
            return (*([REPLACES] if replaces else []), *self._renews(counted, names))

    def _renews(self, counted: Counted, names: Sequence[str]) -> tuple[str, ...]:
        """Return RENEWAL if the CA has issued for exactly these names before, as far as this box knows. Else nothing."""
        had = self._issued().get(counted.issuer.directory or "", set())
        return (RENEWAL,) if frozenset(names) in had else ()

    def _issued(self) -> dict[str, set[frozenset[str]]]:
        """Return the sets of names for which each CA has issued, by directory URL."""
        if self._had is None:
            self._had = {}
            for facts in facts_of_all(self._context.paths)[0]:
                if facts.directory:
                    self._had.setdefault(facts.directory, set()).add(frozenset(facts.names))
        return self._had

    def _place(self, counted: Counted, names: Sequence[str], exempt: tuple[str, ...]) -> None:
        again = self._of(counted, names)  # ordered again without `replaces`, which the CA refused
        if again is not None:
            again.exempt = exempt
        else:
            self._under_way.setdefault(counted.account, []).append(OneOrder(names=tuple(names), exempt=exempt))

    def _of(self, counted: Counted, names: Sequence[str]) -> OneOrder | None:
        wanted = tuple(names)
        return next((each for each in self._under_way.get(counted.account, ()) if each.names == wanted), None)

    def _unsettled(self, counted: Counted, now: float) -> Iterator[Use]:
        """Yield what the orders in progress will use if they succeed."""
        for order in self._under_way.get(counted.account, ()):
            for limit in (PER_DOMAIN, PER_NAMES, *(() if order.is_placed else (ORDERS,))):
                yield from _uses(counted, limit, order.names, order.exempt, now)

    def _add(self, counted: Counted, limit: str, names: Collection[str], exempt: Collection[str]) -> None:
        now = self._now()
        new = list(_uses(counted, limit, names, exempt, now))
        if new:
            self._keep(new, now)

    def _keep(self, new: Sequence[Use], now: float) -> None:
        self._uses = [*kept(self._all(), self._longest, now), *new]
        stored.save(self._context.paths, self._uses)

    def _all(self) -> list[Use]:
        if self._uses is None:
            self._uses = list(kept(stored.load(self._context.paths), self._longest, self._now()))
        return self._uses

    def _now(self) -> float:
        return self._context.env.clock.now().timestamp()


def longest(config: Config) -> dict[str, float]:
    """Return, by limit, after how many seconds a use no longer counts at any issuer."""
    found: dict[str, float] = {}
    for name in {*BUILT_IN, *config.issuers}:
        for allowance in issuer_named(config, name).limits:
            found[allowance.limit] = max(found.get(allowance.limit, 0.0), allowance.seconds)
    return found


def _uses(counted: Counted, limit: str, names: Collection[str], exempt: Collection[str], now: float) -> Iterator[Use]:
    allowance = allowance_of(counted.issuer, limit)
    if allowance is None or set(allowance.exempt) & set(exempt):
        return
    for subject in subjects_of(limit, names, registered_domain):
        yield Use(account=counted.account, limit=limit, at=now, subject=subject)


def allowance_of(issuer: Issuer, limit: str) -> Allowance | None:
    """Return an issuer's allowance for a limit. None: not known."""
    return next((each for each in issuer.limits if each.limit == limit), None)


def refused_names(error: CertdeckError) -> set[str]:
    """Return the names that the CA tried and failed to validate."""
    problems = error.details.get("problems")
    if not isinstance(problems, dict):
        return set()
    return {name for name, facts in problems.items() if isinstance(facts, dict) and facts.get("type")}
