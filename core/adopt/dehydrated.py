"""dehydrated (0.7): `certs/NAME/` with links to files named by the time of the order; old ones move to `archive/NAME/`."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

from core.adopt.found import FoundCertificate, json_within, names_in, number
from core.adopt.reading import text_within
from core.adopt.shell_text import assignments
from core.adopt.ways import Hook, Way

NAME = "dehydrated"
WORDS = ("dehydrated",)
_LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
_CAS = {
    "letsencrypt": _LETS_ENCRYPT,
    "letsencrypt-test": "https://acme-staging-v02.api.letsencrypt.org/directory",
    "zerossl": "https://acme.zerossl.com/v2/DV90",
    "google": "https://dv.acme-v02.api.pki.goog/directory",
    "google-test": "https://dv.acme-v02.test-api.pki.goog/directory",
}
"""Its own short names of CAs."""


def bases(root: Path) -> Iterator[Path]:
    """Yield the folders that it may use."""
    yield root / "var/lib/dehydrated"
    yield root / "etc/dehydrated"


def find_in(base: Path) -> Iterator[FoundCertificate]:
    """Yield its certificates; a revoked one is renamed to `cert-EPOCH.pem-revoked`, while the full chain stays linked."""
    for folder in ("certs", "archive"):
        for name in names_in(base / folder):
            yield from _revoked(base, base / folder / name)
    for name in names_in(base / "certs"):
        place = base / "certs" / name
        if "cert.pem" in names_in(place) and (place / "cert.pem").exists():
            yield FoundCertificate(
                client=NAME, base=base, name=name, certificate=place / "fullchain.pem", key=place / "privkey.pem"
            )


def _revoked(base: Path, place: Path) -> Iterator[FoundCertificate]:
    for file in names_in(place):
        if file.endswith(".pem-revoked"):
            key = place / file.replace("cert-", "privkey-", 1).removesuffix("-revoked")
            yield FoundCertificate(
                client=NAME, base=base, name=place.name, certificate=place / file, key=key, revoked=True
            )


def way(root: Path, found: FoundCertificate) -> Way:
    """Read the settings for all certificates, then those of this one (whose CA setting dehydrated ignores)."""
    shared: dict[str, str] = {"BASEDIR": str(found.base)}
    for folder in dict.fromkeys((root / "etc/dehydrated", found.base)):
        shared = assignments(text_within(folder, folder / "config"), shared)
        for name in names_in(folder / "conf.d"):
            if name.endswith(".sh"):
                shared = assignments(text_within(folder, folder / "conf.d" / name), shared)
    own = assignments(text_within(found.base, found.certificate.parent / "config"), shared)
    given = shared.get("CA", "letsencrypt")
    directory = _CAS.get(given, given)
    account = found.base / "accounts" / urlsafe_b64encode(f"{directory}\n".encode()).rstrip(b"=").decode()
    challenge = own.get("CHALLENGETYPE", "http-01")
    hook = own.get("HOOK", "")
    wellknown = own.get("WELLKNOWN", "")
    webroots = _webroots(wellknown) if challenge == "http-01" else ()
    notes = []
    if challenge == "http-01" and not webroots:
        where = wellknown or "its own folder"
        notes.append(
            f"dehydrated writes its challenge files to {where}, which is not a document root; certdeck responds on port 80 itself."
        )
    return Way(
        directory=directory,
        account_key=account / "account_key.pem",
        account_url=json_within(found.base, account / "account_id.json", "url"),
        challenge=challenge,
        webroots=webroots,
        hooks=(Hook(kind="auth" if challenge == "dns-01" else "deploy", text=hook),) if hook else (),
        preferred_chain=own.get("PREFERRED_CHAIN", ""),
        renew_days=number(own.get("RENEW_DAYS", "")),
        wanted_names=_wanted(root, found),
        notes=tuple(notes),
    )


def _webroots(wellknown: str) -> tuple[str, ...]:
    """Return the document root if the folder of the challenge files is the standard one below it."""
    root = wellknown.rstrip("/").removesuffix("/.well-known/acme-challenge")
    return (root,) if root.startswith("/") and root != wellknown.rstrip("/") else ()


def _wanted(root: Path, found: FoundCertificate) -> tuple[str, ...]:
    for folder in (root / "etc/dehydrated", found.base):
        for line in text_within(folder, folder / "domains.txt").splitlines():
            names, _, alias = line.partition("#")[0].partition(">")
            if (alias.strip() or next(iter(names.split()), "")) == found.name:
                return tuple(names.split())
    return ()
