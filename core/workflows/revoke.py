"""Ask the CA to revoke what is live. The files stay: a service with a revoked certificate still runs, one without does not."""

from __future__ import annotations

from core.acme.revoke import REASONS
from core.acme.revoke import revoke as revoke_at_ca
from core.config.load import load_lineage
from core.errors import NotFound, UsageError
from core.events import Changed
from core.store.lineages import live_version, read_public
from core.store.vault import Vault
from core.workflows.context import Context
from core.workflows.plan import plan
from core.workflows.sessions import Sessions
from core.x509.certificate import parse_pem


def revoke(context: Context, name: str, reason: str) -> None:
    """Revoke the live certificate of `name`.

    Raises:
        UsageError: an unknown reason, or a lineage without a CA; NotFound; IssuerError.
    """
    if reason not in REASONS:
        raise UsageError(
            f"There is no reason {reason!r}.", "RFC 5280 has a fixed list.", f"Take one of: {', '.join(REASONS)}."
        )
    lineage = load_lineage(context.paths, name)
    number = live_version(context.paths, name)
    if number is None:
        raise NotFound(
            f"{name} has no live certificate.",
            "There is nothing to revoke.",
            "Look at `certdeck status`.",
            lineage=name,
        )
    wanted = plan(context.config, lineage)
    if wanted.issuer.kind != "acme":
        raise UsageError(
            f"{wanted.issuer.title} keeps no revocation list.",
            "Only a certificate of an ACME CA can be revoked.",
            f"Deploy another one, and delete {name}.",
            lineage=name,
        )
    leaf = parse_pem(read_public(context.paths, name, number)[0])[0]
    with Sessions(context, Vault(context.paths, context.env)) as sessions:
        revoke_at_ca(sessions.session(wanted.issuer), leaf.der, reason)
    context.narrator.tell(Changed(what=f"revoked {name}, serial {leaf.serial}, reason {reason}"))
