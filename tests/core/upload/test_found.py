"""What fuzzing has found: each input that once broke the checks is answered in words (`make fuzz` looks for more)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, pkcs7

from tests.support.authority import Authority
from tests.support.clock import NOON
from tests.support.uploads import judge

SHOP = Authority.new(now=NOON).leaf(["shop.example.com"])


def test_a_bundle_of_certificates_of_an_unknown_version() -> None:
    """A PKCS#7 bundle whose certificate claims a version that does not exist is refused, not a failure of the program."""
    bundle = pkcs7.serialize_certificates([SHOP.certificate], Encoding.DER)
    strange = bundle.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x7f")
    assert strange != bundle
    judged = judge(strange)
    assert judged.failed == ["parse"]
    assert "PKCS#7 bundle is damaged" in judged.text


@pytest.mark.parametrize("value", ["DF9D9E8C48BDB6A878E63D99E1", "", "zz", "00" * 17, "00" * 8])
def test_a_start_value_of_the_wrong_length(value: str) -> None:
    """An old encrypted key whose DEK-Info was cut short is refused before the library stumbles over it."""
    key = SHOP.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"x"))
    head, _, rest = key.partition(b"DEK-Info: AES-256-CBC,")
    broken = head + b"DEK-Info: AES-256-CBC," + value.encode() + rest[32:]
    judged = judge(SHOP.fullchain_pem, broken, passphrase=b"x")
    assert judged.failed == ["parse"]
    assert "DEK-Info" in judged.text
    assert judge(SHOP.fullchain_pem, key, passphrase=b"x").accepted
