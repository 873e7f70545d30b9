"""getssl (2.51): `~/.getssl/DOMAIN/`; the second certificate of a pair has `.ec` in its names. Settings are shell assignments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.adopt.found import FoundCertificate, homes, names_in, number
from core.adopt.reading import text_within
from core.adopt.shell_text import assignments, words
from core.adopt.ways import Hook, Installed, Way

NAME = "getssl"
WORDS = ("getssl",)
_PROOFS = "/.well-known/acme-challenge"


def bases(root: Path) -> Iterator[Path]:
    """Yield the folders that it may use."""
    for home in homes(root):
        yield home / ".getssl"
    yield root / "etc/getssl"


def find_in(base: Path) -> Iterator[FoundCertificate]:
    """Yield its certificates. A revoked one is not marked."""
    for domain in names_in(base):
        place = base / domain
        files = names_in(place)
        for part in ("", ".ec"):
            if f"fullchain{part}.crt" in files:
                yield FoundCertificate(
                    client=NAME,
                    base=base,
                    name=domain,
                    certificate=place / f"fullchain{part}.crt",
                    key=place / f"{domain}{part}.key",
                )


def way(root: Path, found: FoundCertificate) -> Way:
    """Read the settings for all certificates, then those of this one. The CA is written without `/directory`."""
    conf = assignments(text_within(found.base, found.base / "getssl.cfg"))
    conf = assignments(text_within(found.base, found.certificate.parent / "getssl.cfg"), conf)
    ca = conf.get("CA", "").rstrip("/")
    through_dns = conf.get("VALIDATE_VIA_DNS", "").lower() == "true"
    places = [each.rstrip("/") for each in words(conf.get("ACL", "")) if each.startswith("/")]
    hooks = {"DNS_ADD_COMMAND": "auth", "DNS_DEL_COMMAND": "cleanup"} if through_dns else {}
    hooks["RELOAD_CMD"] = "reload"
    key = found.base / "account.key"
    given = conf.get("ACCOUNT_KEY", "")
    notes = (
        []
        if not given or Path(given).name == key.name
        else [f"Its account key is in {given}. Import it with `certdeck account import`."]
    )
    if conf.get("DOMAIN_CERT_LOCATION"):
        notes.append(
            f"getssl copies it to {conf['DOMAIN_CERT_LOCATION']}, and its key to {conf.get('DOMAIN_KEY_LOCATION', '')}."
        )
    return Way(
        directory=ca if not ca or ca.endswith("/directory") else f"{ca}/directory",
        account_key=None if notes and "account import" in notes[0] else key,
        challenge="dns-01" if through_dns else "http-01",
        webroots=tuple(dict.fromkeys(each.removesuffix(_PROOFS) for each in places if each.endswith(_PROOFS))),
        dns_name=conf.get("DNS_ADD_COMMAND", "") if through_dns else "",
        hooks=tuple(Hook(kind=kind, text=conf[name]) for name, kind in hooks.items() if conf.get(name)),
        installed=_installed(conf, is_second=found.certificate.name == "fullchain.ec.crt"),
        renew_days=number(conf.get("RENEW_ALLOW", "")),
        wanted_names=(found.name, *conf.get("SANS", "").replace(",", " ").split()),
        notes=tuple(notes),
    )


def _installed(conf: dict[str, str], *, is_second: bool) -> Installed | None:
    """Return the copy of the full chain; getssl's `DOMAIN_CERT_LOCATION` is only the leaf, which no supported service reads."""
    certificate, key = conf.get("DOMAIN_CHAIN_LOCATION", ""), conf.get("DOMAIN_KEY_LOCATION", "")
    if is_second or not certificate.startswith("/") or not key.startswith("/"):
        return None
    return Installed(certificate=certificate, key=key)
