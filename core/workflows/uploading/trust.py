"""Certificates that complete and verify chains: the system's roots, the box's private CA, and the current chain.

They are read only on demand: most uploads contain everything that is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from core.errors import CertdeckError
from core.regular import read_regular
from core.workflows.context import View
from core.x509.trust_store import TrustStore

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Alpine
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/pki/tls/certs/ca-bundle.crt",  # older RHEL
    "/etc/ssl/cert.pem",  # Alpine, OpenWrt, FreeBSD
    "/usr/local/share/certs/ca-root-nss.crt",
)
_MOST_BYTES = 8 * 1024 * 1024


def stores(view: View, lineage: str | None) -> tuple[TrustStore, ...]:
    """Return the stores that complete and verify the chain of an upload to `lineage`. Reading them never raises."""
    found = [
        TrustStore("this system's trust store", lambda: _system(view.env.variables)),
        TrustStore("this box's private CA", lambda: _own_root(view)),
    ]
    if lineage is not None:
        found.append(TrustStore(f"the current chain of {lineage}", lambda: _live_chain(view, lineage), trusted=False))
    return tuple(found)


def _system(variables: Mapping[str, str]) -> bytes:
    """Return the system's roots as PEM. As for OpenSSL, `SSL_CERT_FILE` names other roots."""
    given = variables.get("SSL_CERT_FILE")
    for place in (given,) if given else _BUNDLES:
        with suppress(OSError, ValueError):
            return read_regular(Path(place), _MOST_BYTES)
    return b""


def _own_root(view: View) -> bytes:
    """Return the private CA's root as PEM. Empty: there is none, or the vault cannot be opened."""
    from core.store.vault import Vault
    from core.workflows.appliance_ca import known_root_pem

    with suppress(CertdeckError):
        return known_root_pem(Vault(view.paths, view.env)) or b""
    return b""


def _live_chain(view: View, lineage: str) -> bytes:
    from core.store.lineages import live_version, read_public

    with suppress(CertdeckError):
        version = live_version(view.paths, lineage)
        return b"" if version is None else read_public(view.paths, lineage, version)[1]
    return b""
