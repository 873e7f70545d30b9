"""The note that a scheduled run with nothing to do leaves for the next one: a few lines of text in `state/idle`.

It is derived data: it may be removed at any time, is not flushed to disk, and is used only if complete. A checksum guards it
against partial writes, and its first line against another release, another Python, another user and another home.
"""

import os
import sys
from binascii import crc32

from core.idle.signature import Places
from core.release import VERSION

_FORMAT = 2
_LONGEST = 32_000_000
"""Bytes. Ten thousand certificates need less than one million."""


class Memo:
    """One result, and what it depends on. Times are seconds since 1970, UTC."""

    __slots__ = ("clock", "files", "json", "next_at", "next_name", "pause", "seen", "valid_from", "valid_until")

    def __init__(
        self,
        *,
        seen: int,
        files: list[str],
        valid_from: float,
        valid_until: float,
        clock: str,
        next_name: str,
        next_at: float,
        pause: float,
        json: str,
    ) -> None:
        """Store the parts.

        Args:
            seen: the signature of settings, state and `files`.
            files: paths of services' files, outside our folders.
            valid_from: start of the period in which the result is valid.
            valid_until: end of that period.
            clock: the record of the clock after its first time.
            next_name: the certificate that renews next, at `next_at`; empty if there is none.
            next_at: when that one renews.
            pause: seconds after the last run; a later run means that one was missed, which the normal path records. 0: no limit.
            json: the complete output of `--json`.
        """
        self.seen = seen
        self.files = files
        self.valid_from = valid_from
        self.valid_until = valid_until
        self.clock = clock
        self.next_name = next_name
        self.next_at = next_at
        self.pause = pause
        self.json = json


def written(memo: Memo, places: Places, who: int) -> bytes:
    """Return the content of the note's file. Raises ValueError if a name contains a line feed."""
    lines = [
        str(memo.seen),
        repr(memo.valid_from),
        repr(memo.valid_until),
        memo.clock.replace("\n", "\t"),
        memo.next_name,
        repr(memo.next_at),
        repr(memo.pause),
        *memo.files,
    ]
    if any("\n" in line for line in lines):
        raise ValueError("a line feed in a name")
    text = "\n".join([str(len(memo.files)), *lines, memo.json]).encode("utf-8", "surrogateescape")
    return b"%s%08x\n%s" % (_head(places, who), crc32(text), text)


def read(places: Places, who: int) -> Memo | None:
    """Return the memo of this home; None unless this release has written a complete one for this home and user."""
    head = _head(places, who)
    try:
        handle = os.open(places.memo, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        data = os.read(handle, min(os.fstat(handle).st_size, _LONGEST))
    except OSError:
        return None
    finally:
        os.close(handle)
    text = data[len(head) + 9 :]
    if not data.startswith(b"%s%08x\n" % (head, crc32(text))):
        return None
    try:
        count, seen, begin, end, clock, name, at, pause, rest = text.decode("utf-8", "surrogateescape").split("\n", 8)
        *files, json = rest.split("\n", int(count))
        return Memo(
            seen=int(seen),
            files=files,
            valid_from=float(begin),
            valid_until=float(end),
            clock=clock.replace("\t", "\n"),
            next_name=name,
            next_at=float(at),
            pause=float(pause),
            json=json,
        )
    except ValueError:
        return None


def _head(places: Places, who: int) -> bytes:
    where = f"{places.etc}\0{places.state}\0{places.run}"
    line = f"certdeck idle {_FORMAT} {VERSION} {sys.hexversion:x} {who} {where!r}\n"
    return line.encode("utf-8", "surrogateescape")
