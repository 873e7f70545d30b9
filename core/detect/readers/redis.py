"""Redis and Valkey: the file of the running server. It writes its command line over, so it is asked which file that is."""

from __future__ import annotations

import re
from pathlib import Path

from core.detect.ports import addresses
from core.detect.reading import Look, Pair, Reading, Unreadable, absolute, shown

_SETTING = re.compile(r"^\s*([\w-]+)\s+[\"']?([^\s\"']+)", re.MULTILINE)
_FILE = re.compile(r"^config_file:(\S+)", re.MULTILINE)


def read(look: Look) -> Reading:
    """Return the certificate of the server. Raises Unreadable."""
    if look.program is None:
        return _reading(look, look.configuration())
    if look.usual is not None and _is_of(look, look.usual):
        return _reading(look, look.usual)
    return _reading(look, _asked(look))


def _settings(look: Look, path: Path) -> dict[str, str]:
    """Return the last setting of each name. What is included is left out: it holds users and passwords as a rule."""
    return dict(_SETTING.findall(look.text(path)))


def _is_of(look: Look, path: Path) -> bool:
    """Tell whether a file describes the running server: by the ports that it listens on."""
    settings = _settings(look, path)
    wanted = {int(port) for port in (settings.get("tls-port", "0"), settings.get("port", "6379")) if port.isdigit()}
    return wanted - {0} == set(look.ports)


def _asked(look: Look) -> Path:
    assert look.program is not None
    problem = "It listens on no port that could be asked."
    for host, port in addresses(look.program.sockets):
        for secured in ((), ("--tls", "--insecure")):
            try:
                said = look.run(["redis-cli", "-h", host, "-p", str(port), *secured, "INFO", "server"])
            except Unreadable as exc:
                problem = str(exc)
                continue
            found = _FILE.search(said)
            if found is not None and found[1].startswith("/"):
                return Path(found[1])
            problem = f"It does not say which file it was started with: {shown(said)}"
    raise Unreadable(problem)


def _reading(look: Look, path: Path) -> Reading:
    settings = _settings(look, path)
    certificate, key = settings.get("tls-cert-file"), settings.get("tls-key-file")
    port = settings.get("tls-port", "0")
    if certificate is None or key is None or port == "0":
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
