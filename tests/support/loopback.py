"""Nothing leaves this machine: connections other than to loopback, and look-ups of real names, fail in a test."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex
_sendto = socket.socket.sendto
_getaddrinfo = socket.getaddrinfo


class NotLoopback(RuntimeError):
    """A test tried to talk to another machine."""


def _is_loopback(host: str) -> bool:
    if host in {"", "localhost"}:
        return True
    try:
        address = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _check(sock: socket.socket, address: Any) -> None:
    if sock.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(str(address[0])):
        raise NotLoopback(f"this test talks to {address}: only loopback is allowed")


def _resolve(host: Any, *arguments: Any, **options: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    try:
        is_literal = name is None or bool(ipaddress.ip_address(name.split("%")[0]))
    except ValueError:
        is_literal = False
    if is_literal or name in {"", "localhost", socket.gethostname()}:
        return _getaddrinfo(host, *arguments, **options)
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process's sockets reach loopback alone; a real name does not resolve. Children are not held back."""

    def connect(self: socket.socket, address: Any) -> None:
        _check(self, address)
        _connect(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        _check(self, address)
        return _connect_ex(self, address)

    def sendto(self: socket.socket, data: Any, *rest: Any) -> int:
        _check(self, rest[-1])
        return _sendto(self, data, *rest)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect_ex)
    monkeypatch.setattr(socket.socket, "sendto", sendto)
    monkeypatch.setattr(socket, "getaddrinfo", _resolve)
