"""Creates the self-signed certificate of a box: valid for a year, from one day ago, because clocks of clients may be slow."""

from __future__ import annotations

from datetime import timedelta

from core.version import BUILT
from core.workflows.context import Context
from core.x509 import certificate, selfsigned
from core.x509.key import PrivateKey

LIFETIME = timedelta(days=365)
BACKDATED = timedelta(days=1)


def self_sign(context: Context, names: tuple[str, ...], key: PrivateKey) -> bytes:
    """Return a self-signed certificate for `names`, as PEM."""
    now = context.env.clock.now()
    # Do not trust a clock that is before the build date: the certificate would expire too early.
    subject = selfsigned.branded(context.config.appliance.name, "Self-Signed")
    made = selfsigned.self_signed(key, subject, names, not_before=now - BACKDATED, not_after=max(now, BUILT) + LIFETIME)
    return certificate.to_pem(made)
