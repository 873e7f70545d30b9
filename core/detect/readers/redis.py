"""Redis and Valkey: the file of the running server. It overwrites its command line, so it is queried itself (CONFIG GET)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from core.detect.ports import addresses
from core.detect.reading import Look, Pair, Reading, Unreadable, absolute, shown

_SETTING = re.compile(r"^\s*([\w-]+)\s+[\"']?([^\s\"']+)", re.MULTILINE)
_ASKED = ("tls-cert-file", "tls-key-file", "tls-port", "dir")


def read(look: Look) -> Reading:
    """Return the certificate of the server. Raises Unreadable."""
    if look.program is None:
        return _reading(look, look.configuration())
    if look.usual is not None and _is_of(look, look.usual):
        return _reading(look, look.usual)
    return _asked(look)


def _settings(look: Look, path: Path) -> dict[str, str]:
    """Return the last setting of each name. Includes are not read: they usually contain users and passwords."""
    return dict(_SETTING.findall(look.text(path)))


def _is_of(look: Look, path: Path) -> bool:
    """Return whether a file describes the running server, judged by the ports that it listens on."""
    settings = _settings(look, path)
    wanted = {int(port) for port in (settings.get("tls-port", "0"), settings.get("port", "6379")) if port.isdigit()}
    return wanted - {0} == set(look.ports)


def _asked(look: Look) -> Reading:
    """Return the running server's own settings, read without a login. Raises Unreadable."""
    assert look.program is not None
    problem = "It listens on no port that certdeck can query."
    for host, port in addresses(look.program.sockets):
        for secured in ((), ("--tls", "--insecure")):
            ask = ["redis-cli", "-h", host, "-p", str(port), *secured, "CONFIG", "GET"]
            try:
                values = {name: _value(look.run([*ask, name]), name) for name in _ASKED}
            except Unreadable as exc:
                problem = str(exc)
                continue
            return _pairs(values)
    raise Unreadable(problem)


def _value(said: str, name: str) -> str:
    """Return the value in a reply: the first line is the name, the second the value. Raises Unreadable."""
    lines = said.splitlines()
    if lines[:1] != [name]:
        raise Unreadable(f"It did not return its configuration: {shown(said)}")
    return lines[1] if len(lines) > 1 else ""


def _reading(look: Look, path: Path) -> Reading:
    return _pairs(_settings(look, path))


def _pairs(settings: Mapping[str, str]) -> Reading:
    certificate, key = settings.get("tls-cert-file"), settings.get("tls-key-file")
    port = settings.get("tls-port", "0")
    if not certificate or not key or port == "0":
        return Reading()
    base = Path(settings.get("dir", "/"))
    return Reading(
        pairs=(
            Pair(
                certificate=absolute(certificate, base),
                key=absolute(key, base),
                listens=((int(port), ""),) if port.isdigit() else (),
            ),
        )
    )
