"""What was given by name is that, or the answer names what it is; and which names a certificate is good for."""

from __future__ import annotations

import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from core.upload.bundle import assemble
from core.upload.names import accepted
from core.upload.parse import parse_upload
from core.upload.values import Part, Upload
from core.x509.certificate import parse_der
from tests.support.authority import Authority, key_pem, make_key
from tests.support.clock import NOON
from tests.support.uploads import judge, pem, san, sign

SHOP = Authority.new(now=NOON).leaf(["shop.example.com"])
OTHER = Authority.new("Other", now=NOON).leaf(["other.example.com"])


@pytest.mark.parametrize(
    ("role", "content", "words"),
    [
        ("key", SHOP.certificate_pem, "was given as the private key (--key), but it contains a certificate"),
        ("chain", SHOP.key_pem, "was given as the chain (--chain), but it contains a private key"),
        ("cert", SHOP.key_pem, "was given as the certificate (--cert), but it contains a private key"),
        ("pfx", SHOP.fullchain_pem + SHOP.key_pem, "was given as a PKCS#12 file (--pfx), but it contains certificates"),
        ("pfx", SHOP.key_pem, "was given as a PKCS#12 file (--pfx), but it contains a private key"),
    ],
    ids=["certificate-as-key", "key-as-chain", "key-as-certificate", "pem-as-pfx", "key-as-pfx"],
)
def test_what_is_something_else_is_named(role: str, content: bytes, words: str) -> None:
    """A file that is not what its option asks for is a problem that says what it is and what to do."""
    pieces = parse_upload(Upload((Part("one.pem", content, (role,)),)))
    assert [words in each.what for each in pieces.problems] == [True]
    assert pieces.problems[0].what.startswith("one.pem ")
    assert pieces.problems[0].fix


@pytest.mark.parametrize("role", ["key", "chain", "cert"])
def test_everything_in_one_file_fits_every_option(role: str) -> None:
    """A file with key and certificates may be given as each of them."""
    assert parse_upload(Upload((Part("all.pem", SHOP.key_pem + SHOP.fullchain_pem, (role,)),))).problems == []


def test_the_certificate_that_was_named_is_the_one() -> None:
    """Without a key, the certificate given as such is taken, not one that came with the chain and lasts longer."""
    longer = sign(
        "z.example.com", make_key(), issuer="Nobody", issuer_key=make_key(), extensions=[san("z.example.com")]
    )
    parts = (Part("chain", pem(longer) + SHOP.chain_pem, ("chain",)), Part("cert", SHOP.certificate_pem, ("cert",)))
    material = assemble(parse_upload(Upload(parts)), (), NOON)
    assert material is not None
    assert material.leaf.names == ("shop.example.com",)


def test_a_chain_that_is_the_certificate_itself_is_named() -> None:
    """A chain file with nothing but the server's certificate, and one that changed places with it, are told of."""
    key = Part("key", SHOP.key_pem, ("key",))
    twice = Part("chain", SHOP.certificate_pem, ("chain",)), Part("cert", SHOP.certificate_pem, ("cert",)), key
    changed = Part("chain", SHOP.certificate_pem, ("chain",)), Part("cert", SHOP.chain_pem, ("cert",)), key
    for parts, words in (
        (twice, "chain was given as the chain, but it contains only the server certificate."),
        (changed, "cert does not contain the server certificate; it was found in another file."),
    ):
        material = assemble(parse_upload(Upload(parts)), (), NOON)
        assert material is not None
        assert words in material.notes


def named(*names: x509.GeneralName, subject: str = "cn.example.com") -> x509.Certificate:
    return sign(subject, make_key(), extensions=[(x509.SubjectAlternativeName(names), False)] if names else [])


ADDRESS = x509.IPAddress(ipaddress.ip_address("192.0.2.1"))


@pytest.mark.parametrize(
    ("certificate", "host", "is_accepted"),
    [
        (named(x509.DNSName("192.0.2.1")), "192.0.2.1", False),
        (named(ADDRESS), "192.0.2.1", True),
        (named(x509.DNSName("2001:db8::1")), "2001:db8::1", False),
        (named(x509.DNSName("a.example.com")), "cn.example.com", False),
        (named(x509.UniformResourceIdentifier("https://a.example.com")), "cn.example.com", False),
        (named(), "cn.example.com", True),
        (named(subject="192.0.2.1"), "192.0.2.1", False),
        (named(x509.DNSName("*.example.com")), "a.example.com", True),
        (named(x509.DNSName("*.example.com")), "a.b.example.com", False),
        (named(x509.DNSName("*.example.com")), "example.com", False),
        (named(x509.DNSName("f*.example.com")), "foo.example.com", False),
        (named(x509.DNSName("www.*.com")), "www.example.com", False),
        (named(x509.DNSName("*.com")), "example.com", False),
        (named(x509.DNSName("*")), "example", False),
        (named(x509.DNSName("*.0.2.1")), "192.0.2.1", False),
    ],
)
def test_names_are_compared_as_clients_do(certificate: x509.Certificate, host: str, is_accepted: bool) -> None:
    """Addresses count as addresses alone, the common name without a SAN alone, a wildcard as a whole first label (RFC 9525)."""
    parsed = parse_der(certificate.public_bytes(Encoding.DER))
    assert accepted(parsed, host) is is_accepted


def test_an_address_as_a_dns_name_is_said() -> None:
    """A certificate whose address stands as a DNS name is refused for that address, with the reason."""
    key = make_key()
    wrong = sign("a", key, extensions=[san("192.0.2.1", "a.example.com")])
    judged = judge(pem(wrong), key_pem(key), hosts=("192.0.2.1",))
    assert judged["host-match"].status == "fail"
    assert "as a DNS name, not as an IP address" in judged["host-match"].detail
