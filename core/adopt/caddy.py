"""Caddy (2.11): `certificates/ISSUER/NAME/NAME.{crt,key,json}` in its data folder, one name each. Renewal is built in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.adopt.found import FoundCertificate, homes, json_within, names_in
from core.adopt.ways import Way

NAME = "caddy"
WORDS = ("caddy",)
_INTERNAL = "local"
"""The folder of its internal CA, whose certificates are not useful elsewhere."""


def bases(root: Path) -> Iterator[Path]:
    """Yield the folders that it may use: that of Debian's service, and those of users who have run it."""
    yield root / "var/lib/caddy/.local/share/caddy"
    yield from (home / ".local/share/caddy" for home in homes(root))


def find_in(base: Path) -> Iterator[FoundCertificate]:
    """Yield its certificates, without those of its internal CA. A revoked one is not marked."""
    for issuer in names_in(base / "certificates"):
        for name in () if issuer == _INTERNAL else names_in(base / "certificates" / issuer):
            place = base / "certificates" / issuer / name
            if f"{name}.crt" in names_in(place):
                yield FoundCertificate(
                    client=NAME, base=base, name=name, certificate=place / f"{name}.crt", key=place / f"{name}.key"
                )


def way(root: Path, found: FoundCertificate) -> Way:
    """Read the CA and the account from the certificate's JSON; the account's key file is named by the part before the @."""
    facts = found.certificate.with_suffix(".json")
    url = json_within(found.base, facts, "issuer_data", "account")
    return Way(
        directory=json_within(found.base, facts, "issuer_data", "ca"),
        account_key=_account(found, url),
        account_url=url,
        notes=("Caddy keeps renewing it and reads only its own copy; use certdeck's copy for other services.",),
    )


def _account(found: FoundCertificate, url: str) -> Path | None:
    users = found.base / "acme" / found.certificate.parent.parent.name / "users"
    for user in names_in(users):
        for file in names_in(users / user):
            place = users / user / file
            if file.endswith(".json") and url and json_within(found.base, place, "location") == url:
                return place.with_suffix(".key")
    return None
