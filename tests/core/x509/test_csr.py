"""The requests that go to a CA: names and nothing else."""

from __future__ import annotations

import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from core.x509.csr import build_csr, build_request
from core.x509.key import generate_key

KEY = generate_key("ec-256")
NAMES = ["shop.example.com", "*.example.com", "xn--mnchen-3ya.example", "192.0.2.7", "2001:db8::1"]


def test_names_stand_in_the_san_in_order() -> None:
    """DNS names and addresses are in the SAN, in the order given, as what they are (SO-01, SO-16, CC-07)."""
    csr = x509.load_der_x509_csr(build_csr(KEY, NAMES))
    san = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(san) == [
        x509.DNSName("shop.example.com"),
        x509.DNSName("*.example.com"),
        x509.DNSName("xn--mnchen-3ya.example"),
        x509.IPAddress(ipaddress.ip_address("192.0.2.7")),
        x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
    ]


def test_nothing_else_is_asked_for() -> None:
    """No subject, no extended key usage and no must-staple: CAs refuse requests that have them."""
    csr = x509.load_der_x509_csr(build_csr(KEY, NAMES))
    assert list(csr.subject) == []
    assert [type(extension.value) for extension in csr.extensions] == [x509.SubjectAlternativeName]


@pytest.mark.parametrize(
    ("kind", "hash_name"), [("ec-256", "sha256"), ("ec-384", "sha384"), ("ec-521", "sha512"), ("rsa-2048", "sha256")]
)
def test_it_is_signed_by_the_key(kind: str, hash_name: str) -> None:
    """The request proves the key, with the hash that fits its strength."""
    key = generate_key(kind)
    csr = x509.load_der_x509_csr(build_csr(key, ["a.example.com"]))
    assert csr.is_signature_valid
    assert csr.public_key() == key.native.public_key()
    assert isinstance(csr.signature_hash_algorithm, hashes.HashAlgorithm)
    assert csr.signature_hash_algorithm.name == hash_name


def test_a_hundred_names_fit() -> None:
    """As many names as a CA takes stand in one request (SO-17)."""
    names = [f"host-{number}.example.com" for number in range(100)]
    csr = x509.load_der_x509_csr(build_csr(KEY, names))
    san = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.DNSName) == names


def test_a_request_for_a_ca_that_is_asked_by_hand() -> None:
    """It is PEM, signed by its key, with the names, the subject and the first name as common name, and nothing else (CL-15)."""
    csr = x509.load_pem_x509_csr(build_request(KEY, NAMES, (("C", "DE"), ("O", "Acme, Ltd"))).encode())
    assert csr.is_signature_valid
    assert csr.subject.rfc4514_string() == r"CN=shop.example.com,O=Acme\, Ltd,C=DE"
    san = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.DNSName) == NAMES[:3]
    assert [type(extension.value) for extension in csr.extensions] == [x509.SubjectAlternativeName]


def test_a_long_name_is_no_common_name() -> None:
    """A first name beyond the 64 characters of a common name stands among the alternative names alone."""
    long = f"{'a' * 60}.example.com"
    csr = x509.load_pem_x509_csr(build_request(KEY, [long], ()).encode())
    assert list(csr.subject) == []
    san = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.DNSName) == [long]
