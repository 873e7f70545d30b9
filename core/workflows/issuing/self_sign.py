"""Makes the self-signed certificate of a box: valid for a year, and from a day ago, because clocks of clients may be late."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.version import BUILT
from core.workflows.context import Context
from core.x509 import certificate, selfsigned
from core.x509.key import PrivateKey

LIFETIME = timedelta(days=365)
BACKDATED = timedelta(days=1)


def self_sign(context: Context, names: tuple[str, ...], key: PrivateKey) -> bytes:
    """Return a certificate for `names` that is signed by its own key, as PEM."""
    not_before, not_after = _validity(context.env.clock.now())
    subject = selfsigned.branded(context.config.appliance.name, "Self-Signed")
    made = selfsigned.self_signed(key, subject, names, not_before=not_before, not_after=not_after)
    return certificate.to_pem(made)


def _validity(now: datetime) -> tuple[datetime, datetime]:
    """Return not_before and not_after for a certificate made at `now`; a clock before the build date is not believed."""
    return min(now, BUILT) - BACKDATED if now < BUILT else now - BACKDATED, max(now, BUILT) + LIFETIME
