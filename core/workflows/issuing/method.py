"""By which means a lineage gets its certificate. Pure and cheap: asked for every lineage of every look at the box."""

from __future__ import annotations

from core.config.model import Config

UPLOAD = "upload"
SELF_SIGNED = "self-signed"
PRIVATE_CA = "appliance-ca"
FLEET = "fleet"
"""It came from a hub of the fleet, which renews it."""
LOCAL_ISSUERS = frozenset({UPLOAD, SELF_SIGNED, PRIVATE_CA, FLEET})
"""What needs no directory. Stands apart from `core.issuers` because a run with nothing due must not pay for that table."""


SET_EACH_TIME = frozenset({"dns-01", "dns-account-01"})
"""Challenges whose records are new with each order: without a provider a person has to set them (ST-17)."""


def is_acme(config: Config, issuer: str) -> bool:
    """Tell whether an issuer is spoken to over ACME; an unknown one is taken for it."""
    entry = config.issuers.get(issuer)
    return issuer not in LOCAL_ISSUERS or (entry is not None and entry.directory is not None)


def method_of(config: Config, issuer: str | None, challenge: str | None, dns: str | None) -> str:
    """Return the word that `status --json` uses for a lineage with these settings. None: the default of the configuration."""
    issuer = issuer or config.defaults.issuer
    if not is_acme(config, issuer):
        return "private-ca" if issuer == PRIVATE_CA else issuer
    challenge = challenge or config.defaults.challenge
    return f"manual-{challenge}" if challenge in SET_EACH_TIME and not dns else challenge
