"""The engine's results about CAs and accounts: values without behaviour, part of `core.operations`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from core.findings import Finding


class IssuerChange(Struct, frozen=True, kw_only=True):
    """A certificate that changes its issuer at the next renewal."""

    name: str
    before: str
    after: str
    by_hand: bool = False
    """A person has to start the order."""


class IssuerInfo(Struct, frozen=True, kw_only=True):
    """One issuer: the built-in table combined with the configuration."""

    name: str
    title: str
    kind: str
    """`acme`, `private-ca`, `self-signed`."""
    directory: str | None
    built_in: bool
    needs_eab: bool | None
    """None, as for the next two: unknown."""
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
    """One published limit of a CA, and this box's usage of it."""

    limit: str
    """`orders`, `certificates-per-domain`, `certificates-per-name-set`, `failed-authorizations`."""
    words: str
    """`50 certificates for a registered domain`."""
    count: int
    seconds: float
    exempt: tuple[str, ...]
    """Orders that do not count: `replaces` (RFC 9773 §5), `renewal` (of exactly the same names)."""
    subject: str | None = None
    """Registered domain, set of names, or name; None if nothing is used, or if it applies to the whole account."""
    used: int = 0
    left: int = 0
    free_at: datetime | None = None
    """When one more is possible; None: now."""
    unused_at: datetime | None = None
    """When no use counts any longer."""


class ClosedLimit(Struct, frozen=True, kw_only=True):
    """A kind of request that a CA refuses until a certain time."""

    what: str
    until: datetime
    domain: str
    said: str


class IssuerShown(Struct, frozen=True, kw_only=True):
    """An issuer, its published limits, and their usage."""

    issuer: IssuerInfo
    limits_as_of: str
    """Date of the page with the limits; empty if they are set in the configuration, or none are known."""
    limits: tuple[LimitStanding, ...]
    closed: tuple[ClosedLimit, ...]


class IssuerFacts(Struct, frozen=True, kw_only=True):
    """The facts of an issuer for a comparison."""

    name: str
    title: str
    as_of: str
    """Date of the facts; empty if there are none."""
    price: str
    lifetime: str
    names: str
    wildcard: bool | None
    """None: unknown."""
    ip: str
    eab: bool | None
    limits: str
    ari: str
    profiles: str
    staging: str | None
    notes: tuple[str, ...]


class IssuerTest(Struct, frozen=True, kw_only=True):
    """The content of a CA's directory."""

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
    """Requirements for a new account that are not set here: an order would fail because of them."""


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
    """Only after an import: the URL of the previous account, which continues to exist at the CA."""
