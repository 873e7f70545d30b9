"""lego (4.35, 5): `.lego/certificates/NAME.{crt,key}` in the folder that it was run in; its JSON says the CA's host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from core.adopt.found import FoundCertificate, homes, json_within, names_in
from core.adopt.ways import Way

NAME = "lego"
WORDS = ("lego",)


def bases(root: Path) -> Iterator[Path]:
    """Yield where it may keep everything."""
    yield from (home / ".lego" for home in homes(root))
    yield root / "etc/lego"
    yield root / "var/lib/lego"


def find_in(base: Path) -> Iterator[FoundCertificate]:
    """Yield its certificates; a revoked one is moved to `archives/EPOCH.NAME.crt`."""
    for folder, revoked in (("certificates", False), ("archives", True)):
        for file in names_in(base / folder):
            if file.endswith(".crt") and not file.endswith(".issuer.crt"):
                certificate = base / folder / file
                name = file.removesuffix(".crt")
                yield FoundCertificate(
                    client=NAME,
                    base=base,
                    name=name.partition(".")[2] if revoked else name,
                    certificate=certificate,
                    key=certificate.with_suffix(".key"),
                    revoked=revoked,
                )


def way(root: Path, found: FoundCertificate) -> Way:
    """Read what is recorded: where the certificate was fetched, and the accounts at that host. Version 5 records the directory."""
    facts = found.certificate.with_suffix(".json")
    try:
        host = urlsplit(json_within(found.base, facts, "certUrl")).netloc
    except ValueError:
        host = ""
    keys = list(_accounts(found.base, host))
    note = "lego does not store the challenge, DNS provider or hook in its files. See the command line that runs it."
    if len(keys) > 1:
        note += f" It has {len(keys)} accounts at {host}; none is imported. Import the one you want with `certdeck account import`."
    key = keys[0] if len(keys) == 1 else None
    account = key and (key.parent.parent if key.parent.name == "keys" else key.parent) / "account.json"
    return Way(
        host=host,
        directory=json_within(found.base, account, "server") if account else "",
        account_key=key,
        account_url=json_within(found.base, account, "registration", "uri") if account else "",
        notes=(note,),
    )


def _accounts(base: Path, host: str) -> Iterator[Path]:
    if not host or "/" in host:
        return
    for place in (base / "accounts" / host, base / "accounts" / host.replace(":", "_")):
        for id in names_in(place):
            yield from (key for key in (place / id / "keys" / f"{id}.key", place / id / f"{id}.key") if key.is_file())
        if ":" not in host:
            return
