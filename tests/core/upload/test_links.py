"""Every link of a chain is held to RFC 5280, also without a trusted root: who may sign, how far, for which names, until when."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.authority import PrivateKey, key_pem, make_key
from tests.support.clock import NOON
from tests.support.uploads import Judged, ca, judge, name, pem, san, sign

CA = tuple[x509.Certificate, PrivateKey]
HOST = "shop.example.com"
ROOT = ca("Root")
CA_TRUE = (x509.BasicConstraints(ca=True, path_length=None), True)


def usage(*, cert_sign: bool) -> tuple[x509.ExtensionType, bool]:
    """Return a key usage of a CA, or one that lacks the right to sign certificates."""
    named = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only")
    flags = dict.fromkeys((*named, "decipher_only"), False)
    return x509.KeyUsage(digital_signature=True, key_cert_sign=cert_sign, crl_sign=True, **flags), True


def issuer(*extensions: tuple[x509.ExtensionType, bool], **fields: object) -> CA:
    """Return an intermediate below the root with these extensions alone."""
    key = make_key()
    made = sign("Issuing", key, issuer=ROOT[0].subject, issuer_key=ROOT[1], extensions=extensions, **fields)
    return made, key


def below(
    above: CA, *more: CA, extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (), subject: str = HOST
) -> list[bytes]:
    """Return a leaf below `above`, its key, and the chain."""
    key = make_key()
    leaf = sign(subject, key, issuer=above[0].subject, issuer_key=above[1], extensions=extensions or [san(HOST)])
    return [pem(leaf), key_pem(key), pem(above[0]), *(pem(each[0]) for each in more)]


def constrained(permitted: list[x509.GeneralName] | None, excluded: list[x509.GeneralName] | None = None) -> CA:
    return issuer(CA_TRUE, (x509.NameConstraints(permitted, excluded), True))


def own_names(*names: x509.GeneralName) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    return ((x509.SubjectAlternativeName(names), False),)


def _long_path() -> list[bytes]:
    short = ca("Short", above=ROOT, path_length=0)
    return below(ca("Below", above=short), short)


def _wrong_identifier() -> list[bytes]:
    above = issuer(CA_TRUE, (x509.SubjectKeyIdentifier(b"one"), False))
    other = x509.AuthorityKeyIdentifier(b"two", None, None)
    return below(above, extensions=(san(HOST), (other, False)))


ADDRESS = x509.IPAddress(ipaddress.ip_address("192.0.2.1"))
NETWORK = x509.IPAddress(ipaddress.ip_network("198.51.100.0/24"))
ELSEWHERE = x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Other")]))
ONLY_CLIENTS = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
STRANGE = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
BAD: dict[str, tuple[Callable[[], list[bytes]], str]] = {
    "no-basic-constraints": (lambda: below(issuer()), "Issuing is not a CA"),
    "ca-false": (lambda: below(issuer((x509.BasicConstraints(False, None), True))), "Issuing is not a CA"),
    "key-usage": (lambda: below(issuer(CA_TRUE, usage(cert_sign=False))), "key usage of Issuing"),
    "not-for-servers": (lambda: below(issuer(CA_TRUE, (ONLY_CLIENTS, False))), "may not sign for servers"),
    "path-length": (_long_path, "Short allows no CA below it, and there are 1"),
    "expired": (
        lambda: below(issuer(CA_TRUE, not_after=NOON - timedelta(days=1))),
        "Issuing, in the chain, expired on",
    ),
    "not-yet-valid": (lambda: below(issuer(CA_TRUE, not_before=NOON + timedelta(days=1))), "is not valid before"),
    "critical": (
        lambda: below(issuer(CA_TRUE, (STRANGE, True))),
        "critical extension that no client supports (1.2.3.4.5)",
    ),
    "critical-in-leaf": (lambda: below(issuer(CA_TRUE), extensions=(san(HOST), (STRANGE, True))), "critical extension"),
    "identifier": (_wrong_identifier, "points to a different certificate than Issuing"),
    "dns-not-permitted": (
        lambda: below(constrained([x509.DNSName("example.org")])),
        "may not sign for shop.example.com",
    ),
    "dns-excluded": (
        lambda: below(constrained(None, [x509.DNSName("example.com")])),
        "may not sign for shop.example.com",
    ),
    "ip-not-permitted": (
        lambda: below(constrained([NETWORK]), extensions=own_names(ADDRESS)),
        "may not sign for 192.0.2.1",
    ),
    "ip-excluded": (
        lambda: below(
            constrained(None, [x509.IPAddress(ipaddress.ip_network("192.0.2.0/24"))]), extensions=own_names(ADDRESS)
        ),
        "may not sign for 192.0.2.1",
    ),
    "directory": (lambda: below(constrained([ELSEWHERE])), "may not sign for CN=shop.example.com"),
    "directory-excluded": (
        lambda: below(constrained(None, [x509.DirectoryName(name(HOST))])),
        "may not sign for CN=shop",
    ),
    "further-up": (
        lambda: (lambda top: below(ca("Lower", above=top), top))(constrained([x509.DNSName("example.org")])),
        "Issuing may not sign for shop.example.com",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_link_that_clients_refuse_fails(case: str) -> None:
    """It fails with its rule and its certificate named: under a trusted root, a root that was given, and none at all."""
    make, words = BAD[case]
    parts = make()
    judged: list[Judged] = [judge(*parts, roots=pem(ROOT[0])), judge(*parts, pem(ROOT[0])), judge(*parts)]
    for each in judged:
        assert each["chain"].status == "fail"
        assert words in each["chain"].detail
        assert not each.accepted


def _self_issued() -> list[bytes]:
    """A CA that allows no other below it, and goes on under its own name with a new key."""
    top = ca("Issuing", above=ROOT, path_length=0, more=[(x509.SubjectKeyIdentifier(b"old"), False)])
    own = (x509.SubjectKeyIdentifier(b"new"), False)
    further = ca("Issuing", above=top, more=[own, (x509.AuthorityKeyIdentifier(b"old", None, None), False)])
    return below(further, top, extensions=(san(HOST), (x509.AuthorityKeyIdentifier(b"new", None, None), False)))


GOOD: dict[str, Callable[[], list[bytes]]] = {
    "dns-permitted": lambda: below(constrained([x509.DNSName("example.com"), x509.DirectoryName(name(HOST))])),
    "dns-permitted-with-a-dot": lambda: below(constrained([x509.DNSName(".example.com")])),
    "dns-the-name-itself": lambda: below(constrained([x509.DNSName(HOST)])),
    "dns-excluded-sibling": lambda: below(constrained(None, [x509.DNSName("hop.example.com")])),
    "ip-permitted": lambda: below(
        constrained([x509.IPAddress(ipaddress.ip_network("192.0.2.0/25"))]), extensions=own_names(ADDRESS)
    ),
    "another-kind-constrained": lambda: below(constrained([NETWORK])),
    "directory-in-other-case": lambda: below(constrained([x509.DirectoryName(name("SHOP.example.com"))])),
    "path-length-met": lambda: (lambda top: below(ca("Lower", above=top), top))(
        ca("Issuing", above=ROOT, path_length=1)
    ),
    "self-issued-does-not-count": _self_issued,
    "key-usage": lambda: below(issuer(CA_TRUE, usage(cert_sign=True))),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_link_within_the_rules_passes(case: str) -> None:
    """Constraints that a chain keeps are no fault of it."""
    judged = judge(*GOOD[case](), roots=pem(ROOT[0]))
    assert judged["chain"].status == "pass", judged["chain"].detail


def test_a_clock_that_is_wrong_makes_no_chain_fail() -> None:
    """A clock from before this release was built, or a few minutes late, does not refuse a chain as not yet valid."""
    fresh = ca("Issuing", above=ROOT, not_before=NOON + timedelta(minutes=5))
    parts = below(fresh)
    assert judge(*parts, roots=pem(ROOT[0]))["chain"].status == "pass"
    assert judge(*below(issuer(CA_TRUE)), roots=pem(ROOT[0]), now=NOON - timedelta(days=9000))["chain"].status == "pass"
