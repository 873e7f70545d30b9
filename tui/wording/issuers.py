"""Wording about issuers and their limits, for both front ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.dates import iso_shown

if TYPE_CHECKING:
    from core.operations import IssuerFacts

VALIDATION: Final = (
    "Certificates differ in what the CA has checked. DV: control over the names; ACME validates only this, and Let's Encrypt "
    "issues only DV. OV and EV: also the organization, checked by a person at the CA, for a fee; browsers show no "
    "difference."
)
"""SO-04."""
COUNTED_HERE: Final = "This box counts only its own orders. The CA also counts those of other machines."
EXEMPT: Final = "Renewals with ARI (they name the certificate that they replace) do not count."
NO_LIMITS: Final = "No limits of this CA are known, so nothing is counted."


def source_words(limits_as_of: str) -> str:
    """Return the source of the limits."""
    return f"Published limits, as of {iso_shown(limits_as_of)}" if limits_as_of else "Limits set in the configuration"


def fact_rows(issuer: IssuerFacts) -> list[tuple[str, str]]:
    """Return the facts of an issuer as (label, value) pairs."""
    return [
        ("Price", issuer.price),
        ("Lifetime", issuer.lifetime),
        ("Names", issuer.names),
        ("Wildcards", known(issuer.wildcard, "yes", "no")),
        ("IP addresses", issuer.ip),
        ("EAB", known(issuer.eab, "needed", "not needed")),
        ("Limits", "\n".join(issuer.limits.split("; "))),
        ("ARI", issuer.ari),
        ("Profiles", issuer.profiles),
        ("Staging", issuer.staging or "none known"),
        ("Notes", "\n".join(issuer.notes) or "none"),
        ("As of", iso_shown(issuer.as_of) if issuer.as_of else "–"),
    ]


def known(value: bool | None, yes: str, no: str, unknown: str = "unknown") -> str:
    """Return the word for yes or no, or the one for unknown (None)."""
    return unknown if value is None else yes if value else no
