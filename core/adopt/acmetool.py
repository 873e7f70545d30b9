"""acmetool (0.2): `live/NAME` is a link to `../certs/ID/{fullchain,privkey,account}`; `conf/target` is YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from core.adopt.found import FoundCertificate, names_in
from core.adopt.reading import text_within
from core.adopt.ways import Way

NAME = "acmetool"
WORDS = ("acmetool",)
_PROOFS = "/.well-known/acme-challenge"


def bases(root: Path) -> Iterator[Path]:
    """Yield the folder that it uses."""
    yield root / "var/lib/acme"


def find_in(base: Path) -> Iterator[FoundCertificate]:
    """Yield each of its certificates once, under the first name that links to it."""
    seen = set()
    for name in names_in(base / "live"):
        try:
            place = (base / "live" / name).resolve()
        except (OSError, RuntimeError):
            continue
        if place not in seen and "fullchain" in names_in(place):
            seen.add(place)
            live = base / "live" / name
            yield FoundCertificate(
                client=NAME, base=base, name=name, certificate=live / "fullchain", key=live / "privkey"
            )


def way(root: Path, found: FoundCertificate) -> Way:
    """Read `conf/target`, and the account that the certificate's own link points to."""
    target = text_within(found.base, found.base / "conf/target")
    directory = re.search(r"^\s*provider:\s*['\"]?(https://\S+?)['\"]?\s*$", target, re.MULTILINE)
    webroot = re.search(rf"^\s*-\s*['\"]?(/\S+?){re.escape(_PROOFS)}/?['\"]?\s*$", target, re.MULTILINE)
    return Way(
        directory=directory[1] if directory else "",
        account_key=found.certificate.parent / "account" / "privkey",
        challenge="http-01",
        webroots=(webroot[1],) if webroot else (),
    )
