"""Values of `_validation-persist` records: what they allow."""

from __future__ import annotations

import pytest

from core.dns.grant import Grant

ACCOUNT = "https://ca.test/account/1"
NOW = 1.8e9


@pytest.mark.parametrize(
    ("value", "grant"),
    [
        (f"ca.test; accounturi={ACCOUNT}", Grant("ca.test", ACCOUNT)),
        (f"CA.test.;accounturi={ACCOUNT};policy=WildCard", Grant("ca.test", ACCOUNT, True)),
        (f" ca.test ; accounturi={ACCOUNT} ; persistUntil=1800000000", Grant("ca.test", ACCOUNT, until=1.8e9)),
        (f"ca.test; accounturi={ACCOUNT}; unknown=1; policy=other", Grant("ca.test", ACCOUNT)),
        ("ca.test", None),
        ("", None),
        (f"ca.test; accounturi={ACCOUNT}; persistUntil=soon", None),
        (f"; accounturi={ACCOUNT}", None),
        ("v=spf1 -all", None),
    ],
)
def test_a_permission_is_read_as_cas_read_it(value: str, grant: Grant | None) -> None:
    """Spaces, case and unknown parameters do not matter; what allows nothing is none."""
    assert Grant.parse(value) == grant


def test_a_permission_survives_its_text() -> None:
    """What is written can be read again."""
    grant = Grant("ca.test", ACCOUNT, True, 1.9e9)
    assert Grant.parse(grant.text) == grant


@pytest.mark.parametrize(
    ("has", "wants", "is_enough"),
    [
        (Grant("ca.test", ACCOUNT), Grant("ca.test", ACCOUNT), True),
        (Grant("ca.test", ACCOUNT, True), Grant("ca.test", ACCOUNT), True),
        (Grant("ca.test", ACCOUNT), Grant("ca.test", ACCOUNT, True), False),
        (Grant("ca.test", ACCOUNT, until=NOW + 1), Grant("ca.test", ACCOUNT), True),
        (Grant("ca.test", ACCOUNT, until=NOW), Grant("ca.test", ACCOUNT), False),
        (Grant("ca.test", f"{ACCOUNT}2"), Grant("ca.test", ACCOUNT), False),
        (Grant("other.test", ACCOUNT), Grant("ca.test", ACCOUNT), False),
    ],
)
def test_a_permission_covers_what_it_allows_at_least(has: Grant, wants: Grant, is_enough: bool) -> None:
    """CA and account have to be the same; a wildcard and an end that lies ahead are more than enough."""
    assert has.covers(wants, NOW) is is_enough
