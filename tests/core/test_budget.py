"""Published limits as token buckets: what is used, what is left, when there is room again."""

from __future__ import annotations

import pytest

from core.budget import (
    FAILURES,
    ORDERS,
    PER_DOMAIN,
    PER_NAMES,
    RENEWAL,
    REPLACES,
    Allowance,
    Use,
    domain_of,
    first_in_the_way,
    kept,
    standing,
    standings,
    subjects_of,
    used_standings,
)
from core.issuers import BUILT_IN
from core.registered_domain import registered_domain

NOW = 1_800_000_000.0
DAY = 86400.0
FIVE = Allowance(limit=PER_NAMES, count=5, seconds=7 * DAY)
PRODUCTION = BUILT_IN["letsencrypt"].limits


def uses(*times: float, until: float = 0.0) -> list[Use]:
    return [Use(account="le", limit=PER_NAMES, subject="a", at=at, until=until) for at in times]


@pytest.mark.parametrize(
    ("ages", "used", "left", "free_in"),
    [
        ((), 0, 5, None),
        ((0.0,), 1, 4, None),
        ((0.0,) * 4, 4, 1, None),
        ((0.0,) * 5, 5, 0, 7 / 5 * DAY),
        ((0.0,) * 6, 5, 0, 2 * 7 / 5 * DAY),
        ((7 / 5 * DAY,) * 5, 4, 1, None),
        ((DAY,) * 5, 5, 0, 0.4 * DAY),
        ((7 * DAY,) * 5, 0, 5, None),
        ((-DAY,), 0, 5, None),
    ],
)
def test_a_bucket_refills(ages: tuple[float, ...], used: int, left: int, free_in: float | None) -> None:
    """One use comes back after each fifth of the week; what a wrong clock dated ahead does not count."""
    found = standing(FIVE, "a", uses(*(NOW - age for age in ages)), NOW)
    assert (found.used, found.left) == (used, left)
    assert found.free_at == (None if free_in is None else pytest.approx(NOW + free_in))


def test_an_old_use_takes_nothing_from_new_ones() -> None:
    """A bucket never holds more than its size: rest from weeks ago is not saved up."""
    times = [NOW - 20 * DAY, *[NOW] * 5]
    assert standing(FIVE, "a", uses(*times), NOW).left == 0


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("www.shop.example.co.uk", "example.co.uk"),
        ("*.example.com", "example.com"),
        ("box.duckdns.org", "box.duckdns.org"),
        ("github.io", "github.io"),
        ("a.b.xn--55qx5d.cn", "b.xn--55qx5d.cn"),
        ("www.ck", "www.ck"),
        ("box.unknown", "box.unknown"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
    ],
)
def test_what_a_domain_limit_counts_under(name: str, domain: str) -> None:
    """Registered domains by the Public Suffix List with its private part, IPv4 addresses, IPv6 networks (SO-07)."""
    assert domain_of(name, registered_domain) == domain


@pytest.mark.parametrize(
    ("exempt", "met"),
    [
        ((), {ORDERS, PER_DOMAIN, PER_NAMES, FAILURES}),
        ((RENEWAL,), {PER_NAMES, FAILURES}),
        ((REPLACES, RENEWAL), set()),
    ],
)
def test_what_lets_encrypt_counts(exempt: tuple[str, ...], met: set[str]) -> None:
    """A renewal with `replaces` meets no limit; one of the same names meets only those on the set and on failures (CL-03)."""
    found = standings(PRODUCTION, (), "le", ["a.example.com"], exempt, registered_domain, NOW)
    assert {each.allowance.limit for each in found} == met


def test_the_figures_are_those_of_the_page() -> None:
    """300 orders in 3 hours, 50 certificates a domain and 5 a set in 7 days, 5 failures an hour (page of 2026-08-05; CL-03)."""
    figures = {each.limit: (each.count, each.seconds) for each in PRODUCTION}
    assert figures == {
        ORDERS: (300, 3 * 3600),
        PER_DOMAIN: (50, 7 * DAY),
        PER_NAMES: (5, 7 * DAY),
        FAILURES: (5, 3600),
    }
    assert BUILT_IN["letsencrypt"].limits_as_of == "2026-08-05"


def test_limits_are_counted_by_account_and_subject() -> None:
    """Uses of another account, domain or set do not count; the limit with the latest moment is in the way."""
    uses = [
        *[Use(account="le", limit=PER_DOMAIN, subject="example.com", at=NOW)] * 50,
        *[Use(account="le", limit=PER_NAMES, subject="a.example.com", at=NOW)] * 5,
        *[Use(account="other", limit=ORDERS, at=NOW)] * 300,
    ]

    def way(*names: str, account: str = "le") -> str | None:
        found = first_in_the_way(standings(PRODUCTION, uses, account, names, (), registered_domain, NOW))
        return None if found is None else f"{found.allowance.limit} {found.subject}"

    assert way("a.example.com") == f"{PER_NAMES} a.example.com"
    assert way("b.example.com") == f"{PER_DOMAIN} example.com"
    assert way("b.example.org") is None
    assert way("b.example.com", account="third") is None
    assert [each.allowance.limit for each in used_standings(PRODUCTION, uses, "le", NOW)] == [PER_NAMES, PER_DOMAIN]


def test_a_set_is_one_whatever_its_order() -> None:
    """The same names in another order, or twice, are the same set; a wildcard's validation counts for its domain."""
    assert subjects_of(PER_NAMES, ["b.com", "a.com", "b.com"], str) == ("a.com, b.com",)
    assert subjects_of(FAILURES, ["*.a.com", "a.com"], str) == ("a.com",)


def test_what_is_kept() -> None:
    """Uses that cannot count any more are dropped, and those from the future of a wrong clock."""
    uses = [Use(account="le", limit=ORDERS, at=NOW + age) for age in (-4 * 3600.0, -60.0, 9 * DAY)]
    assert kept(uses, {ORDERS: 3 * 3600.0}, NOW) == (uses[1],)


def test_what_the_ca_says_counts_for_more() -> None:
    """A refusal with a time closes the limit until then, whatever this box has counted; afterwards it is gone."""
    told = uses(NOW, until=NOW + DAY)
    found = standing(FIVE, "a", told, NOW + 60)
    assert (found.used, found.left, found.free_at, found.is_told) == (0, 0, NOW + DAY, True)
    assert kept(told, {PER_NAMES: 7 * DAY}, NOW + DAY - 1) == tuple(told)
    assert kept(told, {PER_NAMES: 7 * DAY}, NOW + DAY) == ()
