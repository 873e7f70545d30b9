"""Additional files of a target (`also`): their names in a version folder, and their content.

Each path has a separate file in the version folder, because each may have had different content before.
"""

from __future__ import annotations

from binascii import crc32
from collections.abc import Mapping
from pathlib import Path

from core.config.model import TargetConfig
from core.errors import StageFailed
from core.extra_files import parse

_BEGIN = "also-"
_WITH_KEY = ("key", "combined", "key-first", "pfx")


def extras_of(target: TargetConfig) -> list[tuple[Path, str]]:
    """Return the additional paths of a target, each with the name of its file in a version folder."""
    found = [each for each in map(parse, target.also) if each is not None]
    return [(Path(each.path), f"{_BEGIN}{crc32(each.path.encode()):08x}.{each.format}") for each in found]


def format_of(file: str) -> str:
    """Return the format of an additional file by its name in a version folder; empty for any other file."""
    return file.partition(".")[2] if file.startswith(_BEGIN) else ""


def is_extra(file: str) -> bool:
    return file.startswith(_BEGIN)


def has_key(file: str) -> bool:
    """Return whether an additional file is secret."""
    return format_of(file) in _WITH_KEY


def is_different_each_time(file: str) -> bool:
    """Return whether two files of the same certificate differ: PKCS#12 contains salts."""
    return format_of(file) == "pfx"


def der_of(pem: bytes) -> bytes:
    """Return the first certificate of a PEM text in DER."""
    from core.x509.certificate import parse_pem

    return parse_pem(pem)[0].der


def pfx_of(target: TargetConfig, contents: Mapping[str, bytes]) -> bytes:
    """Return the PKCS#12 file of a target, encrypted with the passphrase in `pfx_passphrase_file` if that is set.

    Args:
        contents: `fullchain.pem` and `privkey.pem` of the version.

    Raises StageFailed (`stage-failed`).
    """
    from core.x509.chain import split_fullchain
    from core.x509.key_reader import load_key
    from core.x509.passphrase import UnusablePassphrase
    from core.x509.pkcs12 import PssKey, to_pfx

    leaf, intermediates = split_fullchain(contents["fullchain.pem"])
    try:
        passphrase = _passphrase(target)
        return to_pfx(load_key(contents["privkey.pem"]), leaf, intermediates, passphrase, False, target.name)
    except (PssKey, UnusablePassphrase) as exc:
        raise StageFailed(
            f"The PFX file of target {target.name} cannot be written.",
            str(exc),
            f"Remove the entry pfx:… from also in [targets.{target.name}], or correct pfx_passphrase_file.",
            details={"target": target.name, "live": "old"},
        ) from exc


def _passphrase(target: TargetConfig) -> bytes | None:
    from core.regular import read_regular

    if target.pfx_passphrase_file is None:
        return None
    try:
        return read_regular(Path(target.pfx_passphrase_file), 4096).rstrip(b"\r\n")
    except OSError as exc:
        raise StageFailed(
            f"The PFX file of target {target.name} cannot be written.",
            f"The passphrase file {target.pfx_passphrase_file} cannot be read: {exc.strerror}.",
            f"Correct pfx_passphrase_file in [targets.{target.name}].",
            details={"target": target.name, "live": "old"},
        ) from exc
