"""uacme (1.7): `/etc/ssl/uacme/NAME/cert.pem`, the full chain, and its key below `private/`. Nothing else is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.adopt.found import FoundCertificate, names_in
from core.adopt.ways import Way

NAME = "uacme"
WORDS = ("uacme",)


def bases(root: Path) -> Iterator[Path]:
    """Yield where it keeps everything."""
    yield root / "etc/ssl/uacme"


def find_in(base: Path) -> Iterator[FoundCertificate]:
    """Yield its certificates; a revoked one is renamed to `revoked-EPOCH.pem`."""
    for name in names_in(base):
        if name == "private":
            continue
        for file in names_in(base / name):
            if file == "cert.pem" or (file.startswith("revoked-") and file.endswith(".pem")):
                yield FoundCertificate(
                    client=NAME,
                    base=base,
                    name=name,
                    certificate=base / name / file,
                    key=base / "private" / name / "key.pem",
                    revoked=file != "cert.pem",
                )


def way(root: Path, found: FoundCertificate) -> Way:
    """Name the account key: one for all CAs. CA, challenge and hook are in the line that runs it."""
    return Way(
        account_key=found.base / "private/key.pem",
        notes=(
            (
                "uacme does not store the CA, challenge or hook in its files. See the command line that runs it, and "
                "name the CA with --issuer."
            ),
        ),
    )
