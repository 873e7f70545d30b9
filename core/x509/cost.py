"""Reads the cost of trying a passphrase from a structure, before it is tried.

A file specifies its number of key-derivation rounds, so a small file can require hours of work. The number is read here and
compared with common values: OpenSSL writes 2,048 rounds, the most careful programs 600,000.
"""

from __future__ import annotations

from core.x509.der import OCTET_STRING, OID, SEQUENCE, Element, NotDer, Reader

MOST_ROUNDS = 2_000_000
"""Limit for all key derivations of one file together, in rounds of HMAC-SHA-256: a second of work on a small machine."""
_OLD_WEIGHT = 3
"""PKCS#12 derives a key of two blocks and an initialization vector, each with all rounds."""
_WIDE_WEIGHT = 2
"""SHA-384 and SHA-512 take more than twice as long as SHA-256."""
_MOST_SCRYPT_BYTES = 64 * 1024 * 1024
_SCRYPT_BYTES_PER_ROUND = 200
"""Converts scrypt's memory to the same unit: one round of PBKDF2 takes as long as this many bytes."""
_MOST_NESTING = 64

_PKCS5 = bytes.fromhex("2a864886f70d0105")
_PKCS12_PBE = bytes.fromhex("2a864886f70d010c01")
_PBKDF2 = _PKCS5 + b"\x0c"
_PBES1 = frozenset(_PKCS5 + bytes([arc]) for arc in (1, 3, 4, 6, 10, 11)) | frozenset(
    _PKCS12_PBE + bytes([arc]) for arc in range(1, 7)
)
_WIDE_PRFS = frozenset(bytes.fromhex("2a864886f70d02") + bytes([arc]) for arc in (0x0A, 0x0B))
_SCRYPT = bytes.fromhex("2b06010401da47040b")


class TooCostly(ValueError):
    """It requires more work than any legitimate file. The text says how much."""


def check_kdf_cost(data: bytes, *, is_pkcs12: bool = False) -> int:
    """Return the number of rounds of all key derivations in `data` (DER or BER) together.

    Raises TooCostly above the limit; NotDer for data that cannot be parsed.
    """
    reader = Reader(data)
    top = reader.whole()
    rounds = _rounds(reader, top, 0)
    if is_pkcs12:
        rounds += _mac_rounds(reader, top)
    if rounds > MOST_ROUNDS:
        raise TooCostly(f"{rounds:,} rounds")
    return rounds


def _rounds(reader: Reader, element: Element, depth: int) -> int:
    if depth > _MOST_NESTING:
        raise NotDer("nested too deep")
    if element.tag == OCTET_STRING or (not element.is_constructed and element.tag & 0xC0):
        return _inside_string(reader, element, depth)
    if not element.is_constructed:
        return 0
    total = 0
    previous = b""
    for child in reader.children(element):
        if child.tag == SEQUENCE and previous:
            total += _named_rounds(reader, child, previous)
        previous = reader.content(child) if child.tag == OID else b""
        total += _rounds(reader, child, depth + 1)
    return total


def _inside_string(reader: Reader, element: Element, depth: int) -> int:
    """Return the rounds in a string that contains another structure, such as the safes of PKCS#12."""
    if reader.data[element.start : element.start + 1] != b"\x30":
        return 0
    inner = Reader(reader.content(element))
    try:
        top = inner.whole()
    except NotDer:
        return 0  # random bytes that begin like a structure
    return _rounds(inner, top, depth + 1)


def _named_rounds(reader: Reader, parameters: Element, oid: bytes) -> int:
    """Return the rounds of one key derivation, by the OID of its algorithm."""
    if oid in _PBES1 or oid == _PBKDF2:
        values = list(reader.children(parameters))
        rounds = _number(reader, values[1]) if len(values) > 1 else 0
        if oid in _PBES1:
            return rounds * _OLD_WEIGHT
        prfs = [reader.content(next(reader.children(value))) for value in values[2:] if value.tag == SEQUENCE]
        return rounds * (_WIDE_WEIGHT if any(prf in _WIDE_PRFS for prf in prfs) else 1)
    if oid == _SCRYPT:
        values = list(reader.children(parameters))
        if len(values) < 4:
            return 0
        n, r, p = (_number(reader, value) for value in values[1:4])
        if 128 * n * r > _MOST_SCRYPT_BYTES:
            raise TooCostly(f"{128 * n * r // 1024 // 1024:,} MiB of memory")
        return 128 * n * r * p // _SCRYPT_BYTES_PER_ROUND
    return 0


def _mac_rounds(reader: Reader, top: Element) -> int:
    """Return the rounds of the file's checksum: the last value of MacData (RFC 7292 §4)."""
    parts = list(reader.children(top))
    if len(parts) < 3 or parts[2].tag != SEQUENCE:
        return 0
    values = list(reader.children(parts[2]))
    return _number(reader, values[2]) if len(values) > 2 else 1


def _number(reader: Reader, element: Element) -> int:
    try:
        return reader.number(element)
    except NotDer as exc:
        raise TooCostly("an excessive count") from exc
