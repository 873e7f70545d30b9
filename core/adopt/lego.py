"""lego (4.35, 5): `.lego/certificates/NAME.{crt,key}` in the folder that it was run in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.adopt.found import FoundCertificate, homes, names_in

NAME = "lego"
WORDS = ("lego",)


def find(root: Path) -> Iterator[FoundCertificate]:
    """Yield its certificates; a revoked one is moved to `archives/EPOCH.NAME.crt`."""
    for place in (*(home / ".lego" for home in homes(root)), root / "etc/lego", root / "var/lib/lego"):
        for folder, revoked in (("certificates", False), ("archives", True)):
            for file in names_in(place / folder):
                if file.endswith(".crt") and not file.endswith(".issuer.crt"):
                    certificate = place / folder / file
                    name = file.removesuffix(".crt")
                    yield FoundCertificate(
                        client=NAME,
                        name=name.partition(".")[2] if revoked else name,
                        certificate=certificate,
                        key=certificate.with_suffix(".key"),
                        revoked=revoked,
                    )
