"""The files of a target and their content: from its kind, its paths, and its layout if it names one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.config.model import TargetConfig
from core.regular import read_regular
from core.targets.extra import der_of, format_of, has_key
from core.targets.kind import COMBINED, KEY_FIRST, LEAF, SEPARATE
from core.targets.kinds import kind_named

FULLCHAIN = "fullchain.pem"
KEY = "privkey.pem"
CHAIN = "chain.pem"
CERTIFICATE = "cert.pem"
CERTIFICATE_AND_KEY = "combined.pem"
KEY_AND_CERTIFICATE = "key-first.pem"

ONE_FILE = (COMBINED, KEY_FIRST)
"""Layouts in which the key is in the certificate's file."""
_CERTIFICATE_FILES = {
    SEPARATE: FULLCHAIN,
    LEAF: CERTIFICATE,
    COMBINED: CERTIFICATE_AND_KEY,
    KEY_FIRST: KEY_AND_CERTIFICATE,
}
_EXTRA_FILES = {
    "fullchain": FULLCHAIN,
    "certificate": CERTIFICATE,
    "chain": CHAIN,
    "key": KEY,
    "combined": CERTIFICATE_AND_KEY,
    "key-first": KEY_AND_CERTIFICATE,
}
"""Format of an additional file → the file with the same content."""


def layout_of(target: TargetConfig) -> str:
    """Return the layout of a target. Default: one file if it has no path for a key and its kind prefers one file.

    For an unknown kind, which is refused elsewhere, it is `separate`.
    """
    if target.layout:
        return target.layout
    known = layouts_of(target.kind)
    if not target.key or target.key == target.certificate:
        return known[0] if known[0] in ONE_FILE else SEPARATE
    return next((each for each in known if each not in ONE_FILE), SEPARATE)


def layouts_of(kind: str) -> tuple[str, ...]:
    """Return the layouts that a kind accepts; `separate` for an unknown one."""
    found = kind_named(kind)
    return (SEPARATE,) if found is None else found.files.layouts


def certificate_file(layout: str) -> str:
    """Return the name, in a version folder, of the file at a target's certificate path."""
    return _CERTIFICATE_FILES.get(layout, FULLCHAIN)


def holds_key(file: str) -> bool:
    """Return whether a file of a version folder is secret."""
    return file in (KEY, CERTIFICATE_AND_KEY, KEY_AND_CERTIFICATE) or has_key(file)


def content_of(file: str, stored: Mapping[str, bytes]) -> bytes:
    """Return the content of a file of a version folder, except PKCS#12 (`core.targets.extra.pfx_of`).

    Args:
        stored: `fullchain.pem`, `privkey.pem`, `chain.pem` and `cert.pem` of the version.
    """
    wanted = _EXTRA_FILES.get(format_of(file), file)
    if wanted == CERTIFICATE_AND_KEY:
        return _joined(stored[FULLCHAIN], stored[KEY])
    if wanted == KEY_AND_CERTIFICATE:
        return _joined(stored[KEY], stored[FULLCHAIN])
    if format_of(file) == "der":
        return der_of(stored[CERTIFICATE])
    if wanted == CHAIN and not stored[CHAIN].strip():
        return stored[CERTIFICATE]  # a self-signed certificate is its own issuer, and services refuse an empty file
    return stored[wanted]


class StoredFiles(dict[str, bytes]):
    """The files of a version, each read on first access, which raises OSError."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __missing__(self, file: str) -> bytes:
        return read_regular(self._folder / file)


def _joined(*parts: bytes) -> bytes:
    return b"".join(part if part.endswith(b"\n") else part + b"\n" for part in parts)
