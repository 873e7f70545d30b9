"""nginx: `nginx -T` prints every file of its configuration (1.9.2 and newer). Where it does not run, its files are read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec.structs import replace

from core.detect.blocks import Statement, parse
from core.detect.reading import Look, Pair, Reading, Unreadable, absolute, fitting, shown

_FILE = re.compile(r"^# configuration file (.+):$", re.MULTILINE)
_PASSED_ON = ("-p", "-e", "-c")
_DIALECTS = {"smtp": "smtp", "imap": "imap", "pop3": "pop3"}
"""`protocol` of a mail server whose `starttls` is on."""
_MOST_DEPTH = 20
_MOST_FILES = 500


def read(look: Look) -> Reading:
    """Return the certificates of every server. Raises Unreadable."""
    words = _words(look.arguments)
    options = [word for name, value in words.items() if name in _PASSED_ON for word in (name, value)]
    configuration = Path(words.get("-c") or look.usual or "/etc/nginx/nginx.conf")
    if not configuration.is_absolute():
        raise Unreadable(
            f"It was started with the configuration {shown(str(configuration))}, which is not a full path."
        )
    # A test creates log files and an empty PID file where nginx does not run (1.22, ngx_init_cycle), and nothing may be changed.
    if look.program is None or look.is_others(configuration):
        base = configuration.parent
        return _reading(_read_files(look, configuration, base, [_MOST_FILES]), base)
    program = look.tool("nginx")
    said = look.run([program, *options, "-T"], configuration)
    pieces = _FILE.split(said)[1:]
    files = dict(zip(pieces[::2], pieces[1::2], strict=True))
    if not files:
        raise Unreadable("`nginx -T` printed no configuration.")
    first = next(iter(files))
    base = Path(first).parent
    found = _reading(_whole(first, files, base, 0), base)
    if program == "nginx" and (not options or configuration == look.usual):
        return found
    return replace(found, test=(program, *options, "-t"), reload=(program, *options, "-s", "reload"))


def _read_files(look: Look, path: Path, base: Path, left: list[int], depth: int = 0) -> Statement:
    """Return the statements of a file with those of what it includes, read here. `left`: how many may still be read."""
    left[0] -= 1
    if left[0] < 0 or depth > _MOST_DEPTH:
        raise Unreadable("Its configuration includes too many files.")

    def included(statements: tuple[Statement, ...]) -> Iterator[Statement]:
        for each in statements:
            if each.name != "include" or not each.words:
                yield Statement(name=each.name, words=each.words, inner=tuple(included(each.inner)))
                continue
            for file in fitting(str(base / each.words[0])):
                yield from _read_files(look, file, base, left, depth + 1).inner

    return Statement(name="", inner=tuple(included(parse(look.text(path)).inner)))


def _words(arguments: tuple[str, ...]) -> Mapping[str, str]:
    """Return the options of a running nginx, which writes its command line over as one text: `nginx: master process nginx -c F`."""
    words = " ".join(arguments).removeprefix("nginx: master process ").split()
    return {word: words[at + 1] for at, word in enumerate(words[:-1]) if word in _PASSED_ON}


def _whole(name: str, files: Mapping[str, str], base: Path, depth: int) -> Statement:
    """Return the statements of a file with those of what it includes."""
    return Statement(name="", inner=tuple(_included(parse(files[name]).inner, files, base, depth)))


def _included(
    statements: tuple[Statement, ...], files: Mapping[str, str], base: Path, depth: int
) -> Iterator[Statement]:
    for each in statements:
        if each.name == "include" and each.words and depth < _MOST_DEPTH:
            pattern = str(base / each.words[0])
            for name in files:
                if name == pattern or fnmatchcase(name, pattern):
                    yield from _whole(name, files, base, depth + 1).inner
        else:
            yield Statement(
                name=each.name, words=each.words, inner=tuple(_included(each.inner, files, base, depth + 1))
            )


def _reading(main: Statement, base: Path) -> Reading:
    pairs: dict[tuple[str, str], Pair] = {}
    problems: list[str] = []
    for part in main.all("http", "stream", "mail"):
        for server in part.all("server"):
            for pair in _pairs(part, server, base, problems):
                known = pairs.get((pair.certificate, pair.key))
                pairs[pair.certificate, pair.key] = pair if known is None else _both(known, pair)
    return Reading(pairs=tuple(pairs.values()), problems=tuple(dict.fromkeys(problems)))


def _pairs(part: Statement, server: Statement, base: Path, problems: list[str]) -> Iterator[Pair]:
    """Yield the certificates of one server: an RSA one may be beside an ECDSA one."""
    listens = tuple(_listens(part, server))
    if not listens:
        return
    scope = server if any(server.all("ssl_certificate")) else part
    certificates = [each.words[0] for each in scope.all("ssl_certificate") if each.words]
    keys = [each.words[0] for each in scope.all("ssl_certificate_key") if each.words]
    names = tuple(
        name
        for each in server.all("server_name")
        for name in each.words
        if name and name[0] not in "~_" and "$" not in name
    )
    for certificate, key in zip(certificates, keys, strict=False):
        if "$" in certificate + key or certificate.startswith("data:") or key.startswith(("engine:", "store:")):
            problems.append(
                f"nginx finds a certificate when it is asked: {shown(certificate)}. It cannot be taken over."
            )
            continue
        try:
            yield Pair(
                certificate=absolute(certificate, base),
                key=absolute(key, base),
                names=tuple(name.removeprefix(".").lower() for name in names),
                listens=listens,
            )
        except Unreadable as exc:
            problems.append(str(exc))


def _listens(part: Statement, server: Statement) -> Iterator[tuple[int, str]]:
    """Yield the ports on which a server speaks TLS."""
    dialect = _DIALECTS.get(server.last("protocol") or "", "") if part.name == "mail" else ""
    starttls = (server.last("starttls") or part.last("starttls") or "off") in ("on", "only")
    always = (server.last("ssl") or part.last("ssl") or "off") == "on"  # gone since nginx 1.25.1
    for each in server.all("listen"):
        if not each.words or each.words[0].startswith("unix:") or "udp" in each.words[1:]:
            continue
        port = each.words[0].rpartition(":")[2]
        number = int(port) if port.isdigit() else 80
        if "ssl" in each.words[1:] or always:
            yield number, ""
        elif part.name == "mail" and starttls and dialect:
            yield number, dialect


def _both(one: Pair, other: Pair) -> Pair:
    return Pair(
        certificate=one.certificate,
        key=one.key,
        names=tuple(dict.fromkeys((*one.names, *other.names))),
        listens=tuple(dict.fromkeys((*one.listens, *other.listens))),
    )
