"""Whether a certificate comes from a CA's staging, which no client trusts. Pure and lightweight: used in every status query."""

from __future__ import annotations


def is_staging_issuer(issuer: str) -> bool:
    """Return whether an issuer's name in a certificate is of Let's Encrypt's staging: it has "(STAGING)", or formerly "Fake LE"."""
    return "(STAGING)" in issuer or issuer.removeprefix("CN=").startswith("Fake LE ")
