"""The issuer URLs in a certificate (authority information access, RFC 5280 §4.2.2.1). Pure; downloads nothing."""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from core.x509.certificate import Certificate, printable

_LONGEST_URL = 2000
_LONGEST_SHOWN = 200
_MOST_URLS = 3


def issuer_urls(certificate: Certificate) -> tuple[str, ...]:
    """Return the URLs of the issuer's certificate, at most three, unchanged. Untrusted data, ASCII."""
    try:
        descriptions = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    found = [
        description.access_location.value
        for description in descriptions
        if description.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        and isinstance(description.access_location, x509.UniformResourceIdentifier)
    ]
    return tuple(url for url in found if len(url) <= _LONGEST_URL)[:_MOST_URLS]


def is_web(url: str) -> bool:
    """Tell whether a URL can be downloaded from (HTTP or HTTPS)."""
    return url.lower().startswith(("http://", "https://"))


def shown_url(url: str) -> str:
    """Return a URL in a form that is safe to show."""
    return printable(url, _LONGEST_SHOWN)
