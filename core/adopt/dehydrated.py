"""dehydrated (0.7): `certs/NAME/` with links to files that carry the time of the order; what is old goes to `archive/NAME/`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.adopt.found import FoundCertificate, names_in

NAME = "dehydrated"
WORDS = ("dehydrated",)


def find(root: Path) -> Iterator[FoundCertificate]:
    """Yield its certificates; a revoked one is renamed to `cert-EPOCH.pem-revoked`, while the full chain stays linked."""
    for base in (root / "var/lib/dehydrated", root / "etc/dehydrated"):
        for folder in ("certs", "archive"):
            for name in names_in(base / folder):
                yield from _revoked(base / folder / name)
        for name in names_in(base / "certs"):
            place = base / "certs" / name
            if (place / "cert.pem").exists():
                yield FoundCertificate(
                    client=NAME, name=name, certificate=place / "fullchain.pem", key=place / "privkey.pem"
                )


def _revoked(place: Path) -> Iterator[FoundCertificate]:
    for file in names_in(place):
        if file.endswith(".pem-revoked"):
            yield FoundCertificate(client=NAME, name=place.name, certificate=place / file, revoked=True)
