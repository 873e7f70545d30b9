"""This machine: its name, its addresses, and the user who runs certdeck."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from core.text import visible

_LONGEST_NAME = 64
T = TypeVar("T")

RESOLVE_SECONDS = 5.0
"""Limit of a name lookup: the C library would wait 5 s for each name server, twice."""
NAME_SECONDS = 2.0


class ThisHost:
    """The port `Host`: names, addresses and the user of this machine, from its files and its kernel."""

    def __init__(self, variables: Mapping[str, str], etc_hosts: Path = Path("/etc/hosts")) -> None:
        self._variables = variables
        self._etc_hosts = etc_hosts

    def name(self) -> str:
        short = os.uname().nodename.strip().rstrip(".").lower()
        if not short or short == "localhost":
            return "localhost"
        if "." in short:
            return short
        return self._from_hosts_file(short) or within(NAME_SECONDS, lambda: _canonical(short), "") or short

    def addresses(self) -> Sequence[str]:
        from core.system.interfaces import addresses

        return addresses()

    def resolve(self, name: str) -> Sequence[str]:
        return within(RESOLVE_SECONDS, lambda: _resolved(name), ())

    def listening(self, port: int) -> Sequence[str]:
        from core.system.port_holder import holders_of
        from core.system.sockets import place

        return tuple(f"{holder} listens on {place(holder.address, port)}" for holder in holders_of(port))

    def trusted_roots(self) -> str | None:
        from core.system.trusted_roots import system_roots

        return system_roots()

    def user(self) -> str:
        through = self._variables.get("SUDO_USER", "")
        if through and through != "root":
            return f"{visible(through, _LONGEST_NAME)} (via sudo)"
        # systemd sets INVOCATION_ID for a service. A shell in a desktop session may inherit it, but has a terminal type.
        if "INVOCATION_ID" in self._variables and "TERM" not in self._variables:
            return "systemd"
        import pwd

        try:
            return visible(pwd.getpwuid(os.geteuid()).pw_name, _LONGEST_NAME)
        except KeyError:
            return f"uid {os.geteuid()}"

    def _from_hosts_file(self, short: str) -> str:
        try:
            lines = self._etc_hosts.read_text("utf-8", "replace").splitlines()
        except OSError:
            return ""
        for line in lines:
            names = line.partition("#")[0].lower().split()[1:]
            full = [name for name in names if name.startswith(f"{short}.")]
            if short in names and full:
                return full[0]
        return ""


def within(seconds: float, work: Callable[[], T], otherwise: T) -> T:
    """Return the result of `work`, or `otherwise` if it raises OSError or UnicodeError, or takes longer than `seconds`.

    A slow `work` continues in a daemon thread.
    """
    result: list[T] = []

    def run() -> None:
        try:
            result.append(work())
        except (OSError, UnicodeError):
            return

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return result[0] if result else otherwise


def _canonical(short: str) -> str:
    import socket

    # As bytes: Python loads its IDNA codec for a text.
    for found in socket.getaddrinfo(short.encode(), None, flags=socket.AI_CANONNAME):
        name = found[3].rstrip(".").lower()
        if name.startswith(f"{short}.") and not name.endswith(".localdomain"):
            return name
    return ""


def _resolved(name: str) -> tuple[str, ...]:
    import socket

    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
