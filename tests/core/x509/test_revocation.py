"""What revocation lists and OCSP responses say, and which of them count."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as native
from cryptography.x509.oid import ExtendedKeyUsageOID

from core.x509 import crl, ocsp
from core.x509.certificate import Certificate, parse_der, parse_pem
from core.x509.revocation import Answer, ListPlace, NoAnswer, places_of
from tests.support.authority import Authority, Leaf, make_key
from tests.support.clock import NOON
from tests.support.revocations import list_at, ocsp_answer, responder_at, revocation_list
from tests.support.uploads import pem, san, sign

URL = "http://crl.example.com/7.crl"
PLACE = ListPlace(urls=(URL,), names=(URL,))
SINCE = NOON - timedelta(days=2)
END = NOON + timedelta(days=7) - timedelta(hours=1)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.new("Publishing", now=NOON)


def leaf_with(authority: Authority, *extensions: x509.ExtensionType) -> Certificate:
    above = authority.intermediate
    given = [san("shop.example.com"), *((each, False) for each in extensions)]
    signed = sign(
        "shop.example.com", make_key(), issuer=above.certificate.subject, issuer_key=above.key, extensions=given
    )
    return parse_der(signed.public_bytes(Encoding.DER))


def chain(authority: Authority) -> list[Certificate]:
    return parse_pem(authority.chain_pem)


# -- where --------------------------------------------------------------------------------------------------------------


def test_places_are_read_from_the_certificate(authority: Authority) -> None:
    """Responder and list are found; other kinds of addresses are left out."""
    found = places_of(
        leaf_with(authority, responder_at("http://ocsp.example.com/"), list_at("ldap://x/y", URL, "file:///etc/passwd"))
    )
    assert found.responders == ("http://ocsp.example.com/",)
    assert [place.urls for place in found.lists] == [(URL,)]
    assert found


def test_a_certificate_without_places_has_none(authority: Authority) -> None:
    """A certificate that says nothing about revocation cannot be asked about."""
    assert not places_of(leaf_with(authority))


def test_a_point_for_some_reasons_or_of_another_ca_is_no_place(authority: Authority) -> None:
    """A point that covers some reasons alone, or is another CA's, cannot say that a certificate is good."""
    name = [x509.UniformResourceIdentifier(URL)]
    for point in (
        x509.DistributionPoint(name, None, frozenset({x509.ReasonFlags.key_compromise}), None),
        x509.DistributionPoint(name, None, None, [x509.DirectoryName(authority.root.certificate.subject)]),
    ):
        assert not places_of(leaf_with(authority, x509.CRLDistributionPoints([point])))


# -- lists --------------------------------------------------------------------------------------------------------------


def listed(authority: Authority, leaf: Certificate, body: bytes, place: ListPlace = PLACE) -> Answer:
    return crl.said(crl.parse(body), leaf, chain(authority), place, NOON)


def test_a_list_tells_revoked_from_good(authority: Authority) -> None:
    """A serial in the list is revoked, with date and reason; any other is good until nextUpdate."""
    leaf = leaf_with(authority, list_at(URL))
    body = revocation_list(authority, {leaf.native.serial_number: SINCE}, NOON)
    found = listed(authority, leaf, body)
    assert (found.revoked_at, found.reason, found.until) == (SINCE, "keyCompromise", END)
    assert listed(authority, leaf_with(authority, list_at(URL)), body).revoked_at is None


def test_a_list_in_pem_and_without_reasons_is_read(authority: Authority) -> None:
    """Some private CAs publish PEM, and many give no reason."""
    leaf = leaf_with(authority)
    der = revocation_list(authority, {leaf.native.serial_number: SINCE}, NOON, reason=None)
    body = x509.load_der_x509_crl(der).public_bytes(Encoding.PEM)
    assert listed(authority, leaf, body).reason == ""


