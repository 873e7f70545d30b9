"""Makes the self-signed certificate of a box: valid for a year, and from a day ago, because clocks of clients may be late."""

from __future__ import annotations

from datetime import timedelta

from core.version import BUILT
from core.workflows.context import Context
from core.x509 import certificate, selfsigned
from core.x509.key import PrivateKey

LIFETIME = timedelta(days=365)
BACKDATED = timedelta(days=1)


def self_sign(context: Context, names: tuple[str, ...], key: PrivateKey) -> bytes:
    """Return a certificate for `names` that is signed by its own key, as PEM."""
    now = context.env.clock.now()
    # A clock before the build date is not believed: a life counted from it would end too early.
    subject = selfsigned.branded(context.config.appliance.name, "Self-Signed")
    made = selfsigned.self_signed(key, subject, names, not_before=now - BACKDATED, not_after=max(now, BUILT) + LIFETIME)
    return certificate.to_pem(made)
