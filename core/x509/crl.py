"""Reads the status of a certificate from a certificate revocation list (RFC 5280 §5, §6.3.3). Pure.

A list counts only if it is the CA's own, complete, and for this certificate: delta CRLs, indirect CRLs, and CRLs for only some
reasons are ignored. Without a list that counts, the status is unknown, and nothing is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from core.x509.certificate import Certificate
from core.x509.revocation import Answer, ListPlace, NoAnswer, checked_until

_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


def parse(body: bytes) -> x509.CertificateRevocationList:
    """Parse a CRL, in DER as required by RFC 5280, or in PEM. Raises NoAnswer."""
    try:
        if body.lstrip().startswith(b"-----BEGIN"):
            return x509.load_pem_x509_crl(body)
        return x509.load_der_x509_crl(body)
    except _UNREADABLE as exc:
        raise NoAnswer("it is not a revocation list") from exc


def said(
    found: x509.CertificateRevocationList,
    leaf: Certificate,
    issuers: Sequence[Certificate],
    place: ListPlace,
    now: datetime,
) -> Answer:
    """Return the status of a leaf according to a list.

    Args:
        issuers: candidates for the CA's certificate.
        place: the distribution point of the leaf from which the list was read.

    Raises NoAnswer.
    """
    try:
        _check_signature(found, leaf, issuers)
        _check_scope(found, place)
        until = checked_until(found.last_update_utc, found.next_update_utc, now)
        entry = found.get_revoked_certificate_by_serial_number(leaf.native.serial_number)
        if entry is None:
            return Answer(until=until)
        return Answer(until=until, revoked_at=entry.revocation_date_utc, reason=_reason(entry))
    except _UNREADABLE as exc:
        raise NoAnswer("it is not a valid revocation list") from exc


def _check_signature(found: x509.CertificateRevocationList, leaf: Certificate, issuers: Sequence[Certificate]) -> None:
    if found.issuer != leaf.native.issuer:
        raise NoAnswer("it is the list of a different CA")
    for each in issuers:
        if each.native.subject == found.issuer:
            try:
                if found.is_signature_valid(each.native.public_key()):  # type: ignore[arg-type]  # others raise TypeError
                    return
            except _UNREADABLE:
                continue
    raise NoAnswer("its signature does not verify with the CA's certificate")


def _check_scope(found: x509.CertificateRevocationList, place: ListPlace) -> None:
    for extension in found.extensions:
        if isinstance(extension.value, x509.DeltaCRLIndicator):
            raise NoAnswer("it lists only changes")
        if isinstance(extension.value, x509.IssuingDistributionPoint):
            _check_distribution_point(extension.value, place)
        elif extension.critical:
            raise NoAnswer("it is of a type that certdeck does not support")


def _check_distribution_point(point: x509.IssuingDistributionPoint, place: ListPlace) -> None:
    if (
        point.indirect_crl
        or point.only_contains_ca_certs
        or point.only_contains_attribute_certs
        or point.only_some_reasons
        or point.relative_name
    ):
        raise NoAnswer("it is not for certificates like this one")
    own = {each.value for each in point.full_name or () if isinstance(each, x509.UniformResourceIdentifier)}
    # Without this comparison, another part of the CA's lists in place of ours would hide a revocation.
    if point.full_name and not own & set(place.names):
        raise NoAnswer("it is a different part of the CA's lists")


def _reason(entry: x509.RevokedCertificate) -> str:
    try:
        return str(entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value)
    except x509.ExtensionNotFound:
        return ""
