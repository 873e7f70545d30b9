"""How a lineage gets its certificate. Pure and cheap: called for every lineage by every status."""

from __future__ import annotations

from core.config.model import Config

UPLOAD = "upload"
SELF_SIGNED = "self-signed"
PRIVATE_CA = "appliance-ca"
FLEET = "fleet"
"""From a hub of the fleet, which renews it."""
LOCAL_ISSUERS = frozenset({UPLOAD, SELF_SIGNED, PRIVATE_CA, FLEET})
"""Issuers without a directory. Separate from `core.issuers`, because a run with nothing due must not load that table."""


SET_EACH_TIME = frozenset({"dns-01", "dns-account-01"})
"""Challenges with new records for each order: without a provider, they must be set manually (ST-17)."""


def is_acme(config: Config, issuer: str) -> bool:
    """Tell whether an issuer uses ACME. An unknown issuer counts as one that does."""
    entry = config.issuers.get(issuer)
    return issuer not in LOCAL_ISSUERS or (entry is not None and entry.directory is not None)


def method_of(config: Config, issuer: str | None, challenge: str | None, dns: str | None) -> str:
    """Return the `method` in `status --json` for a lineage with these settings. A setting of None means the default."""
    issuer = issuer or config.defaults.issuer
    if not is_acme(config, issuer):
        return "private-ca" if issuer == PRIVATE_CA else issuer
    challenge = challenge or config.defaults.challenge
    return f"manual-{challenge}" if challenge in SET_EACH_TIME and not dns else challenge
