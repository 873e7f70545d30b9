"""Derived files: each begins with a checksum of what follows, and a damaged one is rebuilt.

Checking every value would cost more than rebuilding the file; the checksum tells whether it is what we wrote.
"""

from __future__ import annotations

from binascii import crc32
from collections.abc import Mapping

from msgspec.json import encode

_HEAD = b'{"sum":"%08x",'
_LENGTH = len(_HEAD % 0)


def with_checksum(values: Mapping[str, object]) -> bytes:
    """Return a JSON object of at least one value, with its checksum as the first one."""
    rest = encode(values)[1:]
    return _HEAD % crc32(rest) + rest


def is_intact(data: bytes) -> bool:
    """Tell whether `with_checksum` wrote exactly this."""
    return data.startswith(_HEAD % crc32(memoryview(data)[_LENGTH:]))
