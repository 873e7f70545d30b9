"""Recognizes the kind of a DER structure by its outline, before any library parses it."""

from __future__ import annotations

from enum import Enum

from core.x509.der import BIT_STRING, INTEGER, OCTET_STRING, OID, SEQUENCE, Element, NotDer, Reader
from core.x509.spki import algorithm_of, other_key_name

_PKCS7 = bytes.fromhex("2a864886f70d0107")
"""1.2.840.113549.1.7, without its last arc."""
SIGNED_DATA = _PKCS7 + b"\x02"
_TIMES = {0x17, 0x18}
_TLS_KEYS = {
    bytes.fromhex("2a864886f70d010101"): "rsa",
    bytes.fromhex("2a864886f70d01010a"): "rsa-pss",
    bytes.fromhex("2a8648ce3d0201"): "ec",
    bytes.fromhex("2b6570"): "ed25519",
}


class ContentKind(Enum):
    """Kinds of structures. The value is the name for messages."""

    CERTIFICATE = "a certificate"
    PKCS12 = "a PKCS#12 file"
    PKCS7 = "a PKCS#7 bundle"
    KEY = "a private key"
    ENCRYPTED_KEY = "an encrypted private key"
    CSR = "a certificate signing request (CSR)"
    PUBLIC_KEY = "a public key"
    CRL = "a revocation list (CRL)"
    FOREIGN_KEY = "a private key that TLS servers do not use"
    ENVELOPE = "an encrypted message"
    BCFKS = "a Bouncy Castle keystore"
    UNKNOWN = "something else"


def kind_of(data: bytes) -> ContentKind:
    """Return the kind of `data`; UNKNOWN if it is not DER. Never raises."""
    try:
        reader = Reader(data)
        top = reader.whole()
        if top.tag != SEQUENCE:
            return ContentKind.UNKNOWN
        return _kind(reader, top)
    except NotDer:
        return ContentKind.UNKNOWN


def _kind(reader: Reader, top: Element) -> ContentKind:
    tags = reader.tags(top)
    children = list(zip(tags, reader.children(top), strict=False))
    first = children[0][1] if children else None
    if first is None:
        return ContentKind.UNKNOWN
    if tags[0] == OID:
        return _content_info(reader.content(first))
    if tags[0] == INTEGER:
        return _numbered(reader, top, tags)
    if tags[0] != SEQUENCE:
        return ContentKind.UNKNOWN
    inner = reader.tags(first)
    if tags == [SEQUENCE, SEQUENCE, BIT_STRING]:
        return _signed(inner)
    if tags == [SEQUENCE, BIT_STRING] and inner[:1] == [OID]:
        return ContentKind.PUBLIC_KEY
    if tags == [SEQUENCE, OCTET_STRING] and inner[:1] == [OID]:
        return ContentKind.ENCRYPTED_KEY
    if tags == [SEQUENCE, SEQUENCE] and inner == [SEQUENCE, OCTET_STRING]:
        return ContentKind.BCFKS
    return ContentKind.UNKNOWN


def _content_info(oid: bytes) -> ContentKind:
    if oid == SIGNED_DATA:
        return ContentKind.PKCS7
    return ContentKind.ENVELOPE if oid.startswith(_PKCS7) else ContentKind.UNKNOWN


def _signed(inner: list[int]) -> ContentKind:
    """Distinguish the three signed structures of RFC 5280 and RFC 2986 by their signed part."""
    if inner[:4] == [INTEGER, SEQUENCE, SEQUENCE, 0xA0] or inner == [INTEGER, SEQUENCE, SEQUENCE]:
        return ContentKind.CSR
    return ContentKind.CRL if _TIMES & set(inner) else ContentKind.CERTIFICATE


def _numbered(reader: Reader, top: Element, tags: list[int]) -> ContentKind:
    children = list(reader.children(top))
    if tags[1:2] == [SEQUENCE]:
        if reader.content(children[0]) == b"\x03":
            return ContentKind.PKCS12
        if tags[2:3] == [OCTET_STRING]:
            oid = next(reader.children(children[1]), None)
            name = b"" if oid is None else reader.content(oid)
            return ContentKind.KEY if name in _TLS_KEYS else ContentKind.FOREIGN_KEY
        return ContentKind.UNKNOWN
    if tags[:2] == [INTEGER, OCTET_STRING]:
        return ContentKind.KEY  # SEC1
    if tags[:9] == [INTEGER] * 9:
        return ContentKind.KEY  # PKCS#1
    if tags == [INTEGER] * 6:
        return ContentKind.FOREIGN_KEY  # DSA
    return ContentKind.PUBLIC_KEY if tags == [INTEGER] * 2 else ContentKind.UNKNOWN


def foreign_key_name(data: bytes) -> str:
    """Return the name of a key of kind FOREIGN_KEY, for messages."""
    if algorithm_of(data)[1]:
        return other_key_name(data) or "an unusual"
    return "DSA"