@pytest.mark.parametrize(
    "kind", ["expired", "future", "other-ca", "forged", "delta", "scope", "shard", "noise", "empty"]
)
def test_a_list_that_does_not_count_says_nothing(authority: Authority, kind: str) -> None:
    """Out of date, of another CA, forged, partial or no list at all: nothing is known, although the serial is in it."""
    leaf = leaf_with(authority, list_at(URL))
    revoked = {leaf.native.serial_number: SINCE}
    other = Authority.new("Publishing", now=NOON)
    point = x509.IssuingDistributionPoint(None, None, True, False, None, False, False)
    scoped = x509.IssuingDistributionPoint(None, None, False, True, None, False, False)
    shard = x509.IssuingDistributionPoint(
        [x509.UniformResourceIdentifier("http://crl.example.com/8.crl")], None, True, False, None, False, False
    )
    assert listed(authority, leaf, revocation_list(authority, revoked, NOON, extensions=((point, True),)))
    body = {
        "expired": lambda: revocation_list(authority, revoked, NOON, age=timedelta(days=8)),
        "future": lambda: revocation_list(authority, revoked, NOON, age=-timedelta(hours=1)),
        "other-ca": lambda: revocation_list(Authority.new("Another", now=NOON), revoked, NOON),
        "forged": lambda: revocation_list(authority, revoked, NOON, signer=other.intermediate),
        "delta": lambda: revocation_list(authority, revoked, NOON, extensions=((x509.DeltaCRLIndicator(1), True),)),
        "scope": lambda: revocation_list(authority, revoked, NOON, extensions=((scoped, True),)),
        "shard": lambda: revocation_list(authority, revoked, NOON, extensions=((shard, True),)),
        "noise": lambda: b"<html>Welcome</html>",
        "empty": lambda: b"",
    }[kind]()
    with pytest.raises(NoAnswer):
        listed(authority, leaf, body)


# -- OCSP ---------------------------------------------------------------------------------------------------------------


def answered(authority: Authority, leaf: Certificate, body: bytes) -> Answer:
    return ocsp.said(body, ocsp.question(leaf, chain(authority)), NOON)


def responder(authority: Authority, *, usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.OCSP_SIGNING) -> Leaf:
    """Return a responder to whom the CA has given its task."""
    key, above = make_key(), authority.intermediate
    certificate = sign(
        "Responder",
        key,
        issuer=above.certificate.subject,
        issuer_key=above.key,
        extensions=[(x509.ExtendedKeyUsage([usage]), False)],
    )
    return Leaf(certificate=certificate, key=key)


def test_a_responder_tells_revoked_from_good(authority: Authority) -> None:
    """The answer says good or revoked, since when and why; the request names exactly this certificate."""
    leaf = leaf_with(authority)
    assert answered(authority, leaf, ocsp_answer(authority, leaf.native, NOON)) == Answer(until=END)
    found = answered(authority, leaf, ocsp_answer(authority, leaf.native, NOON, revoked_at=SINCE))
    assert (found.revoked_at, found.reason) == (SINCE, "superseded")
    asked = native.load_der_ocsp_request(ocsp.question(leaf, chain(authority)).body)
    assert asked.serial_number == leaf.native.serial_number


def test_a_delegated_responder_counts(authority: Authority) -> None:
    """Most CAs let a responder sign that they have given a certificate for it."""
    leaf, by = leaf_with(authority), responder(authority)
    body = ocsp_answer(authority, leaf.native, NOON, revoked_at=SINCE, signer=by, sends=(by.certificate,))
    assert answered(authority, leaf, body).revoked_at == SINCE


@pytest.mark.parametrize("kind", ["unknown", "old", "endless", "forged", "undelegated", "other", "refusal", "noise"])
def test_a_response_that_does_not_count_says_nothing(authority: Authority, kind: str) -> None:
    """Forged, out of date, about another certificate, by somebody without the task: nothing is known."""
    leaf = leaf_with(authority)
    server = responder(authority, usage=ExtendedKeyUsageOID.SERVER_AUTH)
    other = Authority.new("Publishing", now=NOON)
    body = {
        "unknown": lambda: ocsp_answer(authority, leaf.native, NOON, status=native.OCSPCertStatus.UNKNOWN),
        "old": lambda: ocsp_answer(authority, leaf.native, NOON, revoked_at=SINCE, age=timedelta(days=9)),
        "endless": lambda: ocsp_answer(authority, leaf.native, NOON, revoked_at=SINCE, lives=None),
        "forged": lambda: ocsp_answer(authority, leaf.native, NOON, revoked_at=SINCE, signer=other.intermediate),
        "undelegated": lambda: ocsp_answer(
            authority, leaf.native, NOON, revoked_at=SINCE, signer=server, sends=(server.certificate,)
        ),
        "other": lambda: ocsp_answer(authority, leaf_with(authority).native, NOON, revoked_at=SINCE),
        "refusal": lambda: native.OCSPResponseBuilder.build_unsuccessful(
            native.OCSPResponseStatus.TRY_LATER
        ).public_bytes(Encoding.DER),
        "noise": lambda: b"\x30\x03\x0a\x01\x00",
    }[kind]()
    with pytest.raises(NoAnswer):
        answered(authority, leaf, body)


def test_without_the_certificate_of_the_ca_nothing_is_asked(authority: Authority) -> None:
    """A question names the CA's key: without its certificate there is none to ask."""
    other = parse_pem(pem(Authority.new("Another", now=NOON).intermediate.certificate))
    with pytest.raises(NoAnswer):
        ocsp.question(leaf_with(authority), other)
