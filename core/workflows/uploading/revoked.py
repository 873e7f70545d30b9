"""Checks whether a provided certificate is known to be revoked, from this box's records and other clients' files.

Sends no request, because an upload is examined while the user types. Once it is live, the scheduled run asks its CA.
"""

from __future__ import annotations

from contextlib import suppress

from core.adopt.search import holders_of
from core.config.load import lineage_names
from core.errors import CertdeckError
from core.store import renewal_state, revocation
from core.upload.values import CheckResult
from core.workflows.context import Context
from core.workflows.renewing.revocation import since_and_source
from core.x509.certificate import Certificate

ID = "revoked"


def known_as_revoked(context: Context, leaf: Certificate) -> CheckResult | None:
    """Return a warning if a certificate is known to be revoked. None: nothing is known."""
    who = _by_its_ca(context, leaf.sha256) or _by_us(context, leaf.sha256) or _by_another(context, leaf.sha256)
    if not who:
        return None
    return CheckResult(
        id=ID,
        title="Not revoked",
        status="warn",
        detail=f"This certificate was revoked {who}; clients that check revocation reject it.",
        fix="Give a newer certificate, or have a new one issued.",
    )


def _by_its_ca(context: Context, sha256: str) -> str:
    """Return the CA's answer to the scheduled run, as part of a sentence. Empty: not revoked, or not known."""
    said = revocation.load(context.paths.revocation).get(sha256)
    return f"by its CA{since_and_source(said)}" if said is not None and said.revoked_at is not None else ""


def _by_us(context: Context, sha256: str) -> str:
    with suppress(CertdeckError):
        for name in lineage_names(context.paths):
            with suppress(CertdeckError):
                if renewal_state.load(context.paths, name).revoked == sha256:
                    return f"on this box (certdeck revoke {name})"
    return ""


def _by_another(context: Context, sha256: str) -> str:
    found = next((each for each in holders_of(context.env.places.root, sha256) if each.revoked), None)
    return f"by {found.client}, according to {found.certificate.parent}" if found else ""
