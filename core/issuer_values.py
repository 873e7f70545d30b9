"""What the engine says of CAs and accounts: values without behaviour, part of `core.operations`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from core.findings import Finding


class IssuerChange(Struct, frozen=True, kw_only=True):
    """A certificate that gets another issuer with its next renewal."""

    name: str
    before: str
    after: str
    by_hand: bool = False
    """A person has to begin the order."""


class IssuerInfo(Struct, frozen=True, kw_only=True):
    """One issuer as configured: built-in table and configuration together."""

    name: str
    title: str
    kind: str
    """`acme`, `private-ca`, `self-signed`."""
    directory: str | None
    built_in: bool
    needs_eab: bool | None
    """None, as for the next two: not known."""
    wildcard: bool | None
    ip: bool | None
    key_types: tuple[str, ...]
    max_names: int
    staging: str | None
    notes: tuple[str, ...] = ()
    is_default: bool = False
    terms_agreed: bool = False
    account_url: str | None = None


class LimitStanding(Struct, frozen=True, kw_only=True):
    """One published limit of a CA, and what this box has used of it."""

    limit: str
    """`orders`, `certificates-per-domain`, `certificates-per-name-set`, `failed-authorizations`."""
    words: str
    """`50 certificates for a registered domain`."""
    count: int
    seconds: float
    exempt: tuple[str, ...]
    """What does not count: `replaces` (RFC 9773 §5), `renewal` (of exactly the same names)."""
    subject: str | None = None
    """Registered domain, names or name; None where nothing is used, or where it counts for the whole account."""
    used: int = 0
    left: int = 0
    free_at: datetime | None = None
    """When one more is possible; None: now."""
    unused_at: datetime | None = None
    """When nothing of it is used any more."""


class ClosedLimit(Struct, frozen=True, kw_only=True):
    """What a CA has refused until a time."""

    what: str
    until: datetime
    domain: str
    said: str


class IssuerShown(Struct, frozen=True, kw_only=True):
    """An issuer, its published limits, and how they stand."""

    issuer: IssuerInfo
    limits_as_of: str
    """Date of the page with the limits; empty where they are set in the configuration, or none are known."""
    limits: tuple[LimitStanding, ...]
    closed: tuple[ClosedLimit, ...]


class IssuerFacts(Struct, frozen=True, kw_only=True):
    """An issuer beside others."""

    name: str
    title: str
    as_of: str
    """Date of the facts; empty where nothing is known."""
    price: str
    lifetime: str
    names: str
    wildcard: bool | None
    """None: not known."""
    ip: str
    eab: bool | None
    limits: str
    ari: str
    profiles: str
    staging: str | None
    notes: tuple[str, ...]


class IssuerTest(Struct, frozen=True, kw_only=True):
    """What the directory said when asked."""

    name: str
    directory: str
    terms_of_service: str | None
    website: str | None
    caa_identities: tuple[str, ...]
    eab_required: bool
    profiles: Mapping[str, str]
    ari: bool
    milliseconds: int
    clock_skew_seconds: int | None
    """Our clock minus theirs."""
    missing: tuple[Finding, ...] = ()
    """What it asks of a new account and is not set here: an order would fail for it."""


class AccountInfo(Struct, frozen=True, kw_only=True):
    """An account at a CA, without its key."""

    issuer: str
    directory: str
    url: str
    contact: str | None
    key_type: str
    thumbprint: str
    created: datetime | None
    replaced: str | None = None
    """Only after an import: the URL of the account that was used until then. It lives on at the CA."""
