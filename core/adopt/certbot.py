"""certbot (5.8, 2.1): `live/NAME/` has relative links into `archive/NAME/`; `renewal/NAME.conf` is a ConfigObj file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from core.adopt.dns_access import certbot_access
from core.adopt.found import FoundCertificate, json_within, names_in, number, rebased
from core.adopt.reading import read_named, text_within
from core.adopt.ways import Hook, Way

NAME = "certbot"
WORDS = ("certbot",)
_HOOKS = {
    "pre_hook": "pre",
    "post_hook": "post",
    "renew_hook": "deploy",
    "manual_auth_hook": "auth",
    "manual_cleanup_hook": "cleanup",
}
_LIVE = {"cert.pem", "chain.pem", "fullchain.pem", "privkey.pem"}
_LINE = re.compile(r"^\s*([^=#\[\]\s][^=]*?)\s*=\s*(.*?)\s*$")


def bases(root: Path) -> Iterator[Path]:
    """Yield the folder that it uses."""
    yield root / "etc/letsencrypt"


def find_in(base: Path) -> Iterator[FoundCertificate]:
    """Yield its certificates, without `live/README` and folders of other clients. A revoked one is not marked."""
    live = base / "live"
    for name in names_in(live):
        if _LIVE.intersection(names_in(live / name)):
            yield FoundCertificate(
                client=NAME,
                base=base,
                name=name,
                certificate=live / name / "fullchain.pem",
                key=live / name / "privkey.pem",
            )


def way(root: Path, found: FoundCertificate) -> Way:
    """Read `renewal/NAME.conf`, the hooks of all certificates, and the credentials of a DNS plug-in."""
    params = values(text_within(found.base, found.base / "renewal" / f"{found.name}.conf"))
    if not params:
        return Way(notes=(f"renewal/{found.name}.conf cannot be read, so the CA and the challenge are not known.",))
    plugin = params.get("authenticator", "")
    directory = params.get("server", "")
    account = _account(found.base, directory, params.get("account", ""))
    notes: list[str] = []
    challenge, access = "http-01", None
    if plugin.startswith("dns-"):
        challenge = "dns-01"
        place = params.get(f"{plugin.replace('-', '_')}_credentials", "")
        try:
            text = read_named(rebased(root, place)).decode("utf-8", "replace") if place else ""
            access = certbot_access(plugin, values(text))
        except (OSError, ValueError):
            notes.append(f"The credentials in {place} cannot be read.")
    elif plugin == "manual":
        challenge = _listed(params.get("pref_challs", ""))[0] if params.get("pref_challs") else "http-01"
    elif plugin in ("nginx", "apache"):
        notes.append(f"certbot responds to the CA inside {plugin}; certdeck responds on port 80 or through a webroot.")
    hooks = [Hook(kind=kind, text=params[key]) for key, kind in _HOOKS.items() if params.get(key)]
    for kind in ("pre", "deploy", "post"):
        folder = found.base / "renewal-hooks" / kind
        hooks += [Hook(kind=kind, text=str(folder / name)) for name in names_in(folder)]
    return Way(
        directory=directory,
        account_key=account and account / "private_key.json",
        account_url=json_within(found.base, account / "regr.json", "uri") if account else "",
        challenge=challenge,
        webroots=_listed(params.get("webroot_path", "")) if plugin == "webroot" else (),
        address=params.get("http01_address", "") if plugin == "standalone" else "",
        port=number(params.get("http01_port", "")) if plugin == "standalone" else None,
        dns_name=plugin if plugin.startswith("dns-") else "",
        dns=access,
        hooks=tuple(hooks),
        profile=params.get("preferred_profile", ""),
        preferred_chain=params.get("preferred_chain", ""),
        renew_days=_days(params.get("renew_before_expiry", "")),
        auto_renew=False if params.get("autorenew", "").lower() == "false" else None,
        notes=tuple(notes),
    )


def values(text: str) -> dict[str, str]:
    """Return the keys of a ConfigObj text, without those of nested sections (`[[webroot_map]]`)."""
    found: dict[str, str] = {}
    is_nested = False
    for line in text.splitlines():
        if line.strip().startswith("["):
            is_nested = line.strip().startswith("[[")
        elif not is_nested and (match := _LINE.match(line)):
            found.setdefault(match[1], _unquoted(match[2]))
    return found


def _unquoted(value: str) -> str:
    for quote in ('"', "'"):
        if value.startswith(quote) and (end := value.find(quote, 1)) > 0:
            return value[1:end]
    return value.partition(" #")[0].rstrip()


def _listed(value: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in value.split(",") if each.strip())


def _days(value: str) -> int | None:
    match = re.fullmatch(r"(\d{1,4}) days?", value.strip())
    return int(match[1]) if match else None


def _account(base: Path, directory: str, id: str) -> Path | None:
    """Return `accounts/HOST/PATH/ID`; None if the URL or the ID is not valid as a path."""
    try:
        url = urlsplit(directory)
    except ValueError:
        return None
    parts = [part for part in url.path.split("/") if part]
    if not url.netloc or not re.fullmatch(r"[0-9a-f]{1,64}", id) or ".." in parts or "/" in url.netloc:
        return None
    return base.joinpath("accounts", url.netloc, *parts, id)
