"""uacme (1.7): `/etc/ssl/uacme/NAME/cert.pem`, the full chain, and its key below `private/`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.adopt.found import FoundCertificate, names_in

NAME = "uacme"
WORDS = ("uacme",)


def find(root: Path) -> Iterator[FoundCertificate]:
    """Yield its certificates; a revoked one is renamed to `revoked-EPOCH.pem`."""
    base = root / "etc/ssl/uacme"
    for name in names_in(base):
        if name == "private":
            continue
        for file in names_in(base / name):
            if file == "cert.pem" or (file.startswith("revoked-") and file.endswith(".pem")):
                yield FoundCertificate(
                    client=NAME,
                    name=name,
                    certificate=base / name / file,
                    key=base / "private" / name / "key.pem",
                    revoked=file != "cert.pem",
                )
