"""The address of a probe: `HOST:PORT`, `[V6]:PORT`, or with a dialect, `smtp://[::1]:25`."""

from __future__ import annotations

import re
from typing import NamedTuple

DIALECTS = ("smtp", "imap", "pop3", "sieve", "ftp", "ldap", "postgres", "mysql", "xmpp")
"""Protocols that switch to TLS within a plain-text connection (STARTTLS)."""
_ADDRESS = r"(?:([a-z0-9]+)://)?(?:\[([0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?)\]|([^\s:/\[\]@]+)):([0-9]{1,5})"


class ProbeAddress(NamedTuple):
    """The address that a probe connects to, and how it starts TLS there."""

    dialect: str
    """One of DIALECTS; empty: TLS from the first byte."""
    host: str
    """A name, or an address without brackets."""
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.dialect}://{host}:{self.port}" if self.dialect else f"{host}:{self.port}"


def parse(text: str) -> ProbeAddress | None:
    """Return the parts of an address; None if it is not valid. `tls://` means no dialect."""
    match = re.fullmatch(_ADDRESS, text)
    if match is None or not 0 < int(match[4]) < 65536:
        return None
    dialect = "" if match[1] in (None, "tls") else match[1]
    return ProbeAddress(dialect, match[2] or match[3], int(match[4])) if dialect in ("", *DIALECTS) else None


def broken(text: str) -> tuple[str, str] | None:
    """Return (what is wrong with an address, how to write it), or None."""
    if parse(text) is not None:
        return None
    scheme = text.partition("://")[0]
    if scheme != text and scheme not in DIALECTS:
        return (
            f"{text[:80]!r} names an unknown protocol",
            f"Protocols: {', '.join(DIALECTS)}. Plain TLS needs none.",
        )
    return (
        f"{text[:80]!r} is not HOST:PORT",
        'Write, for example, "127.0.0.1:443", "[::1]:443" or "smtp://127.0.0.1:25".',
    )
