"""Caddy: its defaults already include TLS 1.2 with safe ciphers and the redirect on port 80; the headers precede `tls`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from core.config.model import TargetConfig
from core.web.blocks import block, indent_of
from core.web.includes import arguments, follow
from core.web.wanted import Rendered, Server, Wanted

_MAIN = "/etc/caddy/Caddyfile"
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|\S+')


def render(text: str, wanted: Wanted) -> Rendered | None:
    """Return the text with the blocks, or None. See `Server.render`."""
    result: list[str] = []
    found = False
    for line in text.split("\n"):
        words = _words(line)
        if words[:1] == ["tls"] and wanted.certificate in words[1:2]:
            found = True
            result.append(block(wanted.target, _lines(wanted), indent_of(line)))
        result.append(line)
    return Rendered(text="\n".join(result)) if found else None


def _words(line: str) -> list[str]:
    return [match[0].strip('"`') for match in _WORD.finditer(line)]


def _lines(wanted: Wanted) -> Iterator[str]:
    yield "header {"
    for name, value in wanted.headers:
        yield f'    {name} "{value}"'
    yield "}"


def files(target: TargetConfig, read: Callable[[Path], str | None]) -> Sequence[Path]:
    """Return the Caddyfile and the files that it imports. See `Server.files`."""
    given = arguments(target.test)
    main = Path(given.get("--config") or given.get("-c") or _MAIN)

    def includes(text: str) -> Iterator[str]:
        for line in text.split("\n"):
            words = _words(line)
            if (
                words[:1] == ["import"] and len(words) > 1
            ):  # this may also be the name of a snippet: then no file matches
                yield words[1]

    return follow(main, main.parent, includes, read)


SERVER = Server(name="caddy", title="Caddy", programs=("caddy",), files=files, render=render)
