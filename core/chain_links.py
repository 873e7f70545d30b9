"""What is shown of a chain, from the certificate to the root: values without behaviour."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class ChainLink(Struct, frozen=True, kw_only=True):
    """One certificate of a chain."""

    subject: str
    """Data from outside, cleaned."""
    not_after: datetime
    is_sent: bool = True
    """Services send it; the root, which clients have, is found on this box."""


class ChainView(Struct, frozen=True, kw_only=True):
    """A chain as clients follow it."""

    links: tuple[ChainLink, ...]
    """The certificate first."""
    issuer: str
    """Who signed the last link."""
    trusted_by: str
    """`this system's trust store`; empty where nothing on this box trusts the end of the chain."""
