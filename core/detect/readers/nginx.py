"""nginx: `nginx -T` prints all its configuration files (1.9.2 and newer). If nginx does not run, the files are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec.structs import replace

from core.detect.reading import Look, Pair, Reading, Unreadable, absolute, fitting, shown
from core.statements import Statement, parse

_FILE = re.compile(r"^# configuration file (.+):$", re.MULTILINE)
_PASSED_ON = ("-p", "-e", "-c")
_DIALECTS = {"smtp": "smtp", "imap": "imap", "pop3": "pop3"}
"""`protocol` of a mail server with `starttls` on."""
_MOST_DEPTH = 20
_MOST_FILES = 500


def read(look: Look) -> Reading:
    """Return the certificates of every server. Raises Unreadable."""
    words = _words(look.arguments)
    options = [word for name, value in words.items() if name in _PASSED_ON for word in (name, value)]
    configuration = Path(words.get("-c") or look.usual or "/etc/nginx/nginx.conf")
    if not configuration.is_absolute():
        raise Unreadable(
            f"It was started with the configuration {shown(str(configuration))}, which is not an absolute path."
        )
    # A test creates log files and an empty PID file if nginx does not run (1.22, ngx_init_cycle), and nothing may be changed.
    if look.program is None or look.is_others(configuration):
        return _reading(_from_files(look, configuration), configuration.parent)
    program = look.tool("nginx")
    said = look.run([program, *options, "-T"], configuration)
    pieces = _FILE.split(said)[1:]
    files = dict(zip(pieces[::2], pieces[1::2], strict=True))
    if not files:
        raise Unreadable("`nginx -T` printed no configuration.")
    found = _reading(_from_tool(files), Path(next(iter(files))).parent)
    if program == "nginx" and (not options or configuration == look.usual):
        return found
    return replace(found, test=(program, *options, "-t"), reload=(program, *options, "-s", "reload"))


def _expanded(text: str, included: Callable[[str], Iterable[str]], depth: int = 0) -> list[Statement]:
    """Return the statements of a text with its includes expanded. `included`: returns the texts of the files of a pattern."""
    if depth > _MOST_DEPTH:
        raise Unreadable("Its configuration includes too many files.")

    def put_in(block: Statement) -> None:
        inner: list[Statement] = []
        for each in block.inner:
            if each.name == "include" and each.words:
                for more in included(each.words[0]):
                    inner += _expanded(more, included, depth + 1)
            else:
                put_in(each)
                inner.append(each)
        block.inner = inner

    whole = parse(text)
    put_in(whole)
    return whole.inner


def _from_files(look: Look, configuration: Path) -> Statement:
    """Return the statements of a configuration, read from its files."""
    base = configuration.parent
    left = _MOST_FILES

    def text(path: Path) -> str:
        nonlocal left
        left -= 1
        if left < 0:
            raise Unreadable("Its configuration includes too many files.")
        return look.text(path)

    whole = _expanded(text(configuration), lambda pattern: map(text, fitting(str(base / pattern))))
    return Statement(inner=whole)


def _from_tool(files: Mapping[str, str]) -> Statement:
    """Return the statements of what `nginx -T` printed. `files`: name → text, the main file first."""
    first = next(iter(files))
    base = Path(first).parent

    def included(pattern: str) -> Iterator[str]:
        whole = str(base / pattern)
        return (text for name, text in files.items() if name == whole or _fits(name, whole))

    return Statement(inner=_expanded(files[first], included))


def _fits(name: str, pattern: str) -> bool:
    """Return whether a pattern matches a path as in glob(3): a wildcard matches neither a slash nor a leading dot."""
    parts, patterns = name.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(
        fnmatchcase(part, each) and not (part.startswith(".") and not each.startswith("."))
        for part, each in zip(parts, patterns, strict=True)
    )


def _words(arguments: tuple[str, ...]) -> Mapping[str, str]:
    """Return the options of a running nginx, which sets its command line to one text: `nginx: master process nginx -c F`."""
    words = " ".join(arguments).removeprefix("nginx: master process ").split()
    return {word: words[at + 1] for at, word in enumerate(words[:-1]) if word in _PASSED_ON}


def _reading(main: Statement, base: Path) -> Reading:
    pairs: dict[tuple[str, str], Pair] = {}
    problems: list[str] = []
    for part in main.all("http", "stream", "mail"):
        for server in part.all("server"):
            for pair in _pairs(part, server, base, problems):
                known = pairs.get((pair.certificate, pair.key))
                pairs[pair.certificate, pair.key] = pair if known is None else known.joined(pair)
    return Reading(pairs=tuple(pairs.values()), problems=tuple(dict.fromkeys(problems)))


def _pairs(part: Statement, server: Statement, base: Path, problems: list[str]) -> Iterator[Pair]:
    """Yield the certificates of one server: it may have both an RSA and an ECDSA one."""
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
                f"nginx chooses the certificate at each connection: {shown(certificate)}. It cannot be taken over."
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
    """Yield the TLS ports of a server, each with its dialect (empty: TLS from the first byte)."""
    dialect = _DIALECTS.get(server.last("protocol") or "", "") if part.name == "mail" else ""
    starttls = (server.last("starttls") or part.last("starttls") or "off") in ("on", "only")
    always = (server.last("ssl") or part.last("ssl") or "off") == "on"  # removed in nginx 1.25.1
    for each in server.all("listen"):
        if not each.words or each.words[0].startswith("unix:") or "udp" in each.words[1:]:
            continue
        port = each.words[0].rpartition(":")[2]
        number = int(port) if port.isdigit() else 80
        if "ssl" in each.words[1:] or always:
            yield number, ""
        elif part.name == "mail" and starttls and dialect:
            yield number, dialect
