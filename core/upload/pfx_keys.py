"""Extracts the keys from a PKCS#12 file before the file is read.

The library returns only the first key of a file, and a renewed keystore has several. It also checks the primes of an RSA key, which
takes four seconds at 8192 bits and cannot be switched off. That check is not needed here: a key is used only if its numbers are
consistent and its public key is that of the certificate, and both are checked (`core.x509.key_reader.checked`, the check
`key-match`); a key with false primes would harm only its owner. So the keys are read separately, without that check, and the file
is read without them. Its checksum covers both and is omitted: it only protects against damage, and a damaged key or certificate is
rejected anyway.
"""

from __future__ import annotations

from msgspec import Struct

from core.x509.der import OCTET_STRING, OID, SEQUENCE, Element, NotDer, Reader, tlv

SMALL = 3 * 1024
"""Size in bytes up to which a key is read with the file. An RSA key of 4096 bits has 2.4 kB and takes a third of a second."""
MOST_KEYS = 20
_DATA = bytes.fromhex("2a864886f70d010701")
_BAGS = bytes.fromhex("2a864886f70d010c0a01")
KEY_BAG, SHROUDED_KEY_BAG = _BAGS + b"\x01", _BAGS + b"\x02"
_EXPLICIT = 0xA0


class Parted(Struct, frozen=True):
    """A file split in two parts. Its repr shows no key."""

    rest: bytes
    """A PKCS#12 file without keys and checksum."""
    keys: tuple[tuple[bytes, bool], ...]
    """DER of each key as in the file, and whether it is encrypted."""

    def __repr__(self) -> str:
        return f"Parted({len(self.rest)} bytes, {len(self.keys)} keys)"

    @property
    def has_to_be_used(self) -> bool:
        """Reading the whole file would take too long, or would not return all keys."""
        return len(self.keys) > 1 or len(self.keys[0][0]) > SMALL


def split_pkcs12(data: bytes) -> Parted | None:
    """Split a file (DER or BER) in two parts. None: its keys cannot be separated. Never raises."""
    try:
        return _parted(Reader(data))
    except ValueError:  # NotDer, or an unexpected structure
        return None


def _parted(reader: Reader) -> Parted | None:
    version, safes, *_ = reader.children(reader.whole())
    inner = _content_of(reader, safes)
    if inner is None:
        return None
    keys: list[tuple[bytes, bytes]] = []
    kept = b"".join(_without_keys(inner, info, keys) for info in inner.children(inner.whole()))
    if not keys or len(keys) > MOST_KEYS:
        return None
    head = reader.data[_begin(reader, version) : version.after]
    rest = tlv(SEQUENCE, head + _data_info(tlv(SEQUENCE, kept)))
    return Parted(rest, tuple((key, bag == SHROUDED_KEY_BAG) for bag, key in keys))


def _content_of(reader: Reader, info: Element) -> Reader | None:
    """Return the content of a ContentInfo of plain data. None: it is of another type."""
    kind, *content = reader.children(info)
    if kind.tag != OID or reader.content(kind) != _DATA or not content:
        return None
    packed, *_ = reader.children(content[0])
    return Reader(reader.content(packed)) if packed.tag & ~0x20 == OCTET_STRING else None


def _without_keys(reader: Reader, info: Element, keys: list[tuple[bytes, bytes]]) -> bytes:
    """Return one safe without its keys, which are added to `keys` with their bag types."""
    whole = reader.data[_begin(reader, info) : info.after]
    inner = _content_of(reader, info)
    if inner is None:
        return whole
    kept = b""
    found = len(keys)
    for bag in inner.children(inner.whole()):
        kind, value, *_ = inner.children(bag)
        name = inner.content(kind)
        if name in (KEY_BAG, SHROUDED_KEY_BAG) and value.tag == _EXPLICIT:
            key, *_ = inner.children(value)
            keys.append((name, inner.data[_begin(inner, key) : key.after]))
        else:
            kept += inner.data[_begin(inner, bag) : bag.after]
    return whole if len(keys) == found else _data_info(tlv(SEQUENCE, kept))


def _begin(reader: Reader, element: Element) -> int:
    """Return the position of an element's tag, from the position of its content and the length of its header."""
    indefinite = element.after != element.end
    length = element.end - element.start
    head = 2 if indefinite or length < 0x80 else 2 + (length.bit_length() + 7) // 8
    begin = element.start - head
    if begin < 0 or reader.data[begin] != element.tag:
        raise NotDer("an unusual length")
    return begin


def _data_info(content: bytes) -> bytes:
    return tlv(SEQUENCE, tlv(OID, _DATA) + tlv(_EXPLICIT, tlv(OCTET_STRING, content)))
