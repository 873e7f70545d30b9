"""Apache's mod_md (2.4): `domains/NAME/pubcert[.CURVE].pem` is the full chain; `md.json` is a copy of the configuration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.adopt.found import FoundCertificate, json_within, names_in
from core.adopt.ways import Way

NAME = "mod_md"
WORDS = ("mod_md",)


def bases(root: Path) -> Iterator[Path]:
    """Yield the folder that Debian's Apache uses."""
    yield root / "etc/apache2/md"


def find_in(base: Path) -> Iterator[FoundCertificate]:
    """Yield its certificates, one for each key, without the temporary `fallback-…` pairs. A revoked one is not marked."""
    for name in names_in(base / "domains"):
        for file in names_in(base / "domains" / name):
            if file.startswith("pubcert.") and file.endswith("pem"):
                place = base / "domains" / name
                key = place / file.replace("pubcert", "privkey", 1)
                yield FoundCertificate(client=NAME, base=base, name=name, certificate=place / file, key=key)


def way(root: Path, found: FoundCertificate) -> Way:
    """Read `md.json` and the account that it names; `md_store.json` has the passphrase of the account's key."""
    facts = found.certificate.parent / "md.json"
    id = json_within(found.base, facts, "ca", "account")
    account = found.base / "accounts" / id if id and "/" not in id and not id.startswith(".") else None
    challenges = _challenges(found.base, facts)
    return Way(
        directory=json_within(found.base, facts, "ca", "url"),
        account_key=account and account / "account.pem",
        account_url=json_within(found.base, account / "account.json", "url") if account else "",
        account_passphrase=found.base / "md_store.json",
        challenge="dns-01" if challenges == "dns-01" else "http-01",
        notes=("Apache keeps renewing it and reads only its own copy; use certdeck's copy for other services.",),
    )


def _challenges(base: Path, facts: Path) -> str:
    import json

    from core.adopt.reading import text_within

    try:
        return str(json.loads(text_within(base, facts))["ca"]["challenges"][0])
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return ""
