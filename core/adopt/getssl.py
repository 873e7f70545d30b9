"""getssl (2.51): `~/.getssl/DOMAIN/`; the second certificate of a pair has `.ec` in its names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.adopt.found import FoundCertificate, homes, names_in

NAME = "getssl"
WORDS = ("getssl",)


def find(root: Path) -> Iterator[FoundCertificate]:
    """Yield its certificates. A revoked one has no mark."""
    for home in homes(root):
        for domain in names_in(home / ".getssl"):
            place = home / ".getssl" / domain
            files = names_in(place)
            for part in ("", ".ec"):
                if f"fullchain{part}.crt" in files:
                    yield FoundCertificate(
                        client=NAME,
                        name=domain,
                        certificate=place / f"fullchain{part}.crt",
                        key=place / f"{domain}{part}.key",
                    )
