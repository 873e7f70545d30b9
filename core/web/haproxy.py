"""HAProxy has no includes: its rules follow the `bind` that names the certificate, its TLS settings are at the end of `global`.

`http-after-response` (2.2) also applies to responses that HAProxy generates itself, unlike `http-response`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from core.config.model import TargetConfig
from core.web.blocks import block, indent_of
from core.web.tls_profile import OPENSSL, VERSION
from core.web.wanted import Redirect, Rendered, Server, Wanted

_MAIN = "/etc/haproxy/haproxy.cfg"
_PART = re.compile(r""""[^"]*"|'[^']*'|(?:\\.|[^\s"'])+""")
_WORD = re.compile(rf"(?:{_PART.pattern})+")
_SECTIONS = frozenset(
    [
        "global",
        "defaults",
        "frontend",
        "backend",
        "listen",
        "peers",
        "resolvers",
        "mailers",
        "userlist",
        "program",
        "cache",
        "ring",
        "http-errors",
        "fcgi-app",
        "log-forward",
        "crt-list",
        "crt-store",
        "traces",
    ]
)


def render(text: str, wanted: Wanted) -> Rendered | None:
    """Return the text with the blocks, or None. See `Server.render`."""
    lines = text.split("\n")
    binds = [at for at, line in enumerate(lines) if _names(line, wanted)]
    if not binds:
        return None
    notes = []
    added = {}
    sections: dict[tuple[int, int], int] = {}
    for at in binds:
        sections.setdefault(_section(lines, at), at)
    for section, at in sections.items():
        if any(line.split()[:2] == ["mode", "tcp"] for line in lines[section[0] : section[1]]):
            notes.append(f"{lines[section[0]].strip()} has mode tcp, in which HAProxy adds no headers.")
        added[at + 1] = block(wanted.target, _rules(wanted), indent_of(lines[at]) or "    ")
    section, bind = next(iter(sections.items()))
    port = _port(lines[bind])
    indent = indent_of(lines[bind]) or "    "
    redirects = wanted.redirect is not None and wanted.redirect.upstream is not None
    if wanted.redirect is not None and redirects:
        new = block(wanted.target, _redirect(wanted.target, [lines[at] for at in binds], port, wanted.redirect))
        added[section[1]] = f"{added[section[1]]}\n{new}" if section[1] in added else new
    elif wanted.redirect is not None:
        notes.append(
            "HAProxy serves no files, so it cannot serve the challenge from the webroot. Port 80 was not changed."
        )
    own = next((at for at, line in enumerate(lines) if line.split()[:1] == ["global"]), None)
    if own is None:
        notes.append("There is no section `global`, so protocols and ciphers were not changed.")
    else:
        end = _section(lines, own)[1]
        tls = block(wanted.target, _tls(), indent)
        added[end] = f"{tls}\n{added[end]}" if end in added else tls
    for at in sorted(added, reverse=True):
        lines.insert(at, added[at])
    return Rendered(text="\n".join(lines), notes=tuple(notes), https_port=port, redirects=redirects)


def _names(line: str, wanted: Wanted) -> bool:
    """Return whether a line is a `bind` with this certificate: by its path, its folder, or a list."""
    folder = str(Path(wanted.certificate).parent)
    return any(
        wanted.is_certificate(value) or (option == "crt" and value.rstrip("/") == folder)
        for option, value in _named(line)
    )


def _named(line: str) -> list[tuple[str, str]]:
    """Return the `crt` and `crt-list` options of a `bind` line with TLS, each with its path."""
    words = _words(line)
    if words[:1] != ["bind"] or "ssl" not in words:
        return []
    return [(option, value) for option, value in itertools.pairwise(words) if option in ("crt", "crt-list")]


def spellings(
    texts: Sequence[str], is_certificate: Callable[[str], bool], read: Callable[[Path], str | None]
) -> Iterator[str]:
    """Yield paths relative to `crt-base`, and the lists that name the certificate. See `Server.spellings`."""
    lines = [line for text in texts for line in text.split("\n")]
    bases = [words[1] for words in map(_words, lines) if words[:1] == ["crt-base"] and len(words) > 1]
    base = Path(bases[-1] if bases else "/")
    for option, value in (named for line in lines for named in _named(line)):
        if option == "crt" and is_certificate(str(base / value)):
            yield value
        if option == "crt-list" and any(is_certificate(str(base / each)) for each in listed(read(Path(value)) or "")):
            yield value


def listed(text: str) -> list[str]:
    """Return the certificates that a `crt-list` names, as written there."""
    return [words[0] for line in text.split("\n") if (words := line.split()) and not words[0].startswith("#")]


def _words(line: str) -> list[str]:
    return ["".join(part.strip("\"'") for part in _PART.findall(word[0])) for word in _WORD.finditer(line)]


def _section(lines: Sequence[str], inside: int) -> tuple[int, int]:
    """Return the first line of the section around a line, and the line after its last non-empty one."""
    begins = [at for at, line in enumerate(lines) if line.split()[:1] and line.split()[0] in _SECTIONS]
    start = max((at for at in begins if at <= inside), default=0)
    end = min((at for at in begins if at > inside), default=len(lines))
    while end > inside + 1 and not lines[end - 1].strip():
        end -= 1
    return start, end


def _port(line: str) -> int:
    match = re.search(r":(\d{1,5})(?:$|,)", line.split()[1] if len(line.split()) > 1 else "")
    return int(match[1]) if match else 443


def _tls() -> Iterator[str]:
    yield f"# TLS: Mozilla, intermediate, {VERSION}"
    yield "ssl-default-bind-options ssl-min-ver TLSv1.2"
    yield f"ssl-default-bind-ciphers {OPENSSL}"


def _rules(wanted: Wanted) -> Iterator[str]:
    for name, value in wanted.headers:
        yield f'http-after-response set-header {name} "{value}"'


def _redirect(target: str, binds: Sequence[str], port: int, redirect: Redirect) -> Iterator[str]:
    """Yield the lines for the redirect. It listens on the addresses of each `bind` with `port`: on others it would lead nowhere."""
    given = [each for line in binds if _port(line) == port for each in line.split()[1].split(",")]
    addresses = ",".join(dict.fromkeys(re.sub(r":\d{1,5}$", f":{redirect.port}", each) for each in given))
    yield f"frontend certdeck-web-{target}"
    yield f"    bind {addresses}"
    yield "    mode http"
    yield "    acl is_acme path_beg /.well-known/acme-challenge/"
    if port == 443:
        yield "    http-request redirect scheme https code 308 unless is_acme"
    else:
        yield f"    http-request redirect location https://%[hdr(host),field(1,:)]:{port}%[pathq] code 308 unless is_acme"
    yield f"    use_backend certdeck-web-{target} if is_acme"
    yield f"backend certdeck-web-{target}"
    yield "    mode http"
    yield f"    server certdeck {redirect.upstream}"


def files(target: TargetConfig, read: Callable[[Path], str | None]) -> Sequence[Path]:
    """Return the files that the configuration test names, and the files of a folder. See `Server.files`."""
    test = target.test
    given = [Path(value) for option, value in itertools.pairwise(test) if option in ("-f", "--")] or [Path(_MAIN)]
    given = [each for path in given for each in (path, *sorted(path.glob("*.cfg")))]
    return tuple(path for path in given if read(path) is not None)


SERVER = Server(name="haproxy", title="HAProxy", programs=("haproxy",), files=files, render=render, spellings=spellings)
