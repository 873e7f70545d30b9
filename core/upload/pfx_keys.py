"""The keys taken out of a PKCS#12 file before the file is read.

The library returns one key of a file, whichever stands first, and a keystore that was renewed holds several. And reading the file
proves the primes of an RSA key, which takes four seconds at 8192 bits, and cannot be told not to. Nothing depends on that proof
here: a key is only good if its numbers fit together and its public half is the certificate's, which both are looked at
(`core.x509.key_reader.checked`, the check `key-match`); a key whose primes are none would harm nobody but its owner. So the keys
are read by themselves, without that proof, and the file without them. Its checksum covers both and is left out: it guards against
damage alone, and a damaged key or certificate does not get through either.
"""

from __future__ import annotations

from msgspec import Struct

from core.x509.der import OCTET_STRING, OID, SEQUENCE, Element, NotDer, Reader, tlv

SMALL = 3 * 1024
"""Bytes. An RSA key of 4096 bits takes 2.4 kB and a third of a second."""
MOST_KEYS = 20
_DATA = bytes.fromhex("2a864886f70d010701")
_BAGS = bytes.fromhex("2a864886f70d010c0a01")
KEY_BAG, SHROUDED_KEY_BAG = _BAGS + b"\x01", _BAGS + b"\x02"
_EXPLICIT = 0xA0


class Parted(Struct, frozen=True):
    """A file in two parts. Its repr shows no key."""

    rest: bytes
    """A PKCS#12 file without key and checksum."""
    keys: tuple[tuple[bytes, bool], ...]
    """DER of each key as it stood there, and whether it is encrypted."""

    def __repr__(self) -> str:
        return f"Parted({len(self.rest)} bytes, {len(self.keys)} keys)"

    @property
    def has_to_be_used(self) -> bool:
        """The file as a whole would take too long, or not give all of its keys."""
        return len(self.keys) > 1 or len(self.keys[0][0]) > SMALL


def split_pkcs12(data: bytes) -> Parted | None:
    """Return the file (DER or BER) in two parts where its keys can be seen; None for any other. Never raises."""
    try:
        return _parted(Reader(data))
    except ValueError:  # NotDer, or other parts than there should be
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
    """Return what is packed into a ContentInfo of plain data."""
    kind, *content = reader.children(info)
    if kind.tag != OID or reader.content(kind) != _DATA or not content:
        return None
    packed, *_ = reader.children(content[0])
    return Reader(reader.content(packed)) if packed.tag & ~0x20 == OCTET_STRING else None


def _without_keys(reader: Reader, info: Element, keys: list[tuple[bytes, bytes]]) -> bytes:
    """Return one of the safes without the keys in it, which are added to `keys` with their kinds."""
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
    """Return where an element's own tag stands: as far before its content as its head is long."""
    indefinite = element.after != element.end
    length = element.end - element.start
    head = 2 if indefinite or length < 0x80 else 2 + (length.bit_length() + 7) // 8
    begin = element.start - head
    if begin < 0 or reader.data[begin] != element.tag:
        raise NotDer("an unusual length")
    return begin


def _data_info(content: bytes) -> bytes:
    return tlv(SEQUENCE, tlv(OID, _DATA) + tlv(_EXPLICIT, tlv(OCTET_STRING, content)))
