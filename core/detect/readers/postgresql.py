"""PostgreSQL: its files, as its manual describes them. `postgres -C` refuses to run as root, and the server requires a login."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from core.detect.files import account
from core.detect.reading import Look, Pair, Reading, Unreadable, absolute, shown

_LINE = re.compile(r"\s*([A-Za-z_.]+)\s*=?\s*(?:'((?:[^']|'')*)'|([^\s#']+))?")
_MOST_FILES = 100
_ON = ("on", "true", "yes", "1", "t", "y")


def read(look: Look) -> Reading:
    """Return the certificate of the server. Raises Unreadable."""
    data = look.option("-D") or look.variables.get("PGDATA")
    told = _assigned(look.arguments)
    configuration = Path(told.get("config_file") or look.option("--config-file") or "")
    if not configuration.name:
        configuration = Path(data) / "postgresql.conf" if data else look.configuration()
    if not configuration.is_absolute():
        raise Unreadable(f"Its configuration {shown(str(configuration))} is not an absolute path.")
    settings = dict(_settings(look, configuration, [_MOST_FILES]))
    home = Path(settings.get("data_directory") or data or configuration.parent)
    automatic = home / "postgresql.auto.conf"
    if automatic.exists():
        settings |= _settings(look, automatic, [1])
    settings |= told
    if settings.get("ssl", "off").lower() not in _ON:
        return Reading()
    port = settings.get("port", "5432")
    return Reading(
        reload=_reload(look, settings, port),
        pairs=(
            Pair(
                certificate=absolute(settings.get("ssl_cert_file", "server.crt"), home),
                key=absolute(settings.get("ssl_key_file", "server.key"), home),
                listens=((int(port), "postgres"),) if port.isdigit() else (),
            ),
        ),
    )


def _reload(look: Look, settings: Mapping[str, str], port: str) -> tuple[str, ...]:
    """Return the command that reloads this server; empty if psql connects to it by default."""
    if look.program is None or port == "5432":
        return ()
    sockets = settings.get("unix_socket_directories", "").split(",")[0].strip()
    host = ("-h", sockets) if sockets.startswith("/") else ("-h", "127.0.0.1") if not sockets else ()
    if "unix_socket_directories" not in settings:
        host = ()
    user = account(look.program.uid)
    return (
        *("runuser", "-u", user, "--", "psql", "-XAtq", *host, "-p", port),
        *("-d", "postgres", "-c", "select pg_reload_conf()"),
    )


def _assigned(arguments: tuple[str, ...]) -> dict[str, str]:
    """Return the settings on a command line: `-c name=value`, `--name=value`, `-p PORT`."""
    found: dict[str, str] = {}
    for at, word in enumerate(arguments):
        following = arguments[at + 1] if at + 1 < len(arguments) else ""
        text = following if word == "-c" else word[2:] if word.startswith(("--", "-c")) else ""
        name, equals, value = text.partition("=")
        if equals:
            found[name.replace("-", "_")] = value
        elif word == "-p":
            found["port"] = following
        elif word == "-l":
            found["ssl"] = "on"
    return found


def _settings(look: Look, path: Path, left: list[int]) -> Iterator[tuple[str, str]]:
    """Yield the settings of a file and of its includes, in order. `left`: how many files may still be read."""
    left[0] -= 1
    if left[0] < 0:
        raise Unreadable("Its configuration includes too many files.")
    for line in look.text(path).splitlines():
        match = _LINE.match(line)
        if match is None or line.lstrip().startswith("#"):
            continue
        name = match[1].lower()
        value = match[3] or (match[2] or "").replace("''", "'")
        inner = path.parent / value
        if name == "include" or (name == "include_if_exists" and inner.exists()):
            yield from _settings(look, inner, left)
        elif name == "include_dir":
            for each in sorted(inner.glob("*.conf")):
                yield from _settings(look, each, left)
        elif name != "include_if_exists":
            yield name, value
