"""Whole messages to and from name servers over TCP (RFC 7766): what updates of zones are made of."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.ports import TransportFailure

if TYPE_CHECKING:
    import socket


class TcpDnsExchange:
    """The port `DnsExchange`."""

    def exchange(self, server: str, port: int, messages: Sequence[bytes], *, timeout: float) -> tuple[bytes, ...]:
        import socket

        place = f"[{server}]:{port}" if ":" in server else f"{server}:{port}"
        try:
            with socket.create_connection((server, port), timeout=timeout) as connection:
                return tuple(_answer(connection, message, place, timeout) for message in messages)
        except TimeoutError as exc:
            raise TransportFailure("timeout", f"{place} did not respond within {timeout:g} s.") from exc
        except socket.gaierror as exc:
            raise TransportFailure("unreachable", f"The name {server} does not resolve.") from exc
        except (OSError, UnicodeError) as exc:
            reason = getattr(exc, "strerror", None) or "the connection broke"
            raise TransportFailure("unreachable", f"{place}: {reason}.") from exc


def _answer(connection: socket.socket, message: bytes, place: str, timeout: float) -> bytes:
    deadline = time.monotonic() + timeout
    connection.settimeout(timeout)
    connection.sendall(len(message).to_bytes(2, "big") + message)
    length = int.from_bytes(_exactly(connection, 2, place, deadline), "big")
    return _exactly(connection, length, place, deadline)


def _exactly(connection: socket.socket, count: int, place: str, deadline: float) -> bytes:
    read = bytearray()
    while len(read) < count:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        chunk = connection.recv(count - len(read))
        if not chunk:
            raise TransportFailure("unreachable", f"{place} closed the connection without a response.")
        read += chunk
    return bytes(read)
