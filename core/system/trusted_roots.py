"""The root certificates that servers are verified with: those of the system, and a CA bundle."""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path

from core.errors import ConfigError
from core.ports import ClientIdentity
from core.regular import read_regular

LONGEST_BUNDLE = 10_000_000
"""Limit in bytes. All public roots together are a quarter of a megabyte."""

_HASHED = re.compile(r"[0-9a-f]{8}\.\d")
"""File name that `c_rehash` gives a root: the hash of its subject (openssl-rehash(1))."""


def client_context(ca_bundle: str | None) -> ssl.SSLContext:
    """Return a context that trusts the system's roots (certifi's if the system has none) and those in the PEM file `ca_bundle`.

    Raises ConfigError (`config-invalid`) for an unusable bundle, or if there is no root at all.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    hashed = _hashed_roots()
    if hashed:
        # OpenSSL finds the one root it needs there by name. Reading the whole bundle would take 20 ms.
        context.load_verify_locations(capath=hashed)
    else:
        context.load_default_certs()
    if not hashed and system_roots() is None:
        try:
            import certifi

            context.load_verify_locations(cafile=certifi.where())
        except (ImportError, OSError) as exc:
            if ca_bundle is None:
                raise ConfigError(
                    "This box has no trusted CA certificates.",
                    "The system's CA certificates are not installed, so certdeck cannot verify any server.",
                    "Install the package ca-certificates, or set ca_bundle for the issuer.",
                ) from exc
    if ca_bundle is not None:
        _add(context, ca_bundle)
    return context


def show_identity(context: ssl.SSLContext, identity: ClientIdentity) -> None:
    """Make a context present a client certificate to servers that request one. Raises ConfigError (`config-invalid`)."""
    try:
        context.load_cert_chain(identity.certificate, identity.key)
    except OSError as exc:  # ssl.SSLError among them
        why = "they do not match" if isinstance(exc, ssl.SSLError) else exc.strerror
        raise ConfigError(
            f"The certificate {identity.certificate} and the key {identity.key} cannot be used.",
            f"The system says: {why}.",
            "Name a certificate and its private key in PEM form, readable by certdeck.",
        ) from exc


def _hashed_roots() -> str | None:
    """Return the system's folder in which OpenSSL finds roots by the hash of their subject. None: there is none."""
    paths = ssl.get_default_verify_paths()
    if "SSL_CERT_FILE" in os.environ or not paths.capath:
        return None
    try:
        is_hashed = any(_HASHED.fullmatch(name) for name in os.listdir(paths.capath))
    except OSError:
        return None
    return paths.capath if is_hashed else None


def system_roots() -> str | None:
    """Return the file or folder with the system's trusted roots. None: there is none."""
    paths = ssl.get_default_verify_paths()  # respects SSL_CERT_FILE and SSL_CERT_DIR; None for missing paths
    if paths.cafile:
        return paths.cafile
    try:
        return paths.capath if paths.capath and any(Path(paths.capath).iterdir()) else None
    except OSError:
        return None


def _add(context: ssl.SSLContext, ca_bundle: str) -> None:
    what = f"The CA bundle {ca_bundle} cannot be used."
    fix = "Set ca_bundle to a readable PEM file with the certificates of the CA to trust."
    try:
        content = read_regular(Path(ca_bundle), LONGEST_BUNDLE)
    except OSError as exc:
        why = f"The file cannot be read: {exc.strerror}."
        raise ConfigError(what, why, fix, details={"ca_bundle": ca_bundle}) from exc
    try:
        context.load_verify_locations(cadata=content.decode("ascii", "ignore"))
    except (ssl.SSLError, ValueError) as exc:
        why = "It contains no valid PEM certificate."
        raise ConfigError(what, why, fix, details={"ca_bundle": ca_bundle}) from exc
