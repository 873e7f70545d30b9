"""Apache httpd: the block is at the end of the virtual host, where it takes precedence; the redirect follows the virtual host.

`Header always` and `Header` (onsuccess) are two tables, and a header in both is sent twice (mod_headers): the second is cleared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from core.apache_variables import defined, filled
from core.config.model import TargetConfig
from core.web.blocks import block, indent_of
from core.web.includes import arguments, follow
from core.web.tls_profile import OPENSSL, VERSION
from core.web.wanted import Redirect, Rendered, Server, Wanted

_MAIN = "/etc/apache2/apache2.conf"
_HOST_BEGINS = re.compile(r"\s*<VirtualHost\s+([^>]*)>", re.IGNORECASE)
_HOST_ENDS = re.compile(r"\s*</VirtualHost\s*>", re.IGNORECASE)
_WORD = re.compile(r""""([^"]*)"|'([^']*)'|(\S+)""")


def words(line: str) -> tuple[str, ...]:
    """Return the words of a directive, its name in lower case; empty for a comment."""
    if line.lstrip().startswith("#"):
        return ()
    found = ["".join(part or "" for part in match.groups()) for match in _WORD.finditer(line)]
    return (found[0].lower(), *found[1:]) if found else ()


def render(text: str, wanted: Wanted) -> Rendered | None:
    """Return the text with the blocks, or None. See `Server.render`."""
    lines = text.split("\n")
    result: list[str] = []
    host: list[str] | None = None
    listens = ""
    port, redirects, found = 443, False, False
    for line in lines:
        begins = _HOST_BEGINS.match(line)
        if begins is not None:
            host, listens = [], begins[1]
        if host is None or not _HOST_ENDS.match(line):
            if host is not None:
                host.append(line)
            result.append(line)
            continue
        directives = [words(each) for each in host]
        host = None
        if not any(
            each[:1] == ("sslcertificatefile",) and wanted.is_certificate(each[1]) for each in directives if each[1:]
        ):
            result.append(line)
            continue
        found = True
        port = _port(listens)
        result += [block(wanted.target, _lines(wanted), f"{indent_of(line)}    "), line]
        if wanted.redirect is not None:
            result.append(block(wanted.target, _redirect(directives, listens, port, wanted.redirect), indent_of(line)))
            redirects = True
    if not found:
        return None
    return Rendered(text="\n".join(result), https_port=port, redirects=redirects)


def _lines(wanted: Wanted) -> Iterator[str]:
    yield f"# TLS: Mozilla, intermediate, {VERSION}"
    yield "SSLProtocol -all +TLSv1.2 +TLSv1.3"
    yield f"SSLCipherSuite {OPENSSL}"
    yield "SSLHonorCipherOrder off"
    for name, value in wanted.headers:
        yield f"Header onsuccess unset {name}"
        yield f'Header always set {name} "{value}"'


def _port(listens: str) -> int:
    match = re.search(r":(\d{1,5})\s*$", listens.split()[0] if listens.split() else "")
    return int(match[1]) if match else 443


def _redirect(directives: Sequence[tuple[str, ...]], listens: str, port: int, redirect: Redirect) -> Iterator[str]:
    names = [
        word
        for each in directives
        if each and each[0] in ("servername", "serveralias")
        for word in each[1:]
        if "*" not in word
    ]
    addresses = " ".join(re.sub(r"(:\d{1,5})?$", f":{redirect.port}", each, count=1) for each in listens.split())
    place = "/.well-known/acme-challenge/"
    for name in dict.fromkeys(each.partition(":")[0] for each in names):
        yield f"<VirtualHost {addresses}>"
        yield f"    ServerName {name}"
        if redirect.webroot is not None:
            yield f'    Alias "{place}" "{redirect.webroot}{place}"'
            yield f'    <Directory "{redirect.webroot}{place}">'
            yield "        Require all granted"
            yield "    </Directory>"
        else:
            yield f"    ProxyPass {place} http://{redirect.upstream}{place}"
        to = f"https://{name}{'' if port == 443 else f':{port}'}/$1"
        yield rf'    RedirectMatch 308 "^/(?!\.well-known/acme-challenge/)(.*)$" "{to}"'
        yield "</VirtualHost>"


def _main(target: TargetConfig) -> Path:
    given = arguments(target.test)
    return Path(given.get("-d", "/etc/apache2"), given.get("-f", _MAIN))


def base(target: TargetConfig, read: Callable[[Path], str | None]) -> Path:
    """Return the ServerRoot. See `Server.base`."""
    main = _main(target)
    text = read(main) or ""
    root = next((each[1] for each in map(words, text.split("\n")) if each[:1] == ("serverroot",) and each[1:]), None)
    return Path(arguments(target.test).get("-d") or root or main.parent)


def files(target: TargetConfig, read: Callable[[Path], str | None]) -> Sequence[Path]:
    """Return the configuration files, by following `Include`. See `Server.files`."""

    known: dict[str, str] = {}

    def includes(text: str) -> Iterator[str]:
        for line in text.split("\n"):
            each = words(line)
            known.update(defined([each]))
            if len(each) == 2 and each[0] in ("include", "includeoptional"):
                name = filled(each[1], known)
                yield name
                yield f"{name}/*"  # a folder means the files in it

    return follow(_main(target), base(target, read), includes, read)


def spellings(
    texts: Sequence[str], is_certificate: Callable[[str], bool], read: Callable[[Path], str | None]
) -> Iterator[str]:
    """Yield the paths with variables that mean the certificate. See `Server.spellings`."""
    directives = [words(line) for text in texts for line in text.split("\n")]
    known = defined(directives)
    for each in directives:
        if (
            each[:1] == ("sslcertificatefile",)
            and each[1:]
            and "${" in each[1]
            and is_certificate(filled(each[1], known))
        ):
            yield each[1]


SERVER = Server(
    name="apache",
    title="Apache httpd",
    programs=("apache2ctl", "apachectl", "apache2", "httpd"),
    files=files,
    render=render,
    base=base,
    spellings=spellings,
    remarks=("It needs mod_headers: a2enmod headers.",),
)
