"""lego (4.35, 5): `.lego/certificates/NAME.{crt,key}` in its working folder; its JSON names the CA's host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec.structs import replace

from core.adopt.dns_access import lego_access
from core.adopt.found import FoundCertificate, homes, json_within, names_in, number, read, rebased
from core.adopt.ways import Hook, Way

if TYPE_CHECKING:
    from core.adopt.launches import Launch, Launches

NAME = "lego"
WORDS = ("lego",)


def bases(root: Path) -> Iterator[Path]:
    """Yield the folders that it may use."""
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


def way_by(launches: Launches, root: Path, found: FoundCertificate) -> Way:
    """Read what is recorded: the certificate's URL, and the accounts at that host. Version 5 also records the directory."""
    facts = found.certificate.with_suffix(".json")
    try:
        host = urlsplit(json_within(found.base, facts, "certUrl")).netloc
    except ValueError:
        host = ""
    keys = list(_accounts(found.base, host))
    notes = []
    if len(keys) > 1:
        notes.append(
            f"It has {len(keys)} accounts at {host}; none is imported. Import the one you want with `certdeck account import`."
        )
    key = keys[0] if len(keys) == 1 else None
    account = key and (key.parent.parent if key.parent.name == "keys" else key.parent) / "account.json"
    launch = next((each for each in launches.of(NAME, found) if _is_for(root, each, found)), None)
    if launch is None:
        notes.insert(
            0,
            "lego does not store the challenge, DNS provider or hook in its files, and no crontab or systemd service that runs it "
            "for this certificate was found.",
        )
    known = Way() if launch is None else _from(root, launch)
    return replace(
        known,
        host=host,
        directory=(json_within(found.base, account, "server") if account else "") or known.directory,
        account_key=key,
        account_url=json_within(found.base, account, "registration", "uri") if account else "",
        notes=(*notes, *known.notes),
    )


def _is_for(root: Path, launch: Launch, found: FoundCertificate) -> bool:
    """Return whether a command is for a certificate: lego names it by the first domain, with `*` as `_`."""
    options = launch.options()
    folders = options.get("path") or [launch.variables.get("LEGO_PATH", "")]
    if folders[0].startswith("/") and rebased(root, folders[0]) != found.base:
        return False
    domains = [*options.get("domains", ()), *options.get("d", ())]
    return bool(domains) and domains[0].replace("*", "_") == found.name


def _from(root: Path, launch: Launch) -> Way:
    """Return what a command says about how a certificate is renewed."""
    options, variables = launch.options(), launch.variables

    def first(*names: str) -> str:
        return next((options[name][0] for name in names if options.get(name)), "")

    def value(name: str) -> str | None:
        if name in variables:
            return variables[name]
        file = variables.get(f"{name}_FILE", "")
        text = read(rebased(root, file)) if file.startswith("/") else None
        return None if text is None else text.decode("utf-8", "replace").strip()

    address, _, port = first("http.port", "http.address").rpartition(":")
    webroot, plugin = first("http.webroot"), first("dns")
    hooks = [first(name) for name in ("renew-hook", "run-hook", "deploy-hook")]
    is_by_tls = "tls" in options and "http" not in options
    return Way(
        directory=first("server", "s") or variables.get("LEGO_SERVER", ""),
        challenge="dns-01" if plugin else "tls-alpn-01" if is_by_tls else "http-01" if "http" in options else "",
        webroots=(webroot,) if webroot.startswith("/") and not plugin else (),
        address="" if plugin else address,
        port=None if plugin or webroot else number(port),
        dns_name=plugin,
        dns=lego_access(plugin, value),
        hooks=tuple(Hook(kind="deploy", text=text) for text in dict.fromkeys(filter(None, hooks))),
        preferred_chain=first("preferred-chain"),
        profile=first("profile"),
        renew_days=number(first("days")),
    )


def _accounts(base: Path, host: str) -> Iterator[Path]:
    if not host or "/" in host:
        return
    for place in (base / "accounts" / host, base / "accounts" / host.replace(":", "_")):
        for id in names_in(place):
            yield from (key for key in (place / id / "keys" / f"{id}.key", place / id / f"{id}.key") if key.is_file())
        if ":" not in host:
            return
