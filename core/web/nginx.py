"""nginx: the block goes behind the `ssl_certificate` of the server, the redirect behind the server.

- `ssl_protocols` and its kind may stand only once in a server: the one that is there becomes a comment.
- A location with an `add_header` of its own inherits none from its server (ngx_http_headers_module).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct, field

from core.config.model import TargetConfig
from core.web.blocks import block, indent_of, replaced
from core.web.headers import NAMES
from core.web.includes import arguments, follow
from core.web.tls_profile import OPENSSL, VERSION
from core.web.wanted import Redirect, Rendered, Server, Wanted

MOST_DEPTH = 50
_MAIN = "/etc/nginx/nginx.conf"
_TLS = ("ssl_protocols", "ssl_ciphers", "ssl_prefer_server_ciphers")
_HEADERS = {name.lower() for name in NAMES}
_TOKEN = re.compile(
    r"#[^\n]*|[;{}]|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|(?:\$\{[^\s;{}]*\}?|[^\s;{}\"'\\]|\\.)+", re.DOTALL
)
_PLAIN = re.compile(r"[^\s;{}\"'\\#$]+")
"""A word that means the same without quotation marks."""


class Directive(Struct):
    """One directive of a configuration, with what stands in its braces."""

    words: tuple[str, ...]
    start: int
    end: int = 0
    """Behind its semicolon, or its closing brace."""
    inside: list[Directive] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.words[0] if self.words else ""


def parsed(text: str) -> Directive:
    """Return the whole as one directive without words. What is not closed ends with the text; a brace too many is skipped.

    What is nested deeper than MOST_DEPTH is read as if it stood at that depth: no configuration that works is.
    """
    root = Directive((), 0)
    above = [root]
    words: list[str] = []
    start = too_deep = 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token.startswith("#"):
            continue
        if token == "}":
            words = []
            if too_deep:
                too_deep -= 1
            elif len(above) > 1:
                above.pop().end = match.end()
        elif token in (";", "{"):
            directive = Directive(tuple(words), start if words else match.start(), match.end())
            above[-1].inside.append(directive)
            words = []
            if token == "{" and len(above) > MOST_DEPTH:
                too_deep += 1
            elif token == "{":
                above.append(directive)
        else:
            start = match.start() if not words else start
            words.append(_unquoted(token))
    for directive in above:
        directive.end = max(directive.end, len(text)) if directive is root else directive.end or len(text)
    return root


def _quoted(word: str) -> str:
    """Return a word as `_unquoted` has read it, for the configuration again: escapes are still in it."""
    return word if _PLAIN.fullmatch(word) else f'"{word}"' if '"' not in word else f"'{word}'"


def _unquoted(token: str) -> str:
    return token[1:-1] if token[0] in "\"'" and len(token) > 1 else token


def render(text: str, wanted: Wanted) -> Rendered | None:
    """Return the text with the blocks, or None. See `Server.render`."""
    places = [*_places(parsed(text), wanted)]
    if not places:
        return None
    edits: list[tuple[int, int, str]] = []
    notes: list[str] = []
    port = 443
    redirects = False
    for at, around in places:
        kept = [*_give_way(text, around, wanted.target, edits, notes)]
        indent = indent_of(text[text.rfind("\n", 0, at.start) + 1 : at.start])
        lines = [line for name, line in _tls_lines() if name not in kept]
        lines += [f'add_header {name} "{value}" always;' for name, value in wanted.headers]
        edits.append((at.end, at.end, _inserted(text, at.end, wanted.target, lines, indent)))
        notes += [*_locations(around)]
        listens = [*_listens(around)]
        port = listens[0][1] if listens else port
        if wanted.redirect is not None and around.name == "server":
            server = [*_redirect(around, listens, wanted.redirect)]
            indent = indent_of(_line(text, around))
            edits.append((around.end, around.end, _inserted(text, around.end, wanted.target, server, indent)))
            redirects = True
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return Rendered(text=text, notes=tuple(dict.fromkeys(notes)), https_port=port, redirects=redirects)


def _places(above: Directive, wanted: Wanted) -> Iterator[tuple[Directive, Directive]]:
    """Yield each directive that names the certificate, with the one around it."""
    for directive in above.inside:
        if directive.name == "ssl_certificate" and wanted.is_certificate("".join(directive.words[1:2])):
            yield directive, above
            break
    for directive in above.inside:
        yield from _places(directive, wanted)


def _tls_lines() -> Iterator[tuple[str, str]]:
    yield "", f"# TLS: Mozilla, intermediate, {VERSION}"
    yield "ssl_protocols", "ssl_protocols TLSv1.2 TLSv1.3;"
    yield "ssl_ciphers", f"ssl_ciphers {OPENSSL};"
    yield "ssl_prefer_server_ciphers", "ssl_prefer_server_ciphers off;"


def _give_way(
    text: str, around: Directive, target: str, edits: list[tuple[int, int, str]], notes: list[str]
) -> Iterator[str]:
    """Turn what would be there twice into comments; yield the names of what has to stay."""
    for directive in around.inside:
        is_header = directive.name == "add_header" and directive.words[1:2] and directive.words[1].lower() in _HEADERS
        if directive.name not in _TLS and not is_header:
            continue
        start = text.rfind("\n", 0, directive.start) + 1
        end = text.find("\n", directive.end)
        end = len(text) if end == -1 else end
        line = text[start:end]
        alone = not text[start : directive.start].strip() and not text[directive.end : end].partition("#")[0].strip()
        if alone and "\n" not in text[directive.start : directive.end]:
            edits.append((start, end, replaced(target, line)))
            continue
        yield directive.name
        notes.append(f"{' '.join(directive.words[:2])} stands on a line with something else and is kept as it is.")


def _locations(around: Directive) -> Iterator[str]:
    for directive in around.inside:
        if directive.name in ("location", "if"):
            if any(each.name == "add_header" for each in directive.inside):
                where = " ".join(directive.words)
                yield f"{where} has headers of its own, and nginx sends none of the server's there."
            yield from _locations(directive)


def _listens(server: Directive) -> Iterator[tuple[str, int]]:
    """Yield address (empty: all of IPv4) and port of each `listen` with TLS."""
    for directive in server.inside:
        if directive.name != "listen" or "ssl" not in directive.words[2:]:
            continue
        match = re.fullmatch(r"(?:(\[[^\]]*\]|[^:\[\]]+):)?(\d{1,5})|(\[[^\]]*\]|[^:\[\]]+)", directive.words[1])
        if match is not None:
            yield (match[1] or match[3] or "").replace("*", ""), int(match[2] or 80)


def _redirect(server: Directive, listens: Sequence[tuple[str, int]], redirect: Redirect) -> Iterator[str]:
    names = [word for each in server.inside if each.name == "server_name" for word in each.words[1:]]
    port = listens[0][1] if listens else 443
    yield "server {"
    for address in dict.fromkeys(address for address, _ in listens or [("", 443)]):
        yield f"    listen {f'{address}:' if address else ''}{redirect.port};"
    if names:
        yield f"    server_name {' '.join(map(_quoted, names))};"
    yield "    location ^~ /.well-known/acme-challenge/ {"
    if redirect.webroot is not None:
        yield f'        root "{redirect.webroot}";'
        yield "        default_type text/plain;"
    else:
        yield f"        proxy_pass http://{redirect.upstream};"
        yield "        proxy_set_header Host $host;"
    yield "    }"
    yield "    location / {"
    yield f"        return 308 https://$host{'' if port == 443 else f':{port}'}$request_uri;"
    yield "    }"
    yield "}"


def _line(text: str, directive: Directive) -> str:
    return text[text.rfind("\n", 0, directive.start) + 1 : directive.start]


def _inserted(text: str, at: int, target: str, lines: Sequence[str], indent: str) -> str:
    """Return a block for the middle of the text; what follows on the same line would be part of the comment that ends it."""
    splits = at < len(text) and text[at] != "\n"
    inserted = f"\n{block(target, lines, indent, splits=splits)}"
    return f"{inserted}\n" if splits else inserted


def _main(target: TargetConfig) -> Path:
    given = arguments(target.test)
    return Path(given.get("-p", "/etc/nginx"), given.get("-c", _MAIN))


def base(target: TargetConfig, _read: Callable[[Path], str | None]) -> Path:
    """Return the folder of its main file. See `Server.base`."""
    return _main(target).parent


def files(target: TargetConfig, read: Callable[[Path], str | None]) -> Sequence[Path]:
    """Return the configuration files, by following `include`. See `Server.files`."""
    main = _main(target)

    def includes(text: str) -> Iterator[str]:
        def walk(above: Directive) -> Iterator[str]:
            for directive in above.inside:
                if directive.name == "include" and len(directive.words) == 2:
                    yield directive.words[1]
                yield from walk(directive)

        return walk(parsed(text))

    return follow(main, main.parent, includes, read)


SERVER = Server(name="nginx", title="nginx", programs=("nginx",), files=files, render=render, base=base)
