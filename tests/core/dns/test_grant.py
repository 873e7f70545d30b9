"""Values of `_validation-persist` records: what they allow."""

from __future__ import annotations

import pytest

from core.dns.persistent_record import PersistentRecord

ACCOUNT = "https://ca.test/account/1"
NOW = 1.8e9


@pytest.mark.parametrize(
    ("value", "grant"),
    [
        (f"ca.test; accounturi={ACCOUNT}", PersistentRecord("ca.test", ACCOUNT)),
        (f"CA.test.;accounturi={ACCOUNT};policy=WildCard", PersistentRecord("ca.test", ACCOUNT, True)),
        (
            f" ca.test ; accounturi={ACCOUNT} ; persistUntil=1800000000",
            PersistentRecord("ca.test", ACCOUNT, until=1.8e9),
        ),
        (f"ca.test; accounturi={ACCOUNT}; unknown=1; policy=other", PersistentRecord("ca.test", ACCOUNT)),
        ("ca.test", None),
        ("", None),
        (f"ca.test; accounturi={ACCOUNT}; persistUntil=soon", None),
        (f"; accounturi={ACCOUNT}", None),
        ("v=spf1 -all", None),
    ],
)
def test_a_permission_is_read_as_cas_read_it(value: str, grant: PersistentRecord | None) -> None:
    """Spaces, case and unknown parameters do not matter; what allows nothing is none."""
    assert PersistentRecord.parse(value) == grant


def test_a_permission_survives_its_text() -> None:
    """What is written can be read again."""
    grant = PersistentRecord("ca.test", ACCOUNT, True, 1.9e9)
    assert PersistentRecord.parse(grant.text) == grant


@pytest.mark.parametrize(
    ("has", "wants", "is_enough"),
    [
        (PersistentRecord("ca.test", ACCOUNT), PersistentRecord("ca.test", ACCOUNT), True),
        (PersistentRecord("ca.test", ACCOUNT, True), PersistentRecord("ca.test", ACCOUNT), True),
        (PersistentRecord("ca.test", ACCOUNT), PersistentRecord("ca.test", ACCOUNT, True), False),
        (PersistentRecord("ca.test", ACCOUNT, until=NOW + 1), PersistentRecord("ca.test", ACCOUNT), True),
        (PersistentRecord("ca.test", ACCOUNT, until=NOW), PersistentRecord("ca.test", ACCOUNT), False),
        (PersistentRecord("ca.test", f"{ACCOUNT}2"), PersistentRecord("ca.test", ACCOUNT), False),
        (PersistentRecord("other.test", ACCOUNT), PersistentRecord("ca.test", ACCOUNT), False),
    ],
)
def test_a_permission_covers_what_it_allows_at_least(
    has: PersistentRecord, wants: PersistentRecord, is_enough: bool
) -> None:
    """CA and account have to be the same; a wildcard and an end that lies ahead are more than enough."""
    assert has.covers(wants, NOW) is is_enough
