"""Sends commands to a service's control socket, for example to make haproxy, memcached or the Knot Resolver reload their files."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from core.ports import Completed
from core.probe_address import parse

if TYPE_CHECKING:
    import socket

LONGEST_ANSWER = 64 * 1024
QUIET_SECONDS = 0.3
"""Some services close the connection after their response, others wait for the next command: then silence ends the response."""


class SocketTalker:
    """The port `Talker`, over a Unix socket or TLS."""

    def say(self, address: str, message: bytes, *, timeout: float) -> Completed:
        deadline = time.monotonic() + timeout
        try:
            answer = _exchange(address, message, deadline)
        except TimeoutError:
            return Completed(returncode=1, output=f"{address} did not respond within {timeout:g} s.", timed_out=True)
        except (OSError, ValueError) as exc:
            said = getattr(exc, "strerror", None) or str(exc)
            return Completed(returncode=1, output=f"{address}: {said}.")
        if not answer:
            return Completed(returncode=1, output=f"{address} closed the connection without a response.")
        return Completed(returncode=0, output=answer.decode("utf-8", "replace"))


def _exchange(address: str, message: bytes, deadline: float) -> bytes:
    """Return the response. Raises OSError, TimeoutError, ValueError."""
    import socket

    place = None if address.startswith("/") else parse(address)
    if place is not None:
        from core.system.prober import trusting_nothing

        plain = socket.create_connection((place.host, place.port), timeout=_left(deadline))
        with plain, trusting_nothing().wrap_socket(plain) as tls:
            return _said(tls, message, deadline)
    if not address.startswith("/"):
        raise ValueError("this is not a socket")
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(_left(deadline))
        channel.connect(address)
        return _said(channel, message, deadline)


def _said(channel: socket.socket, message: bytes, deadline: float) -> bytes:
    channel.settimeout(_left(deadline))
    channel.sendall(message)
    answer = b""
    while len(answer) < LONGEST_ANSWER:
        channel.settimeout(min(_left(deadline), QUIET_SECONDS) if answer.strip() else _left(deadline))
        try:
            chunk = channel.recv(4096)
        except TimeoutError:
            if answer.strip():
                break
            raise
        if not chunk:
            break
        answer += chunk
    return answer


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
