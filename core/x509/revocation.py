"""The revocation services in a certificate, and the values of their answers (RFC 5280 §4.2.1.13, RFC 6960). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID
from msgspec import Struct

from core.x509.certificate import Certificate

TOLERANCE = timedelta(minutes=5)
"""How far the clock of the signer may be ahead of ours."""
_LONGEST_URL = 2000
_MOST_PLACES = 4
_UNREADABLE = (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError)


class NoAnswer(Exception):
    """The response says nothing about the certificate. The text is the end of a sentence, without untrusted data."""


class Answer(Struct, frozen=True, kw_only=True):
    """The CA's answer about one certificate."""

    until: datetime
    """nextUpdate: the answer is valid until then."""
    revoked_at: datetime | None = None
    """None: it is not revoked."""
    reason: str = ""
    """A reason of RFC 5280 §5.3.1, for example `keyCompromise`. Empty: none is given."""


class ListPlace(Struct, frozen=True, kw_only=True):
    """A distribution point with a URL: a CRL that is complete for the certificate."""

    urls: tuple[str, ...]
    names: tuple[str, ...]
    """Every URI of the point, for comparison with those in the CRL."""


class Places(Struct, frozen=True, kw_only=True):
    """The CA's revocation services. The URLs are untrusted data."""

    responders: tuple[str, ...] = ()
    """URLs of OCSP responders."""
    lists: tuple[ListPlace, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.responders or self.lists)


def places_of(certificate: Certificate) -> Places:
    """Return the HTTP revocation services in a certificate. Empty: it has none."""
    return Places(responders=_responders(certificate), lists=_lists(certificate))


def _responders(certificate: Certificate) -> tuple[str, ...]:
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except _UNREADABLE:
        return ()
    return _web(each.access_location for each in access if each.access_method == AuthorityInformationAccessOID.OCSP)


def _lists(certificate: Certificate) -> tuple[ListPlace, ...]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except _UNREADABLE:
        return ()
    found = []
    for point in points:
        # A list for only some reasons cannot show that a certificate is not revoked; an indirect list would need another CA's key.
        if point.full_name and not point.reasons and not point.crl_issuer and (urls := _web(point.full_name)):
            names = tuple(each.value for each in point.full_name if isinstance(each, x509.UniformResourceIdentifier))
            found.append(ListPlace(urls=urls, names=names))
    return tuple(found)[:_MOST_PLACES]


def _web(names: Iterable[x509.GeneralName]) -> tuple[str, ...]:
    """Return the HTTP URLs among general names. `ldap:` and others are never used."""
    found = [
        name.value
        for name in names
        if isinstance(name, x509.UniformResourceIdentifier)
        and name.value.lower().startswith(("http://", "https://"))
        and len(name.value) <= _LONGEST_URL
    ]
    return tuple(found)[:_MOST_PLACES]


def checked_until(this_update: datetime, next_update: datetime | None, now: datetime) -> datetime:
    """Return until when an answer with these times is valid. Raises NoAnswer if it is not valid now."""
    if this_update > now + TOLERANCE:
        raise NoAnswer("it is not valid yet by this box's clock")
    if next_update is None:
        raise NoAnswer("it has no end of validity")
    if next_update <= now:
        raise NoAnswer("it is out of date")
    return next_update
