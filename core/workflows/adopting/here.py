"""Maps another client's names and CAs to certificates and issuers on this box. Reads only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from core.adopt.ways import Way
from core.config.model import Config
from core.errors import CertdeckError, UsageError
from core.identifiers import check_lineage_name, lineage_name_for, parse_identifier
from core.issuers import BUILT_IN
from core.store import lineages
from core.workflows.context import View


def name_for(theirs: str, names: Sequence[str]) -> str:
    """Return the name of a certificate on this box: the other client's name for it if that is valid, else a similar one."""
    if theirs.startswith("_.") or not theirs:  # lego and Caddy write a wildcard like this
        theirs = next(iter(names), theirs.replace("_.", "*.", 1))
    try:
        check_lineage_name(theirs)
    except UsageError:
        pass
    else:
        return theirs
    try:
        return lineage_name_for(parse_identifier(theirs))
    except UsageError:
        plain = re.sub(r"[^A-Za-z0-9._-]", "-", theirs)[:100].lstrip(".-")
        return plain or "certificate"


def directories(config: Config) -> dict[str, str]:
    """Return issuer names by directory URL. Configured issuers take precedence over built-in ones."""
    found = {issuer.directory: name for name, issuer in BUILT_IN.items() if issuer.directory}
    for name, entry in config.issuers.items():
        if entry.directory:
            found = {url: each for url, each in found.items() if each != name}
    return found | {entry.directory: name for name, entry in config.issuers.items() if entry.directory}


def issuer_for(config: Config, way: Way) -> tuple[str, str, bool]:
    """Return the issuer for a client's CA, its directory URL, and whether the issuer must be added. Empty: the CA is unknown."""
    known = directories(config)
    if way.directory:
        if way.directory in known:
            return known[way.directory], way.directory, False
        name = _new_name(config, way.directory)
        return name, way.directory, bool(name)
    same_host = [url for url in known if way.host and urlsplit(url).netloc == way.host]
    return (known[same_host[0]], same_host[0], False) if len(same_host) == 1 else ("", "", False)


def _new_name(config: Config, directory: str) -> str:
    """Return a free name for a new issuer. Empty for a URL that is not valid for a directory."""
    try:
        url = urlsplit(directory)
        host = url.hostname or ""
    except ValueError:
        return ""
    if url.scheme != "https" or not host or url.username or not directory.isascii() or not directory.isprintable():
        return ""
    base = re.sub(r"[^A-Za-z0-9._-]", "-", host)[:100].lstrip(".-") or "ca"
    name, number = base, 2
    while name in BUILT_IN or name in config.issuers:
        name, number = f"{base}-{number}", number + 1
    return name


def state_here(view: View, name: str, sha256: str) -> str:
    """Return `new`, `adopted` (this certificate is live here) or `taken` (the name is in use). Raises StoreCorrupt, StoreError."""
    live = lineages.live_version(view.paths, name)
    if live is not None:
        try:
            is_same = lineages.read_version(view.paths, name, live).certificate.sha256 == sha256
        except CertdeckError:
            is_same = False
        return "adopted" if is_same else "taken"
    return "taken" if (view.paths.certificates / f"{name}.toml").exists() else "new"
