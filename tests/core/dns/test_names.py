from __future__ import annotations

from base64 import urlsafe_b64decode
from hashlib import sha256

import pytest

from core.dns.names import key_authorization_digest, name_below, validation_name, zone_among

ACCOUNT = "https://ca.test/account/1"


def test_the_published_example_of_dns_account_01() -> None:
    """The label of dns-account-01 is the one that the draft computes for its example account."""
    name = validation_name("dns-account-01", "example.org", "https://example.com/acme/acct/ExampleAccount")
    assert name == "_ujmmovf2vn55tgye._acme-challenge.example.org"


@pytest.mark.parametrize(
    ("type", "expected"),
    [("dns-01", "_acme-challenge.example.com"), ("dns-persist-01", "_validation-persist.example.com")],
)
def test_where_a_ca_looks(type: str, expected: str) -> None:
    """Each challenge has its own label in front of the name (ST-13)."""
    assert validation_name(type, "example.com", ACCOUNT) == expected


def test_a_proof_is_the_digest_of_the_key_authorization() -> None:
    """RFC 8555 §8.4: base64url of the SHA-256, without padding."""
    value = key_authorization_digest("token.thumbprint")
    assert len(value) == 43
    assert urlsafe_b64decode(value + "=") == sha256(b"token.thumbprint").digest()


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("_acme-challenge.www.sub.example.com", "sub.example.com"),
        ("_acme-challenge.example.com", "example.com"),
        ("example.com", "example.com"),
        ("notexample.com", None),
        ("_acme-challenge.example.org", None),
    ],
)
def test_the_longest_zone_wins(name: str, zone: str | None) -> None:
    """A name is in the closest zone, and a zone is matched by whole labels."""
    assert zone_among(name, ["example.com", "sub.example.com", "com.example"]) == zone


@pytest.mark.parametrize(
    ("name", "below"),
    [("example.com", ""), ("_acme-challenge.example.com", "_acme-challenge"), ("a.b.example.com", "a.b")],
)
def test_a_name_is_told_relative_to_its_zone(name: str, below: str) -> None:
    """Interfaces want names without the zone; its own top is empty."""
    assert name_below(name, "example.com") == below
