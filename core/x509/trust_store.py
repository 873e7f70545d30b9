"""Certificates that are known beforehand: the system's roots, the box's own, and the chains it has seen. Pure: PEM in.

Roots are looked up by name, so that a store of hundreds costs a few milliseconds; what in it cannot be parsed is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec import Struct

from core.x509.certificate import Certificate

_BLOCK = re.compile(rb"-----BEGIN (?:X509 )?CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END (?:X509 )?CERTIFICATE-----")


class TrustStore(Struct):
    """Some certificates, loaded when they are first asked for."""

    title: str
    """`this system's trust store`."""
    load: Callable[[], bytes]
    """Return their PEM; called at most once."""
    trusted: bool = True
    """Whether a chain that ends here is trusted, or only completed."""
    _by_subject: dict[bytes, list[x509.Certificate]] | None = None

    def named(self, subject: bytes) -> Sequence[bytes]:
        """Return the certificates (DER) of this subject (DER of the name)."""
        if self._by_subject is None:
            self._by_subject = {}
            for certificate in parsed(self.load()):
                self._by_subject.setdefault(_subject(certificate), []).append(certificate)
        return [each.public_bytes(Encoding.DER) for each in self._by_subject.get(subject, ())]

    def holds(self, certificate: Certificate) -> bool:
        """Tell whether this very certificate is in it."""
        return certificate.der in self.named(certificate.native.subject.public_bytes())


def parsed(pem: bytes) -> list[x509.Certificate]:
    """Return every certificate that can be parsed."""
    blocks = _BLOCK.findall(pem)
    try:
        return x509.load_pem_x509_certificates(b"\n".join(blocks)) if blocks else []
    except ValueError:
        return [certificate for block in blocks for certificate in _one(block)]


def _one(block: bytes) -> Iterable[x509.Certificate]:
    try:
        return (x509.load_pem_x509_certificate(block),)
    except ValueError:
        return ()


def _subject(certificate: x509.Certificate) -> bytes:
    try:
        return certificate.subject.public_bytes()
    except ValueError:
        return b""
