"""A chain from the certificate to the root, for display: values without behaviour."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class ChainLink(Struct, frozen=True, kw_only=True):
    """One certificate of a chain."""

    subject: str
    """Foreign text, cleaned."""
    not_after: datetime
    is_sent: bool = True
    """Services send it. False for the root: clients have it, and it was found on this box."""


class ChainView(Struct, frozen=True, kw_only=True):
    """A chain as clients build it."""

    links: tuple[ChainLink, ...]
    """The certificate first."""
    issuer: str
    """The issuer of the last link."""
    trusted_by: str
    """`this system's trust store`; empty if nothing on this box trusts the end of the chain."""
