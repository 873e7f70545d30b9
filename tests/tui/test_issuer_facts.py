"""The limits of an issuer, and the comparison of CAs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from textual.app import App

from core.operations import ClosedLimit, IssuerFacts, IssuerShown, LimitStanding
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW
from tui.screens.issuer_compare import CompareIssuersScreen
from tui.screens.issuer_limits import IssuerLimitsScreen

Snap = Callable[[App[Any], str], None]


class _Engine(FakeEngine):
    """Knows limits and facts."""

    def issuer(self, name: str) -> IssuerShown:
        found = super().issuer(name)
        return IssuerShown(
            issuer=found.issuer,
            limits_as_of="2026-08-05",
            limits=(
                LimitStanding(
                    limit="certificates-per-domain",
                    words="50 certificates for a registered domain",
                    count=50,
                    seconds=7 * 86400,
                    exempt=("replaces",),
                    subject="example.com",
                    used=49,
                    left=1,
                ),
                LimitStanding(
                    limit="failed-authorizations",
                    words="5 failed validations of a name",
                    count=5,
                    seconds=3600,
                    exempt=(),
                    subject="shop.example.com",
                    used=5,
                    left=0,
                    free_at=NOW + timedelta(minutes=20),
                    unused_at=NOW + timedelta(hours=1),
                ),
                LimitStanding(
                    limit="orders", words="300 orders", count=300, seconds=3 * 3600, exempt=(), used=0, left=300
                ),
            ),
            closed=(
                ClosedLimit(
                    what="accepts no new orders", until=NOW + timedelta(hours=2), domain="", said="too many new orders"
                ),
            ),
        )

    def compare_issuers(self) -> tuple[IssuerFacts, ...]:
        return (
            IssuerFacts(
                name="letsencrypt",
                title="Let's Encrypt",
                as_of="2026-08-05",
                price="free",
                lifetime="90 days (classic), 45 days (tlsserver), 160 hours (shortlived)",
                names="100 (classic), 25 (tlsserver, shortlived)",
                wildcard=True,
                ip="with the profile shortlived only",
                eab=False,
                limits="300 orders in 3 hours; 50 certificates for a registered domain in 7 days",
                ari="yes",
                profiles="classic, tlsserver, shortlived",
                staging="letsencrypt-staging",
                notes=("Free. 90 days.",),
            ),
            IssuerFacts(
                name="corp",
                title="Corp CA",
                as_of="",
                price="unknown",
                lifetime="unknown",
                names="unknown",
                wildcard=None,
                ip="unknown",
                eab=None,
                limits="unknown",
                ari="unknown",
                profiles="unknown",
                staging=None,
                notes=(),
            ),
        )


async def test_limits_with_what_is_used() -> None:
    """L lists what the CA refuses now, then each limit with what is used, what is left, and when one more is possible."""
    app = deck(_Engine())
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("m")
        await settled(pilot)
        await pilot.press("L")
        await settled(pilot)
        assert isinstance(app.screen, IssuerLimitsScreen)
        assert "too many new orders" in shown(app)
        await pilot.press("down")
        seen = shown(app)
        assert "49 of 50, so 1 left" in seen
        assert "Renewals with ARI (they name the certificate that they replace) do not count." in seen
        await pilot.press("down")
        seen = shown(app)
        assert "5 of 5, so 0 left" in seen
        assert "do not count" not in seen


async def test_an_issuer_without_known_limits() -> None:
    """Where no limits are known, the page says so."""
    app = deck(FakeEngine())
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("m")
        await settled(pilot)
        await pilot.press("L")
        await settled(pilot)
        assert "No limits of this CA are known" in shown(app)


async def test_cas_are_compared() -> None:
    """C lists the CAs, and below the chosen one everything that is known of it; what is unknown is said to be."""
    app = deck(_Engine())
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("m")
        await settled(pilot)
        await pilot.press("C")
        await settled(pilot)
        assert isinstance(app.screen, CompareIssuersScreen)
        assert "50 certificates for a registered domain in 7 days" in shown(app)
        await pilot.press("down")
        assert "none known" in shown(app)


@pytest.mark.parametrize("key", ["L", "C"], ids=["limits", "compare"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
async def test_looks(key: str, size: tuple[int, int], snap: Snap) -> None:
    """How both pages look."""
    app = deck(_Engine())
    async with app.run_test(size=size) as pilot:
        await pilot.press("m")
        await settled(pilot)
        await pilot.press(key)
        await settled(pilot)
        snap(app, "facts")
