"""Stores of known certificates: the system's roots, the box's own CA, and known chains. Pure: takes PEM.

Certificates are looked up by subject, so a store with hundreds of roots costs only milliseconds. Unparsable ones are left out.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Iterator, Sequence

from cryptography import x509
from msgspec import Struct

from core.x509.certificate import Certificate

_BLOCK = re.compile(rb"-----BEGIN (?:X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END (?:X509 )?CERTIFICATE-----")


class TrustStore(Struct):
    """A set of certificates, loaded on first use."""

    title: str
    """Its name in messages, for example `this system's trust store`."""
    load: Callable[[], bytes]
    """Returns the certificates as PEM. Called at most once."""
    trusted: bool = True
    """Whether a chain that ends here is trusted, or only completed."""
    _found: list[bytes] | None = None

    def named(self, subject: bytes) -> Sequence[bytes]:
        """Return the certificates (DER) with this subject (DER of the name)."""
        if self._found is None:
            self._found = list(_decoded(self.load()))
        # Parsing a system's roots takes 8 ms, and almost none of them contains the name.
        return [der for der in self._found if subject in der and _subject(der) == subject]

    def holds(self, certificate: Certificate) -> bool:
        """Tell whether exactly this certificate is in the store."""
        return certificate.der in self.named(certificate.native.subject.public_bytes())


def _decoded(pem: bytes) -> Iterator[bytes]:
    for block in _BLOCK.findall(pem):
        try:
            yield a2b_base64(block)
        except Base64Error:
            continue


def _subject(der: bytes) -> bytes:
    try:
        return x509.load_der_x509_certificate(der).subject.public_bytes()
    except ValueError:
        return b""
