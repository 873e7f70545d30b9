"""Whether a certificate comes from a CA's staging, which no client trusts. Pure, and light: asked in every look at the box."""

from __future__ import annotations


def is_staging_issuer(issuer: str) -> bool:
    """Tell by the issuer's name in the certificate: Let's Encrypt's staging has "(STAGING)" in it, and once had "Fake LE"."""
    return "(STAGING)" in issuer or issuer.removeprefix("CN=").startswith("Fake LE ")
