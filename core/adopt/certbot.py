"""certbot (5.8, 2.1): `live/NAME/` holds relative links into `archive/NAME/`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.adopt.found import FoundCertificate, names_in

NAME = "certbot"
WORDS = ("certbot",)


def find(root: Path) -> Iterator[FoundCertificate]:
    """Yield its certificates. A revoked one has no mark."""
    live = root / "etc/letsencrypt/live"
    for name in names_in(live):
        yield FoundCertificate(
            client=NAME, name=name, certificate=live / name / "fullchain.pem", key=live / name / "privkey.pem"
        )
