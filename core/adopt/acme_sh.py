"""acme.sh (3.1): `~/.acme.sh/DOMAIN[_ecc]/`; a wildcard's folder begins with a literal `*`. Settings are shell assignments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from core.adopt.dns_access import acme_sh_access
from core.adopt.found import FoundCertificate, homes, names_in, number
from core.adopt.reading import text_within
from core.adopt.shell_text import assignments
from core.adopt.ways import Hook, Installed, Way

NAME = "acme.sh"
WORDS = ("acme.sh",)
_HOOKS = {
    "Le_PreHook": "pre",
    "Le_PostHook": "post",
    "Le_RenewHook": "deploy",
    "Le_DeployHook": "deploy",
    "Le_ReloadCmd": "reload",
}


def bases(root: Path) -> Iterator[Path]:
    """Yield the folders that it may use."""
    for home in homes(root):
        yield home / ".acme.sh"


def find_in(base: Path) -> Iterator[FoundCertificate]:
    """Yield its certificates; for a revoked one, `DOMAIN.cer` is missing and `fullchain.cer` still contains it."""
    for folder in names_in(base):
        domain, place = folder.removesuffix("_ecc"), base / folder
        files = names_in(place)
        if "fullchain.cer" in files:
            yield FoundCertificate(
                client=NAME,
                base=base,
                name=domain,
                certificate=place / "fullchain.cer",
                key=place / f"{domain}.key",
                is_renewed=f"{domain}.conf.removed" not in files,
                revoked=f"{domain}.key.revoked" in files and f"{domain}.cer" not in files,
            )


def way(root: Path, found: FoundCertificate) -> Way:
    """Read `DOMAIN.conf`, the account at its CA, and saved DNS credentials."""
    place = found.certificate.parent
    ending = ".conf" if found.is_renewed else ".conf.removed"
    conf = assignments(text_within(found.base, place / f"{found.name}{ending}"))
    account_conf = assignments(text_within(found.base, found.base / "account.conf"))
    directory = conf.get("Le_API", "")
    ca = _ca(found.base, directory)
    method = conf.get("Le_Webroot", "").split(",")[0]
    challenge = ""
    webroots: tuple[str, ...] = ()
    notes: list[str] = []
    if method.startswith("dns"):
        challenge = "dns-01"
    elif method.startswith("/"):
        challenge = "http-01"
        webroots = tuple(dict.fromkeys(each for each in conf["Le_Webroot"].split(",") if each.startswith("/")))
    elif method in ("no", "") or method.startswith(("nginx", "apache")):
        challenge = "http-01" if method else ""
        if method.startswith(("nginx", "apache")):
            notes.append(
                f"acme.sh responds to the CA inside {method.split(':')[0]}; certdeck responds on port 80 or through a webroot."
            )
    elif method.startswith("alpn"):
        notes.append("acme.sh validates the names by tls-alpn-01, which certdeck does not support.")
    if conf.get("Le_ChallengeAlias"):
        notes.append(
            "acme.sh writes the records into another zone (challenge alias); set a delegation for the DNS provider."
        )
    if not found.is_renewed:
        notes.append("It was removed from acme.sh's list, so acme.sh no longer renews it.")
    names = (conf.get("Le_Domain", ""), *conf.get("Le_Alt", "").split(","))
    return Way(
        directory=directory,
        account_key=ca and ca / "account.key",
        account_url=assignments(text_within(found.base, ca / "ca.conf")).get("ACCOUNT_URL", "") if ca else "",
        challenge=challenge,
        webroots=webroots,
        port=number(conf.get("Le_HTTPPort", "")) if method == "no" else None,
        dns_name=method if method.startswith("dns_") else "",
        dns=acme_sh_access(method, conf, account_conf),
        hooks=tuple(Hook(kind=kind, text=conf[key]) for key, kind in _HOOKS.items() if conf.get(key)),
        installed=_installed(conf),
        preferred_chain=conf.get("Le_Preferred_Chain", ""),
        wanted_names=tuple(each for each in names if each and each != "no"),
        notes=tuple(notes),
    )


def _installed(conf: dict[str, str]) -> Installed | None:
    certificate, key = conf.get("Le_RealFullChainPath", ""), conf.get("Le_RealKeyPath", "")
    if not certificate.startswith("/") or not key.startswith("/"):
        return None
    chain = conf.get("Le_RealCACertPath", "")
    return Installed(certificate=certificate, key=key, chain=chain if chain.startswith("/") else "")


def _ca(base: Path, directory: str) -> Path | None:
    try:
        url = urlsplit(directory)
    except ValueError:
        return None
    parts = [part for part in url.path.split("/") if part]
    return None if not url.netloc or ".." in parts else base.joinpath("ca", url.netloc, *parts)
