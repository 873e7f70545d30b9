"""The versions of each lineage, and which one is live.

    state/live/NAME              -> ../lineages/NAME/VERSION     switched by one rename
    state/lineages/NAME/VERSION/    privkey.pem cert.pem chain.pem fullchain.pem version.json

A version folder is filled under a temporary name, flushed, renamed, and never written again, but for its key: once another
version is live it is sealed (`privkey.sealed`) in the vault's way. A reader who resolves `live/NAME` once sees one version
and no other for as long as it likes; one that opens the two files by the link one after the other may see a switch in between,
so programs should open the folder first.

A version newer than the live one whose key is not sealed is *waiting*: issued, not deployed yet. A rollback seals what it leaves,
so a version that was rolled back from is not waiting, even where a power cut has brought its open key back.

Writers hold the writers' lock. Reading takes none.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict, replace

from core.config.rules import NAME
from core.errors import CertdeckError, NotFound, StoreCorrupt
from core.paths import Paths
from core.regular import NotRegular, read_stored
from core.store.atomic import make_dir, remove_file, remove_tree, store_error, storing, write_file, write_folder
from core.store.live import read_link, remove_link, version_number, write_link
from core.store.versions import CertificateFacts, VersionFacts, certificate_facts, leaf_sha256

if TYPE_CHECKING:
    from core.config.model import LineageConfig
    from core.store.vault import Vault

KEPT_VERSIONS = 5
KEY = "privkey.pem"
SEALED_KEY = "privkey.sealed"
FACTS = "version.json"
DELETING = "deleting"
"""A file of this name in a lineage's folder: a complete copy is in `deleted`, and the rest is to go."""


class StoredPair(Struct, frozen=True):
    """One version's files, read together. Its repr shows no key."""

    version: int
    privkey: bytes
    cert: bytes
    chain: bytes
    fullchain: bytes

    def __repr__(self) -> str:
        return f"StoredPair(version={self.version})"


# -- looking ---------------------------------------------------------------------------------------------------------------


def folder(paths: Paths, name: str, version: int) -> Path:
    """Return where a version lies, whether it is there or not."""
    return _home(paths, name) / str(version)


def live_version(paths: Paths, name: str) -> int | None:
    """Return the number of the live version, or None. Raises StoreCorrupt when the link is none of ours."""
    _home(paths, name)
    return read_link(paths, name)


def has_open_key(paths: Paths, name: str, version: int) -> bool:
    """Tell whether a version is there with its key in the open, as a live one has to be. Raises StoreError."""
    return _has(paths, name, version, KEY)


def has_key(paths: Paths, name: str, version: int) -> bool:
    """Tell whether a version's key is there, open or sealed. Raises StoreError."""
    return _has(paths, name, version, KEY) or _has(paths, name, version, SEALED_KEY)


def versions(paths: Paths, name: str) -> tuple[int, ...]:
    """Return the numbers of all stored versions, oldest first."""
    try:
        found = [version_number(entry.name) for entry in os.scandir(_home(paths, name))]
        return tuple(sorted(number for number in found if number is not None))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as exc:
        raise store_error(exc, _home(paths, name), "read") from exc


def waiting_version(paths: Paths, name: str) -> int | None:
    """Return the newest version that was issued after the live one and has not been deployed, or None."""
    live = live_version(paths, name) or 0
    for version in reversed(versions(paths, name)):
        if version <= live:
            return None
        if _has(paths, name, version, KEY) and not _has(paths, name, version, SEALED_KEY):
            return version
    return None


def names(paths: Paths) -> tuple[str, ...]:
    """Return the lineages that have stored versions, sorted; those without a TOML among them."""
    try:
        return tuple(sorted(entry.name for entry in os.scandir(paths.lineages) if not entry.name.startswith(".")))
    except FileNotFoundError:
        return ()
    except OSError as exc:
        raise store_error(exc, paths.lineages, "read") from exc


def read_version(paths: Paths, name: str, version: int) -> VersionFacts:
    """Return the facts of a version.

    The certificate is parsed anew where `cert.pem` is not the one recorded, or an earlier release recorded less; where the
    record is gone, `method` is empty.
    Raises NotFound (`not-found`), StoreCorrupt (`store-corrupt`), StoreError.
    """
    cert = _read(paths, name, version, "cert.pem")
    try:
        facts = VersionFacts.from_json(_read(paths, name, version, FACTS), _file(paths, name, version, FACTS))
    except StoreCorrupt:
        parsed = _parse(paths, name, version)
        return VersionFacts(created=parsed.not_before, ca=None, directory=None, method="", certificate=parsed)
    is_known = facts.certificate.chain_not_after is not None or facts.certificate.chain_length == 1
    if leaf_sha256(cert) == facts.certificate.sha256 and is_known:
        return facts
    return replace(facts, certificate=_parse(paths, name, version))


