"""How much of a CA's published limits is used, and when there is capacity again. Pure.

The limits are token buckets, as Let's Encrypt implements them: at most `count`, and one is refilled after each
`seconds / count`. This box cannot know what other machines use of a limit that applies to a whole domain.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from core.stored_times import LIMIT_UNTIL, USED_AT, is_void

ORDERS = "orders"
PER_DOMAIN = "certificates-per-domain"
PER_NAMES = "certificates-per-name-set"
FAILURES = "failed-authorizations"

REPLACES = "replaces"
"""The order names the certificate that it replaces (RFC 9773 §5)."""
RENEWAL = "renewal"
"""The CA has issued for exactly these names before."""

_THINGS: Mapping[str, tuple[str, str]] = {
    ORDERS: ("order", "orders"),
    PER_DOMAIN: ("certificate for {}", "certificates for {}"),
    PER_NAMES: ("certificate for exactly these names ({})", "certificates for exactly these names ({})"),
    FAILURES: ("failed validation of {}", "failed validations of {}"),
}
_GENERAL: Mapping[str, str] = {
    ORDERS: "orders",
    PER_DOMAIN: "certificates for a registered domain",
    PER_NAMES: "certificates for exactly the same names",
    FAILURES: "failed validations of a name",
}
_ALMOST = 1e-6
"""Tolerance for sums of seconds, which are not exact."""


class Allowance(Struct, frozen=True, kw_only=True):
    """One limit of a CA."""

    limit: str
    """`orders`, `certificates-per-domain`, `certificates-per-name-set`, `failed-authorizations`."""
    count: int
    seconds: float
    """The time in which all of `count` are refilled."""
    exempt: tuple[str, ...] = ()
    """Orders that do not count: `replaces`, `renewal`."""

    @property
    def general(self) -> str:
        """The limit without a subject: `50 certificates for a registered domain`."""
        return f"{self.count} {_GENERAL[self.limit]}"

    def things(self, subject: str, number: int | None = None) -> str:
        """Return the limit with its subject: `50 certificates for example.com`."""
        number = self.count if number is None else number
        return f"{number} {_THINGS[self.limit][number != 1].format(subject)}"


class Use(Struct, frozen=True, kw_only=True):
    """One use of one limit."""

    account: str
    """Issuer and directory (`store.accounts.account_id`)."""
    limit: str
    at: float
    """Epoch seconds."""
    subject: str = ""
    """Registered domain, set of names, or name; empty if the limit applies to the whole account."""
    until: float = 0.0
    """If set, this is not a use: the CA refused an order until this time (epoch seconds)."""


class Standing(Struct, frozen=True, kw_only=True):
    """The state of one limit for one subject, according to this box's own uses."""

    allowance: Allowance
    subject: str
    used: int
    left: int
    free_at: float | None
    """Epoch seconds: when one more is possible. None: now."""
    unused_at: float
    """Epoch seconds: when no use counts any longer."""
    is_told: bool = False
    """The CA has reported that nothing is left."""


def domain_of(name: str, registered: Callable[[str], str]) -> str:
    """Return the subject of a limit per domain for a name: the registered domain, the IPv4 address, the IPv6 network (/64)."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return registered(name.removeprefix("*."))
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))


def subjects_of(limit: str, names: Collection[str], registered: Callable[[str], str]) -> tuple[str, ...]:
    """Return the subjects that an order for `names` counts for: one for each use of the limit."""
    if limit == PER_DOMAIN:
        return tuple(sorted({domain_of(name, registered) for name in names}))
    if limit == PER_NAMES:
        return (", ".join(sorted(set(names))),)
    if limit == FAILURES:
        return tuple(sorted({name.removeprefix("*.") for name in names}))
    return ("",)


def standing(allowance: Allowance, subject: str, uses: Iterable[Use], now: float) -> Standing:
    """Return the state of a limit after `uses`. A refusal of the CA takes precedence: it also counts other machines."""
    uses = tuple(uses)
    closed = max((use.until for use in uses), default=0.0)
    times = [use.at for use in uses if not use.until]
    rate = allowance.count / allowance.seconds
    level, last = 0.0, float("-inf")
    for at in sorted(at for at in times if at <= now):
        level = max(0.0, level - (at - last) * rate) + 1
        last = at
    level = max(0.0, level - (now - last) * rate)
    over = level + 1 - allowance.count
    left = max(0, int(allowance.count - level + _ALMOST))
    free_at = now + over / rate if over > _ALMOST else now
    return Standing(
        allowance=allowance,
        subject=subject,
        used=allowance.count - left,
        left=0 if closed > now else left,
        is_told=closed > now,
        free_at=max(free_at, closed) if max(free_at, closed) > now else None,
        unused_at=max(now + level / rate, closed),
    )


def standings(
    allowances: Sequence[Allowance],
    uses: Iterable[Use],
    account: str,
    names: Collection[str],
    exempt: Collection[str],
    registered: Callable[[str], str],
    now: float,
) -> tuple[Standing, ...]:
    """Return the state of every limit that applies to an order for `names`. `exempt`: the type of order (`replaces`, `renewal`)."""
    mine = [use for use in uses if use.account == account]
    found = []
    for allowance in allowances:
        if set(allowance.exempt) & set(exempt):
            continue
        for subject in subjects_of(allowance.limit, names, registered):
            those = [use for use in mine if (use.limit, use.subject) == (allowance.limit, subject)]
            found.append(standing(allowance, subject, those, now))
    return tuple(found)


def used_standings(
    allowances: Sequence[Allowance], uses: Iterable[Use], account: str, now: float
) -> tuple[Standing, ...]:
    """Return the state of every limit that has uses, the tightest first."""
    by_subject: dict[tuple[str, str], list[Use]] = {}
    for use in uses:
        if use.account == account:
            by_subject.setdefault((use.limit, use.subject), []).append(use)
    found = [
        standing(allowance, subject, those, now)
        for allowance in allowances
        for (limit, subject), those in by_subject.items()
        if limit == allowance.limit
    ]
    return tuple(
        sorted((each for each in found if each.used or each.is_told), key=lambda each: (each.left, each.subject))
    )


def first_in_the_way(found: Iterable[Standing]) -> Standing | None:
    """Return the limit that delays an order the longest, or None."""
    return max((each for each in found if each.free_at is not None), key=lambda each: each.free_at or 0.0, default=None)


def kept(uses: Iterable[Use], longest: Mapping[str, float], now: float) -> tuple[Use, ...]:
    """Return the uses that still count, without those recorded under a wrong clock.

    Args:
        longest: limit → seconds after which a use of it no longer counts.
    """
    return tuple(
        use
        for use in uses
        if (now < use.until if use.until else now - use.at < longest.get(use.limit, 0.0))
        and not is_void(use.at, now, USED_AT)
        and not is_void(use.until, now, LIMIT_UNTIL)
    )
