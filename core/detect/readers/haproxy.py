"""HAProxy: the `bind` lines of its files. `haproxy -c` does not print the configuration."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from core.detect.reading import Look, Pair, Reading, Unreadable, absolute, shown

_OPTIONS = re.compile(r"\[[^\]]*\]")


def read(look: Look) -> Reading:
    """Return the certificates of every listener. Raises Unreadable."""
    pairs: dict[str, Pair] = {}
    problems: list[str] = []
    base = Path("/")
    for path in _files(look):
        for raw in look.text(path).splitlines():
            try:
                words = shlex.split(raw, comments=True)
            except ValueError:
                continue
            if words[:1] == ["crt-base"] and len(words) > 1:
                base = Path(words[1])
            if words[:1] == ["bind"] and "ssl" in words:
                for pair in _bound(look, words, base, problems):
                    known = pairs.get(pair.certificate)
                    listens = (*known.listens, *pair.listens) if known else pair.listens
                    pairs[pair.certificate] = Pair(
                        certificate=pair.certificate,
                        key=pair.key,
                        names=tuple(dict.fromkeys((*(known.names if known else ()), *pair.names))),
                        listens=tuple(dict.fromkeys(listens)),
                    )
    return Reading(pairs=tuple(pairs.values()), problems=tuple(dict.fromkeys(problems)))


def _files(look: Look) -> Iterator[Path]:
    words = look.arguments
    told = [words[at + 1] for at, word in enumerate(words[:-1]) if word == "-f"]
    for each in told or [str(look.configuration())]:
        path = Path(each)
        if not path.is_absolute():
            raise Unreadable(f"It was started with the configuration {shown(each)}, which is not an absolute path.")
        yield from sorted(path.glob("*.cfg")) if path.is_dir() else [path]


def _bound(look: Look, words: list[str], base: Path, problems: list[str]) -> Iterator[Pair]:
    ports = [each.rpartition(":")[2] for each in words[1].split(",")]
    listens = tuple((int(port), "") for port in ports if port.isdigit())
    for at, word in enumerate(words[:-1]):
        if word not in ("crt", "crt-list"):
            continue
        try:
            named = (
                [(words[at + 1], ())] if word == "crt" else _listed(look.text(Path(absolute(words[at + 1], Path("/")))))
            )
        except Unreadable as exc:
            problems.append(str(exc))
            continue
        for name, names in named:
            try:
                path = absolute(name, base)
            except Unreadable as exc:
                problems.append(str(exc))
                continue
            for each in _members(path):
                key = f"{each}.key"
                yield Pair(certificate=each, key=key if os.path.exists(key) else each, names=names, listens=listens)


def _listed(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the certificates of a `crt-list`, each with its names: `FILE [options] name !other-name`."""
    found = []
    for raw in text.splitlines():
        path, *filters = _OPTIONS.sub(" ", raw).split() or [""]
        if path and not path.startswith("#"):
            names = (each.lower() for each in filters if not each.startswith(("!", "*", "#")))
            found.append((path, tuple(names)))
    return found


def _members(path: str) -> list[str]:
    """Return the files of a `crt` folder, or the file itself."""
    if not os.path.isdir(path):
        return [path]
    ignored = (".issuer", ".ocsp", ".sctl", ".key")
    return [str(each) for each in sorted(Path(path).iterdir()) if each.is_file() and each.suffix not in ignored]