def read_live(paths: Paths, name: str) -> VersionFacts | None:
    """Return the facts of the live version, or None. Raises NotFound where that is gone; StoreCorrupt, StoreError."""
    version = live_version(paths, name)
    return None if version is None else read_version(paths, name, version)


def _parse(paths: Paths, name: str, version: int) -> CertificateFacts:
    cert, chain = _read(paths, name, version, "cert.pem"), _read(paths, name, version, "chain.pem")
    try:
        return certificate_facts(cert + chain if leaf_sha256(cert) else cert)
    except (CertdeckError, ValueError) as exc:
        raise StoreCorrupt(
            f"{folder(paths, name, version) / 'cert.pem'} is no longer a certificate.",
            "Another program has changed it.",
            f"Renew it: certdeck --renew {name} --force.",
            lineage=name,
        ) from exc


def read_pair(paths: Paths, name: str, version: int) -> StoredPair:
    """Return the files of one version, key included.

    Raises NotFound (`not-found`) where the version, or its key in the open, is not there; StoreError.
    """
    return StoredPair(
        version,
        _read(paths, name, version, KEY),
        _read(paths, name, version, "cert.pem"),
        _read(paths, name, version, "chain.pem"),
        _read(paths, name, version, "fullchain.pem"),
    )


def read_public(paths: Paths, name: str, version: int) -> tuple[bytes, bytes, bytes]:
    """Return cert, chain and fullchain of a version as PEM. Raises NotFound, StoreError."""
    cert, chain, fullchain = (_read(paths, name, version, f"{part}.pem") for part in ("cert", "chain", "fullchain"))
    return cert, chain, fullchain


def read_key(paths: Paths, vault: Vault, name: str, version: int) -> bytes:
    """Return the private key of a version, opened where it is sealed. Raises NotFound, VaultError, StoreError."""
    from core.store.vault import lineage_key

    if _has(paths, name, version, KEY):
        return _read(paths, name, version, KEY)
    return vault.unseal(lineage_key(name, version), _read(paths, name, version, SEALED_KEY))


# -- writing ---------------------------------------------------------------------------------------------------------------


def store_version(
    paths: Paths, name: str, *, privkey: bytes, cert: bytes, chain: bytes, fullchain: bytes, facts: VersionFacts
) -> int:
    """Store a new version and return its number. Nothing that is live changes. All PEM; `chain` may be empty.

    Raises StoreError: then nothing of it is there.
    """
    home = _home(paths, name)
    # Never the number of a live version that somebody removed: its link would show this one before anybody tested it.
    number = max((*versions(paths, name), _linked(paths, name))) + 1
    files = {KEY: privkey, "cert.pem": cert, "chain.pem": chain, "fullchain.pem": fullchain, FACTS: facts.to_json()}
    if home.is_dir():
        write_folder(home / str(number), files)
    else:
        make_dir(paths.lineages)
        write_folder(home, files, inside=str(number))
    return number


def _linked(paths: Paths, name: str) -> int:
    try:
        return read_link(paths, name) or 0
    except StoreCorrupt:
        return 0


def switch(paths: Paths, name: str, version: int) -> None:
    """Make a version live with one rename. Raises NotFound where the version or its open key is missing; StoreError."""
    if not _has(paths, name, version, KEY):
        raise _no_version(name, version)
    write_link(paths, name, version)


def unlink_live(paths: Paths, name: str) -> None:
    """Make no version live. Raises StoreError."""
    remove_link(paths, name)


def seal_old_keys(paths: Paths, vault: Vault, name: str, keep: int | None = None) -> None:
    """Seal the keys of all versions but `keep` (default: the live one). Idempotent, safe to kill at any instruction.

    Raises VaultError, StoreError: keys that could not be sealed stay as they are.
    """
    from core.store.vault import lineage_key

    kept = live_version(paths, name) if keep is None else keep
    if kept is None:
        return  # nothing is live, so nothing is old
    for version in versions(paths, name):
        where = folder(paths, name, version)
        if version == kept or not _has(paths, name, version, KEY):
            continue
        sealed = vault.seal(lineage_key(name, version), _read(paths, name, version, KEY))
        write_file(where / SEALED_KEY, sealed, beside=where.parent)
        remove_file(where / KEY, durable=False)  # one that is there again is sealed again
    home = _home(paths, name)
    with storing(home), suppress(FileNotFoundError):
        os.utime(home)  # the index looks at this folder, and what is waiting may have changed


