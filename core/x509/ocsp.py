"""OCSP requests and responses (RFC 6960, in the form of RFC 5019: one certificate, no nonce). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from msgspec import Struct

from core.x509.certificate import Certificate
from core.x509.revocation import Answer, NoAnswer, checked_until
from core.x509.signature import has_signed, verifies

REQUEST_TYPE = "application/ocsp-request"
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.UnsupportedGeneralNameType,
)


class Question(Struct, frozen=True, kw_only=True):
    """A request about one certificate, with its issuer."""

    leaf: Certificate
    issuer: Certificate
    request: ocsp.OCSPRequest

    @property
    def body(self) -> bytes:
        return self.request.public_bytes(Encoding.DER)


def question(leaf: Certificate, issuers: Sequence[Certificate]) -> Question:
    """Return the request for a leaf. It identifies the CA by SHA-1, as required by RFC 5019 §2.1.1: no signature depends on it.

    Raises NoAnswer if none of `issuers` issued the leaf.
    """
    issuer = next((each for each in issuers if has_signed(each.native, leaf.native)), None)
    if issuer is None:
        raise NoAnswer("the certificate of its CA is missing")
    try:
        builder = ocsp.OCSPRequestBuilder().add_certificate(leaf.native, issuer.native, hashes.SHA1())  # noqa: S303
        return Question(leaf=leaf, issuer=issuer, request=builder.build())
    except _UNREADABLE as exc:
        raise NoAnswer("the certificate of its CA cannot be used for this") from exc


def said(body: bytes, asked: Question, now: datetime) -> Answer:
    """Verify and read a responder's response (DER). Raises NoAnswer."""
    try:
        response = ocsp.load_der_ocsp_response(body)
        if response.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise NoAnswer(f"the responder refuses ({response.response_status.name.lower().replace('_', ' ')})")
        _check_signature(response, asked.issuer, now)
        return _single(response, asked.request, now)
    except _UNREADABLE as exc:
        raise NoAnswer("it is not a valid OCSP response") from exc


def _single(response: ocsp.OCSPResponse, request: ocsp.OCSPRequest, now: datetime) -> Answer:
    for each in response.responses:
        if (
            each.serial_number != request.serial_number
            or each.issuer_key_hash != request.issuer_key_hash
            or each.issuer_name_hash != request.issuer_name_hash
        ):
            continue
        until = checked_until(each.this_update_utc, each.next_update_utc, now)
        if each.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
            raise NoAnswer("the responder does not know the certificate")
        if each.certificate_status is ocsp.OCSPCertStatus.GOOD:
            return Answer(until=until)
        reason = each.revocation_reason
        return Answer(until=until, revoked_at=each.revocation_time_utc, reason="" if reason is None else reason.value)
    raise NoAnswer("it is about another certificate")


def _check_signature(response: ocsp.OCSPResponse, issuer: Certificate, now: datetime) -> None:
    """Check that the CA or a responder authorized by it signed the response (RFC 6960 §4.2.2.2). Raises NoAnswer."""
    signers = [issuer.native, *(each for each in response.certificates if _may_answer(each, issuer, now))]
    for signer in signers:
        if verifies(
            signer.public_key(), response.signature, response.tbs_response_bytes, response.signature_hash_algorithm
        ):
            return
    raise NoAnswer("its signature does not verify with the CA's certificate")


def _may_answer(signer: x509.Certificate, issuer: Certificate, now: datetime) -> bool:
    try:
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except _UNREADABLE:
        return False
    is_valid = signer.not_valid_before_utc <= now < signer.not_valid_after_utc
    return is_valid and ExtendedKeyUsageOID.OCSP_SIGNING in usage and has_signed(issuer.native, signer)
