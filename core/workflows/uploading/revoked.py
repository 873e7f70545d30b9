"""Whether a certificate that somebody brings is known to be revoked: by this box's own history, or by another client's marks.

Nobody is asked over the network: a CA publishes a revocation too, but an upload is looked at as somebody types.
"""

from __future__ import annotations

from contextlib import suppress

from core.adopt.found import read
from core.adopt.search import found_on
from core.config.load import lineage_names
from core.errors import CertdeckError
from core.store import renewal_state
from core.store.versions import leaf_sha256
from core.upload.values import CheckResult
from core.workflows.context import Context
from core.x509.certificate import Certificate

ID = "revoked"


def known_as_revoked(context: Context, leaf: Certificate) -> CheckResult | None:
    """Return a warning where a certificate is known to be revoked; None where nothing is known."""
    who = _by_us(context, leaf.sha256) or _by_another(context, leaf.sha256)
    if not who:
        return None
    return CheckResult(
        id=ID,
        title="Not revoked",
        status="warn",
        detail=f"This certificate was revoked {who}; clients that ask for revocations refuse it.",
        fix="Give a newer one, or have one issued.",
    )


def _by_us(context: Context, sha256: str) -> str:
    with suppress(CertdeckError):
        for name in lineage_names(context.paths):
            with suppress(CertdeckError):
                if renewal_state.load(context.paths, name).revoked == sha256:
                    return f"on this box (certdeck revoke {name})"
    return ""


def _by_another(context: Context, sha256: str) -> str:
    for found in found_on(context.env.places.root):
        if found.revoked and leaf_sha256(read(found.certificate) or b"") == sha256:
            return f"by {found.client}, according to {found.certificate.parent}"
    return ""
