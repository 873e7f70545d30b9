"""Ask the CA to revoke what is live. The files stay: a service with a revoked certificate still runs, one without does not."""

from __future__ import annotations

from dataclasses import replace

from core.acme.revoke import REASONS, revoke_with_key
from core.acme.revoke import revoke as revoke_at_ca
from core.acme.session import AcmeSession
from core.errors import AcmeProblem, NotFound, UsageError
from core.events import Changed, KeyUsed
from core.store import renewal_state
from core.store.had_with import settings_of
from core.store.lineages import live_version, read_pair, read_public, read_version
from core.workflows.context import Context
from core.workflows.plan import plan, without_issuer
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
    lineage = settings_of(context.paths, name)
    number = live_version(context.paths, name)
    if number is None:
        raise NotFound(
            f"{name} has no live certificate.",
            "There is nothing to revoke.",
            "Look at `certdeck status`.",
            lineage=name,
        )
    stored = read_version(context.paths, name, number)
    # Who issued it can revoke it, and after a fall-back that is not the lineage's own issuer.
    wanted = plan(context.config, replace(without_issuer(lineage), issuer=stored.ca or lineage.issuer))
    if wanted.issuer.kind != "acme":
        raise UsageError(
            f"{wanted.issuer.title} keeps no revocation list.",
            "Only a certificate of an ACME CA can be revoked.",
            f"Deploy another one, and delete {name}.",
            lineage=name,
        )
    leaf = parse_pem(read_public(context.paths, name, number)[0])[0]
    with Sessions(context, context.vault) as sessions:
        _revoke(context, sessions.session(wanted.issuer), name, number, leaf.der, reason)
    state = renewal_state.load(context.paths, name)
    # Due from now on, whatever this clock shows: the next run brings one that is not revoked.
    due = replace(
        state,
        revoked=leaf.sha256,
        ari_id=stored.certificate.renewal_id,
        ari_chosen=stored.certificate.not_before,
        next_attempt=None,
    )
    renewal_state.save(context.paths, name, due)
    context.narrator.tell(Changed(what=f"revoked {name}, serial {leaf.serial}, reason {reason}"))


def _revoke(context: Context, session: AcmeSession, name: str, version: int, der: bytes, reason: str) -> None:
    """Revoke as the account; where another account had ordered it, which is lost by now, with the certificate's own key."""
    try:
        revoke_at_ca(session, der, reason)
    except AcmeProblem as exc:
        if not str(exc.details.get("type", "")).endswith(":unauthorized"):
            raise
        context.narrator.tell(KeyUsed(key=f"lineage/{name}/{version}", purpose="revoke its own certificate"))
        revoke_with_key(session, der, read_pair(context.paths, name, version).privkey, reason)
