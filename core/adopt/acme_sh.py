"""acme.sh (3.1): `~/.acme.sh/DOMAIN[_ecc]/`; a wildcard's folder begins with a literal `*`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.adopt.found import FoundCertificate, homes, names_in

NAME = "acme.sh"
WORDS = ("acme.sh",)


def find(root: Path) -> Iterator[FoundCertificate]:
    """Yield its certificates; of a revoked one `DOMAIN.cer` is gone, and `fullchain.cer` still holds it."""
    for home in homes(root):
        for folder in names_in(home / ".acme.sh"):
            domain, place = folder.removesuffix("_ecc"), home / ".acme.sh" / folder
            files = names_in(place)
            if "fullchain.cer" in files:
                yield FoundCertificate(
                    client=NAME,
                    name=domain,
                    certificate=place / "fullchain.cer",
                    key=place / f"{domain}.key",
                    revoked=f"{domain}.key.revoked" in files and f"{domain}.cer" not in files,
                )
