"""Where a certificate says that its revocation is published, and what an answer is (RFC 5280 §4.2.1.13, RFC 6960). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID
from msgspec import Struct

from core.x509.certificate import Certificate

TOLERANCE = timedelta(minutes=5)
"""How far the clock of who signs an answer may run ahead of ours."""
_LONGEST_URL = 2000
_MOST_PLACES = 4
_UNREADABLE = (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError)


class NoAnswer(Exception):
    """What came says nothing about the certificate. The text is the end of a sentence, and holds nothing from outside."""


class Answer(Struct, frozen=True, kw_only=True):
    """What the CA says about one certificate."""

    until: datetime
    """nextUpdate: from then on it no longer counts."""
    revoked_at: datetime | None = None
    """None: it is not revoked."""
    reason: str = ""
    """As in RFC 5280 §5.3.1, `keyCompromise`; empty where none is given."""


class ListPlace(Struct, frozen=True, kw_only=True):
    """A distribution point that has an address: one CRL with everything about the certificate."""

    urls: tuple[str, ...]
    names: tuple[str, ...]
    """Every URI of the point, as the CRL may repeat them."""


class Places(Struct, frozen=True, kw_only=True):
    """Where the CA can be asked. Addresses come from outside."""

    responders: tuple[str, ...] = ()
    """OCSP."""
    lists: tuple[ListPlace, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.responders or self.lists)


def places_of(certificate: Certificate) -> Places:
    """Return where a certificate's CA publishes revocations over HTTP; nothing for one that does not say so."""
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
        # A list for some reasons alone cannot say that it is not revoked; one of another CA would need that CA's key.
        if point.full_name and not point.reasons and not point.crl_issuer and (urls := _web(point.full_name)):
            names = tuple(each.value for each in point.full_name if isinstance(each, x509.UniformResourceIdentifier))
            found.append(ListPlace(urls=urls, names=names))
    return tuple(found)[:_MOST_PLACES]


def _web(names: Iterable[x509.GeneralName]) -> tuple[str, ...]:
    """Return the web addresses among general names; `ldap:` and whatever else is never asked."""
    found = [
        name.value
        for name in names
        if isinstance(name, x509.UniformResourceIdentifier)
        and name.value.lower().startswith(("http://", "https://"))
        and len(name.value) <= _LONGEST_URL
    ]
    return tuple(found)[:_MOST_PLACES]


def checked_until(this_update: datetime, next_update: datetime | None, now: datetime) -> datetime:
    """Return until when an answer of these times counts. Raises NoAnswer for one that does not count now."""
    if this_update > now + TOLERANCE:
        raise NoAnswer("it is not valid yet by this box's clock")
    if next_update is None:
        raise NoAnswer("it has no end of validity")
    if next_update <= now:
        raise NoAnswer("it is out of date")
    return next_update
