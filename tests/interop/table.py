"""What certdeck does with other ACME servers: the table of the README, and what `make interop` expects to see."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Row:
    """One server that certdeck was run against, and how each step ended."""

    server: str
    version: str
    certificate: str
    """HTTP-01, two names; also for an IP address where it says so."""
    renewal: str
    contact: str
    """The account's contact changed and removed."""
    key_change: str
    revocation: str
    failed_name: str
    """Port 80 closed: how soon the error with the CA's reason comes."""


TITLES = ("CA", "Version", "Certificate", "Renewal", "Contact", "New account key", "Revocation", "Name that fails")

ROWS = (
    Row(
        server="Pebble",
        version="2.10",
        certificate="yes, IP too",
        renewal="yes, with ARI",
        contact="yes",
        key_change="yes",
        revocation="yes",
        failed_name="reason within seconds",
    ),
    Row(
        server="Caddy `acme_server`",
        version="2.11.4",
        certificate="yes, IP too",
        renewal="yes",
        contact="cannot be removed",
        key_change="not offered",
        revocation="yes",
        failed_name="reason at once, error within a minute",
    ),
    Row(
        server="acme2certifier",
        version="0.46.3",
        certificate="yes, IP too",
        renewal="yes, with ARI",
        contact="needed, changeable",
        key_change="yes",
        revocation="yes",
        failed_name="reason within seconds",
    ),
    Row(
        server="serles",
        version="1.3.0",
        certificate="yes, IP too",
        renewal="yes",
        contact="yes",
        key_change="not offered",
        revocation="not offered",
        failed_name="reason within seconds",
    ),
)


def markdown() -> str:
    """Return the table as it stands in the README."""
    assert len(TITLES) == len(fields(Row))
    lines = [TITLES, tuple("---" for _ in TITLES), *(astuple(row) for row in ROWS)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
