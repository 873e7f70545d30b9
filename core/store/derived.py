"""Files that are made of other files: they begin with a sum of what follows, and one that is not whole is made anew.

Looking at every value would cost more than making the file again; a sum says whether it is what we wrote.
"""

from __future__ import annotations

from binascii import crc32
from collections.abc import Mapping

from msgspec.json import encode

_HEAD = b'{"sum":"%08x",'
_LENGTH = len(_HEAD % 0)


def with_sum(values: Mapping[str, object]) -> bytes:
    """Return a JSON object of at least one value with its sum as the first one."""
    rest = encode(values)[1:]
    return _HEAD % crc32(rest) + rest


def is_whole(data: bytes) -> bool:
    """Tell whether `with_sum` wrote exactly this."""
    return data.startswith(_HEAD % crc32(memoryview(data)[_LENGTH:]))