def unseal_key(paths: Paths, vault: Vault, name: str, version: int) -> None:
    """Put the key of a version into the open again, so that it can be made live. Idempotent.

    Raises NotFound, VaultError, StoreError.
    """
    where = folder(paths, name, version)
    if not _has(paths, name, version, KEY):
        write_file(where / KEY, read_key(paths, vault, name, version), beside=where.parent)
    remove_file(where / SEALED_KEY, durable=False)  # beside an open key of a live version it says nothing


def prune(paths: Paths, name: str, keep: int = KEPT_VERSIONS) -> tuple[int, ...]:
    """Remove the oldest versions but for the last `keep`, the live and the waiting one. Returns which went."""
    safe = {live_version(paths, name), waiting_version(paths, name)}
    gone = tuple(version for version in versions(paths, name)[:-keep] if version not in safe)
    for version in gone:
        remove_tree(folder(paths, name, version))
    return gone


def spec_of(lineage: LineageConfig) -> dict[str, object]:
    """Return a lineage's settings as plain values, without those that are not given."""
    found = asdict(lineage)
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in found.items()
        if value is not None and (value != () or key == "fallback_issuers")
    }


def lineage_of(spec: Mapping[str, object], name: str | None = None) -> LineageConfig:
    """Return the settings that `spec_of` made plain. `name`: the lineage that they have to be for.

    Raises StoreCorrupt (`store-corrupt`) for anything else, also for values that no configuration file may have.
    """
    from core.config.model import LineageConfig
    from core.store.kept_settings import settings_from

    try:
        made = settings_from(LineageConfig, spec)
        if name is not None and made.name != name:
            raise ValueError("they belong to another certificate")
        return made
    except ValueError as exc:
        raise StoreCorrupt(
            "The settings stored with a version cannot be read.",
            "They were changed, or written by another release of certdeck.",
            "Set them again with certdeck issue.",
            lineage=name,
        ) from exc


def _file(paths: Paths, name: str, version: int, file: str) -> str:
    return f"{_home(paths, name)}/{version}/{file}"  # joined as text: this is asked dozens of times in a renewal


def _home(paths: Paths, name: str) -> Path:
    return _place(paths.lineages, name)


@lru_cache(maxsize=64)
def _place(lineages: Path, name: str) -> Path:
    if NAME.fullmatch(name) is None:
        raise NotFound(
            f"There is no certificate {name!r}.",
            "This is not a valid certificate name.",
            "List the certificates with `certdeck status`.",
        )
    return lineages / name


def _has(paths: Paths, name: str, version: int, file: str) -> bool:
    path = _file(paths, name, version, file)
    try:
        os.stat(path)
    except OSError as exc:
        if exc.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return False
        raise store_error(exc, path, "looked at") from exc
    return True


def _read(paths: Paths, name: str, version: int, file: str) -> bytes:
    path = _file(paths, name, version, file)
    try:
        return read_stored(path)
    except (FileNotFoundError, NotADirectoryError) as exc:
        if folder(paths, name, version).is_dir() and not file.startswith("privkey"):
            raise StoreCorrupt(
                f"{path} is missing.",
                "Another program has removed it.",
                f"Restore it from a backup, or renew: certdeck --renew {name} --force.",
                lineage=name,
            ) from exc
        raise _no_version(name, version) from exc
    except NotRegular as exc:
        raise StoreCorrupt(
            f"{path} cannot be read.",
            f"{exc.strerror}: another program has replaced it.",
            f"Restore it from a backup, or renew: certdeck --renew {name} --force.",
            lineage=name,
        ) from exc
    except OSError as exc:
        raise store_error(exc, path, "read") from exc


def _no_version(name: str, version: int) -> NotFound:
    return NotFound(
        f"Version {version} of {name} does not exist.",
        "It was removed, or its key is in the vault.",
        f"List the versions with: certdeck status {name}",
        lineage=name,
    )


__all__ = ["CertificateFacts", "StoredPair", "VersionFacts"]
