"""Exports the live certificate for another program, in the format that it reads.

A file with a private key has mode 0600 from its first byte. An existing file is replaced in one step.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from core.errors import NotFound, UsageError
from core.events import KeyUsed
from core.operations import Exported, PemView
from core.store.lineages import StoredPair, live_version, read_pair
from core.workflows.context import Context

_SECRET = 0o600
_PUBLIC = 0o644


class _Format(Struct, frozen=True):
    has_key: bool
    encode: Callable[[StoredPair, str, bytes | None, bool], bytes]


def _pem(version: StoredPair, _name: str, _passphrase: bytes | None, _legacy: bool) -> bytes:
    return version.fullchain + version.privkey


def _fullchain(version: StoredPair, _name: str, _passphrase: bytes | None, _legacy: bool) -> bytes:
    return version.fullchain


def _der(version: StoredPair, _name: str, _passphrase: bytes | None, _legacy: bool) -> bytes:
    from core.x509.chain import split_fullchain

    return split_fullchain(version.fullchain)[0].der


def _pfx(version: StoredPair, name: str, passphrase: bytes | None, legacy: bool) -> bytes:
    from core.x509.chain import split_fullchain
    from core.x509.key_reader import load_key
    from core.x509.passphrase import UnusablePassphrase
    from core.x509.pkcs12 import PssKey, to_pfx

    leaf, intermediates = split_fullchain(version.fullchain)
    try:
        return to_pfx(load_key(version.privkey), leaf, intermediates, passphrase, legacy, name)
    except PssKey as exc:
        raise UsageError(
            f"{name} cannot be exported as PFX.",
            str(exc),
            f"Export it as pem, then: openssl pkcs12 -export -in {name}.pem -out {name}.pfx.",
        ) from exc
    except UnusablePassphrase as exc:
        raise UsageError("The passphrase is not valid.", str(exc), "Choose another passphrase.") from exc


FORMATS = {
    "pem": _Format(True, _pem),
    "fullchain": _Format(False, _fullchain),
    "pfx": _Format(True, _pfx),
    "der": _Format(False, _der),
    "haproxy": _Format(True, _pem),
}
"""Export formats by name. haproxy reads the chain, then the key, from one file: the same bytes as `pem`."""


def export(context: Context, name: str, *, format: str, out: Path, passphrase: bytes | None, legacy: bool) -> Exported:
    """Write the live version of `name` to `out`.

    Raises:
        UsageError (`usage`): an unknown format, a passphrase for a format that supports none, or an unsuitable `out`: not a
            regular file, or in certdeck's state folder.
        NotFound (`not-found`): no such lineage, or no live version.
        StoreCorrupt (`store-corrupt`): the live version is damaged.
        StoreError: the file cannot be written.
    """
    from core.workflows.keeping.out_file import place_for

    chosen = FORMATS.get(format)
    if chosen is None:
        raise UsageError(
            f"The format {format!r} does not exist.",
            "There are five export formats.",
            f"Use one of: {', '.join(FORMATS)}.",
        )
    if passphrase is not None and format != "pfx":
        raise UsageError(
            f"The format {format} does not support a passphrase.",
            "Only a PFX file can be protected by a passphrase.",
            "Omit the passphrase, or export as pfx.",
        )
    with place_for(context.paths, out, out / f"{name}.{format}") as place:
        version = live_pair(context, name)
        if chosen.has_key:
            context.narrator.tell(KeyUsed(key=f"lineage/{name}/{version.version}", purpose=f"export as {format}"))
        place.write(chosen.encode(version, name, passphrase, legacy), _SECRET if chosen.has_key else _PUBLIC)
    return Exported(path=out, format=format, has_key=chosen.has_key)


def pem_view(context: Context, name: str) -> PemView:
    """Return the public part of the live version, to view and copy. Raises NotFound (`not-found`), StoreCorrupt."""
    from core.targets.fingerprint import sha256_of_pem

    version = live_pair(context, name)
    return PemView(
        name=name, fullchain=version.fullchain.decode("ascii", "replace"), sha256=sha256_of_pem(version.fullchain) or ""
    )


def live_pair(context: Context, name: str) -> StoredPair:
    """Return the live version of a lineage. Raises NotFound (`not-found`), StoreCorrupt (`store-corrupt`) if it is damaged."""
    from core.workflows.deploying.shown import unusable
    from core.x509.pair import files_problem

    number = live_version(context.paths, name)
    if number is None:
        raise NotFound(
            f"{name} has no live certificate.",
            "It was never issued, or does not exist.",
            "List the certificates with `certdeck status`.",
            lineage=name,
        )
    pair = read_pair(context.paths, name, number)
    problem = files_problem(pair.cert, pair.chain, pair.fullchain, pair.privkey)
    if problem:
        raise unusable(name, problem)
    return pair
