"""The status that a lineage would have with a certificate of which nothing is stored: a rehearsal, an upload that is checked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from core.lineage_status import LineageStatus
from core.severity import days_left, severity
from core.x509.certificate import Certificate
from core.x509.chain_end import first_end


class Unstored(Struct, frozen=True, kw_only=True):
    """A certificate, and what its lineage would say of it."""

    name: str
    domains: tuple[str, ...]
    leaf: Certificate
    sent: Sequence[Certificate]
    """What follows the leaf."""
    method: str
    renew_why: str
    ca: str | None = None
    profile: str | None = None


def status_with(new: Unstored, now: datetime) -> LineageStatus:
    """Return the status. It is never renewed: there is nothing to renew."""
    leaf, first = new.leaf, first_end(new.leaf, new.sent)
    begin, end, chain_end, stamp = (
        each.timestamp() for each in (leaf.not_before, leaf.not_after, first.not_after, now)
    )
    return LineageStatus(
        name=new.name,
        domains=new.domains,
        subject=leaf.subject,
        issuer=leaf.issuer,
        serial=leaf.serial,
        not_before=leaf.not_before,
        not_after=leaf.not_after,
        days_left=days_left(begin, chain_end, stamp),
        severity=severity(begin, end, stamp, chain_end),
        self_signed=leaf.self_signed,
        chain=bool(new.sent),
        chain_length=len(new.sent),
        sha256=leaf.sha256,
        key_type=leaf.key_type,
        method=new.method,
        ca=new.ca,
        auto_renew=False,
        renew_at=None,
        renew_why=new.renew_why,
        last_error=None,
        profile=new.profile,
        chain_not_after=first.not_after,
        chain_end="" if first is leaf else first.subject,
        valid_yet=begin <= stamp,
    )
