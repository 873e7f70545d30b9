"""Writes one file for a bug report: versions, settings, texts of the front end, the end of the log. It contains no secrets.

It takes no lock, and works whatever is broken: in place of an unreadable file it says why.
"""

from __future__ import annotations

import io
import json
import os
import platform
import re
import ssl
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from stat import S_IMODE, filemode

from msgspec import Struct, field

from core.errors import CertdeckError
from core.operations import LogEntry
from core.paths import Paths
from core.ports import Environment
from core.redaction import redacted, redacted_settings, secret_forms, secrets_in
from core.regular import read_regular, read_stored
from core.store import exchanges
from core.store.home import REPLACED
from core.store.records import rfc3339
from core.store.vault import Vault
from core.version import VERSION
from core.workflows.keeping.out_file import place_for

_MODE = 0o600
_LONGEST_TEXT = 1_000_000
_LOG_TAIL = 200_000
_MOST_FILES = 5_000
_MOST_SETTINGS = 500


class Source(Struct, frozen=True, kw_only=True):
    """The inputs of a report."""

    paths: Paths
    env: Environment
    entries: tuple[LogEntry, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    """File name → text of the front end, for example `status.txt`, `doctor.txt`."""


def write_report(source: Source, out: Path) -> tuple[str, ...]:
    """Write a `tar.gz` of text files (0600) to `out`; returns their names. Raises UsageError (`usage`), StoreError."""
    files = contents(source)
    with place_for(source.paths, out, out / "certdeck-report.tar.gz") as place:
        place.write(_packed(files, source.env.clock.now().timestamp()), _MODE)
    return tuple(files)


def contents(source: Source) -> dict[str, str]:
    """Return the text of every file of a report, by name, with secrets removed."""
    settings = {name: _text(path) for name, path in _settings(source.paths)}
    secrets = {*_known(source), *(each for text in settings.values() for each in secrets_in(text))}
    plain = {
        "versions.txt": _versions(),
        **source.texts,
        "log.jsonl": "".join(_entry(entry) for entry in source.entries),
        "debug.log": _tail(source.paths.debug_log),
        "files.txt": "\n".join(_listing(source.paths)) + "\n",
    }
    plain |= {f"requests/{path.name}": _text(path) for path in exchanges.files(source.paths)}
    words = frozenset(_key_lines(source.paths))
    found = {name: redacted(text, secrets, words) for name, text in plain.items()}
    return found | {name: redacted_settings(text, secrets, words) for name, text in settings.items()}


def _known(source: Source) -> Iterator[str]:
    """Yield the secrets of this box that can be opened: the master key and the vault's records."""
    with suppress(OSError):
        yield read_stored(source.paths.master_key).decode("ascii", "replace").strip()
    vault = Vault(source.paths, source.env)
    with suppress(CertdeckError):
        for name in vault.names():
            with suppress(CertdeckError):
                yield from secret_forms(vault.get(name))


def _key_lines(paths: Paths) -> Iterator[str]:
    """Yield the lines of the private keys in use."""
    with suppress(OSError):
        for path in paths.live.glob("*/privkey.pem"):
            with suppress(OSError):
                yield from (
                    line for line in read_regular(path).decode("ascii", "replace").splitlines() if "--" not in line
                )


def _settings(paths: Paths) -> Iterator[tuple[str, Path]]:
    yield "etc/certdeck.toml", paths.config
    with suppress(OSError):
        for path in sorted(paths.certificates.glob("*.toml"))[:_MOST_SETTINGS]:
            yield f"etc/certificates.d/{path.name}", path


def _text(path: Path) -> str:
    try:
        return read_regular(path, _LONGEST_TEXT).decode("utf-8", "replace")
    except FileNotFoundError:
        return "# no such file\n"
    except OSError as exc:
        return f"# cannot be read: {exc.strerror}\n"


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _LOG_TAIL))
            text = file.read(_LOG_TAIL).decode("utf-8", "replace")
    except OSError:
        return ""
    if size <= _LOG_TAIL:
        return text
    text = text.partition("\n")[2]
    before, end, after = text.partition("-----END")
    # The end of a private key whose beginning was cut off would not be recognized as a key.
    return after.partition("\n")[2] if end and "-----BEGIN" not in before else text


def _versions() -> str:
    from cryptography.hazmat.backends.openssl import backend

    lines = [
        f"certdeck {VERSION}",
        f"python {platform.python_version()} ({platform.python_implementation()})",
        f"openssl {ssl.OPENSSL_VERSION} (ssl), {backend.openssl_version_text()} (cryptography)",
        f"system {platform.platform()}",
        f"uid {os.getuid()}",
    ]
    with suppress(metadata.PackageNotFoundError):
        for name in sorted(
            {re.split(r"[^\w.-]", each, maxsplit=1)[0].lower() for each in metadata.requires("certdeck") or ()}
        ):
            with suppress(metadata.PackageNotFoundError):
                lines.append(f"{name} {metadata.version(name)}")
    return "\n".join(lines) + "\n"


def _entry(entry: LogEntry) -> str:
    return json.dumps({"time": rfc3339(entry.at), **entry.values()}, default=str) + "\n"


def _listing(paths: Paths) -> Iterator[str]:
    """Yield mode, owner, size and path of every file of certdeck: wrong modes and missing files explain many problems."""
    count = 0
    for root in (paths.etc, paths.state, paths.run, paths.log):
        for folder, folders, files in os.walk(root):
            folders[:] = sorted(name for name in folders if not name.startswith(REPLACED))
            for name in sorted([*folders, *files]):
                count += 1
                if count > _MOST_FILES:
                    yield "… and more"
                    return
                with suppress(OSError):
                    path = Path(folder) / name
                    found = path.lstat()
                    leads = f" -> {os.readlink(path)}" if path.is_symlink() else ""
                    mode = f"{filemode(found.st_mode)} {S_IMODE(found.st_mode):04o}"
                    yield f"{mode} {found.st_uid}:{found.st_gid} {found.st_size:>9} {path}{leads}"


def _packed(files: Mapping[str, str], now: float) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            content = text.encode("utf-8", "replace")
            entry = tarfile.TarInfo(f"certdeck-report/{name}")
            entry.size, entry.mode, entry.mtime = len(content), _MODE, int(now)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
