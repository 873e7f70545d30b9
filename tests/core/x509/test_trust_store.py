"""Certificates that are known beforehand, found by their name."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from core.x509.certificate import parse_pem
from core.x509.trust_store import TrustStore
from tests.support.authority import Authority

_GARBAGE = b"".join(b"-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n" % text for text in (b"AAAA", b"A"))


def test_a_certificate_is_found_by_its_subject_alone() -> None:
    """The root is found under its name; what was issued by it contains the name too and is not."""
    authority = Authority.new("Some Root")
    root = x509.load_pem_x509_certificate(authority.root_pem)
    content = _GARBAGE + authority.chain_pem + authority.root_pem
    store = TrustStore("the store", lambda: content)
    assert list(store.named(root.subject.public_bytes())) == [root.public_bytes(Encoding.DER)]
    assert store.holds(parse_pem(authority.root_pem)[0])
    assert not store.holds(parse_pem(Authority.new("Some Root").root_pem)[0])


def test_a_store_is_read_once() -> None:
    """However often it is asked, the file behind it is read once; an empty one holds nothing."""
    reads: list[int] = []
    store = TrustStore("the store", lambda: bytes(reads.append(1) or b""))
    assert [list(store.named(name)) for name in (b"a", b"b")] == [[], []]
    assert reads == [1]
