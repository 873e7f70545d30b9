"""Dovecot: `doveconf` prints the settings that differ from the defaults, in blocks (2.3; 2.4 renamed the file settings)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from core.detect.reading import Look, Pair, Reading, Unreadable, absolute, shown

_CERTIFICATE = ("ssl_cert", "ssl_server_cert_file")
_KEY = ("ssl_key", "ssl_server_key_file")
_SETTING = re.compile(r"([a-z0-9_/]+)\s*=\s*(.*)")
_BLOCK = re.compile(r"([a-z_]+)(?:\s+(\S.*?))?\s*\{")


def read(look: Look) -> Reading:
    """Return the default certificate and those for single names. Raises Unreadable."""
    configuration = look.configuration("-c")
    # Without -P, the path of a key is hidden like a password.
    said = look.run(["doveconf", "-c", str(configuration), "-n", "-P"], configuration)
    pairs: dict[tuple[str, ...], dict[str, str]] = {}
    off = False
    for where, name, value in _settings(said):
        if name == "ssl" and not where:
            off = value == "no"
        if name in (*_CERTIFICATE, *_KEY):
            scope = tuple(each for each in where if each)
            pairs.setdefault(scope, {})["key" if name in _KEY else "certificate"] = value
    if off:
        return Reading()
    found: list[Pair] = []
    problems: list[str] = []
    for scope, files in pairs.items():
        try:
            found.append(_pair(scope, files, configuration.parent))
        except Unreadable as exc:
            problems.append(str(exc))
    own = configuration != look.usual
    return Reading(
        pairs=tuple(found),
        problems=tuple(problems),
        test=("doveconf", "-c", str(configuration), "-n") if own else (),
        reload=("doveadm", "-c", str(configuration), "reload") if own else (),
    )


def _settings(said: str) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Yield the names of the blocks around a setting (`local_name mail.example.com`), its name and its value."""
    where: list[str] = []
    for raw in said.splitlines():
        line = raw.strip()
        block = _BLOCK.fullmatch(line)
        if block is not None:
            where.append(f"{block[1]} {block[2] or ''}".strip())
        elif line == "}":
            where[-1:] = []
        elif setting := _SETTING.fullmatch(line):
            yield tuple(where), setting[1], setting[2]


def _pair(scope: tuple[str, ...], files: dict[str, str], base: Path) -> Pair:
    names = tuple(
        name.strip('"').lower() for block in scope for name in block.split()[1:] if block.startswith("local_name ")
    )
    certificate, key = files.get("certificate", ""), files.get("key", "")
    where = f" of {shown(' '.join(scope))}" if scope else ""
    for word, value in (("certificate", certificate), ("key", key)):
        if not value or (value[0] != "<" and value[0] != "/"):
            raise Unreadable(f"The {word}{where} is not in a file: it is in the configuration itself, or missing.")
    return Pair(
        certificate=absolute(certificate.lstrip("<").strip(), base),
        key=absolute(key.lstrip("<").strip(), base),
        names=names,
    )
