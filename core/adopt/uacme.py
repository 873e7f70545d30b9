"""uacme (1.7): `/etc/ssl/uacme/NAME/cert.pem` is the full chain, its key is below `private/`. Nothing else is stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.adopt.found import FoundCertificate, names_in, number, rebased
from core.adopt.ways import Hook, Way

if TYPE_CHECKING:
    from core.adopt.launches import Launch, Launches

NAME = "uacme"
WORDS = ("uacme",)
_PRODUCTION = "https://acme-v02.api.letsencrypt.org/directory"
_STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"


def bases(root: Path) -> Iterator[Path]:
    """Yield the folder that it uses."""
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


def way_by(launches: Launches, root: Path, found: FoundCertificate) -> Way:
    """Return the account key (one for all CAs), and the CA, challenge and hook from the command that runs uacme."""
    key = found.base / "private/key.pem"
    launch = next((each for each in launches.of(NAME, found) if _is_for(root, each, found)), None)
    if launch is None:
        note = (
            "uacme does not store the CA, challenge or hook in its files, and no crontab or systemd service that runs it for this "
            "certificate was found. Give the CA with --issuer."
        )
        return Way(account_key=key, notes=(note,))
    options = launch.options()
    hook = next(iter(options.get("h") or options.get("hook") or ()), "")
    own = hook.rpartition("/")[2]
    webroot = launch.variables.get("UACME_CHALLENGE_PATH", "").removesuffix("/.well-known/acme-challenge")
    is_staging = "s" in options or "staging" in options
    given = next(iter(options.get("a") or options.get("acme-url") or ()), "")
    return Way(
        directory=given or (_STAGING if is_staging else _PRODUCTION),
        account_key=key,
        challenge={"uacme.sh": "http-01", "nsupdate.sh": "dns-01"}.get(own, ""),
        webroots=(webroot,) if own == "uacme.sh" and webroot.startswith("/") else (),
        dns_name=own if own == "nsupdate.sh" else "",
        hooks=() if own in ("uacme.sh", "nsupdate.sh", "") else (Hook(kind="auth", text=hook),),
        renew_days=number(next(iter(options.get("d") or options.get("days") or ()), "")),
    )


def _is_for(root: Path, launch: Launch, found: FoundCertificate) -> bool:
    """Return whether a command is for a certificate: uacme names it by the first name after `issue`."""
    options = launch.options()
    folder = next(iter(options.get("c") or options.get("confdir") or ()), "/etc/ssl/uacme")
    if not folder.startswith("/") or rebased(root, folder) != found.base or "issue" not in launch.words:
        return False
    name = launch.words[launch.words.index("issue") + 1 :][:1]
    return name == (found.name,) or name == (f"*.{found.name}",)
