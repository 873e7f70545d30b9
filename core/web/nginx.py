"""nginx: the block follows the server's `ssl_certificate`, the redirect follows the server.

- `ssl_protocols` and similar directives may occur only once in a server: existing ones become comments.
- A location with its own `add_header` inherits none from its server (ngx_http_headers_module).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from core.config.model import TargetConfig
from core.statements import Statement, parse
from core.web.blocks import block, indent_of, replaced
from core.web.headers import NAMES
from core.web.includes import arguments, follow
from core.web.tls_profile import OPENSSL, VERSION
from core.web.wanted import Redirect, Rendered, Server, Wanted

_MAIN = "/etc/nginx/nginx.conf"
_TLS = ("ssl_protocols", "ssl_ciphers", "ssl_prefer_server_ciphers")
_HEADERS = {name.lower() for name in NAMES}


def render(text: str, wanted: Wanted) -> Rendered | None:
    """Return the text with the blocks, or None. See `Server.render`."""
    places = [*_places(parse(text), wanted)]
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
            names = [text[each.start : each.end] for each in around.all("server_name")]
            server = [*_redirect(names, listens, wanted.redirect)]
            indent = indent_of(_line(text, around))
            edits.append((around.end, around.end, _inserted(text, around.end, wanted.target, server, indent)))
            redirects = True
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return Rendered(text=text, notes=tuple(dict.fromkeys(notes)), https_port=port, redirects=redirects)


def _places(above: Statement, wanted: Wanted) -> Iterator[tuple[Statement, Statement]]:
    """Yield each directive that names the certificate, with the directive around it."""
    for directive in above.inner:
        if directive.name == "ssl_certificate" and wanted.is_certificate("".join(directive.words[:1])):
            yield directive, above
            break
    for directive in above.inner:
        yield from _places(directive, wanted)


def _tls_lines() -> Iterator[tuple[str, str]]:
    yield "", f"# TLS: Mozilla, intermediate, {VERSION}"
    yield "ssl_protocols", "ssl_protocols TLSv1.2 TLSv1.3;"
    yield "ssl_ciphers", f"ssl_ciphers {OPENSSL};"
    yield "ssl_prefer_server_ciphers", "ssl_prefer_server_ciphers off;"


def _give_way(
    text: str, around: Statement, target: str, edits: list[tuple[int, int, str]], notes: list[str]
) -> Iterator[str]:
    """Turn directives that would be duplicates into comments; yield the names of those that have to stay."""
    for directive in around.inner:
        is_header = directive.name == "add_header" and directive.words and directive.words[0].lower() in _HEADERS
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
        notes.append(
            f"{' '.join((directive.name, *directive.words[:1]))} shares its line with other directives and was not changed."
        )


def _locations(around: Statement) -> Iterator[str]:
    for directive in around.inner:
        if directive.name in ("location", "if"):
            if any(each.name == "add_header" for each in directive.inner):
                where = " ".join((directive.name, *directive.words))
                yield f"{where} has its own headers, so nginx does not send the server's headers there."
            yield from _locations(directive)


def _listens(server: Statement) -> Iterator[tuple[str, int]]:
    """Yield address (empty: all of IPv4) and port of each `listen` with TLS."""
    for directive in server.inner:
        if directive.name != "listen" or "ssl" not in directive.words[1:]:
            continue
        match = re.fullmatch(r"(?:(\[[^\]]*\]|[^:\[\]]+):)?(\d{1,5})|(\[[^\]]*\]|[^:\[\]]+)", directive.words[0])
        if match is not None:
            yield (match[1] or match[3] or "").replace("*", ""), int(match[2] or 80)


def _redirect(names: Sequence[str], listens: Sequence[tuple[str, int]], redirect: Redirect) -> Iterator[str]:
    """Yield the lines of the redirecting server. `names`: the `server_name` statements of the other server."""
    port = listens[0][1] if listens else 443
    yield "server {"
    for address in dict.fromkeys(address for address, _ in listens or [("", 443)]):
        yield f"    listen {f'{address}:' if address else ''}{redirect.port};"
    for each in names:
        yield f"    {' '.join(each.split())}"
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


def _line(text: str, directive: Statement) -> str:
    return text[text.rfind("\n", 0, directive.start) + 1 : directive.start]


def _inserted(text: str, at: int, target: str, lines: Sequence[str], indent: str) -> str:
    """Return a block for insertion at `at`; the rest of that line moves to a new line, out of the block's final comment."""
    splits = at < len(text) and text[at] != "\n"
    inserted = f"\n{block(target, lines, indent, splits=splits)}"
    return f"{inserted}\n" if splits else inserted


def _main(target: TargetConfig) -> Path:
    given = arguments(target.test)
    return Path(given.get("-p", "/etc/nginx"), given.get("-c", _MAIN))


def base(target: TargetConfig, _read: Callable[[Path], str | None]) -> Path:
    """Return the folder of the main configuration file. See `Server.base`."""
    return _main(target).parent


def files(target: TargetConfig, read: Callable[[Path], str | None]) -> Sequence[Path]:
    """Return the configuration files, by following `include`. See `Server.files`."""
    main = _main(target)

    def includes(text: str) -> Iterator[str]:
        return (each.words[0] for each in parse(text).below("include") if len(each.words) == 1)

    return follow(main, main.parent, includes, read)


SERVER = Server(name="nginx", title="nginx", programs=("nginx",), files=files, render=render, base=base)
