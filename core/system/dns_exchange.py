"""Exchanges messages with name servers over TCP (RFC 7766), for dynamic updates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.ports import CancelToken, TransportFailure

if TYPE_CHECKING:
    import httpcore


class TcpDnsExchange:
    """The port `DnsExchange`, over the streams that HTTP uses, with the same deadlines and cancellation."""

    def exchange(
        self, server: str, port: int, messages: Sequence[bytes], *, timeout: float, cancel: CancelToken | None = None
    ) -> tuple[bytes, ...]:
        from core.system.streams import DeadlineExceeded, NameNotResolved, Network, limited

        place = f"[{server}]:{port}" if ":" in server else f"{server}:{port}"
        connection: httpcore.NetworkStream | None = None
        answers = []
        try:
            with limited(timeout, cancel):
                connection = Network().connect_tcp(server, port)
            for message in messages:
                with limited(timeout, cancel):
                    answers.append(_answer(connection, message, place))
        except DeadlineExceeded as exc:
            raise TransportFailure("timeout", f"{place} did not respond within {timeout:g} s.") from exc
        except NameNotResolved as exc:
            raise TransportFailure("unreachable", f"The name {server} does not resolve.") from exc
        except (OSError, UnicodeError) as exc:
            reason = getattr(exc, "strerror", None) or "the connection broke"
            raise TransportFailure("unreachable", f"{place}: {reason}.") from exc
        finally:
            if connection is not None:
                connection.close()
        return tuple(answers)


def _answer(connection: httpcore.NetworkStream, message: bytes, place: str) -> bytes:
    connection.write(len(message).to_bytes(2, "big") + message)
    return _exactly(connection, int.from_bytes(_exactly(connection, 2, place), "big"), place)


def _exactly(connection: httpcore.NetworkStream, count: int, place: str) -> bytes:
    read = bytearray()
    while len(read) < count:
        chunk = connection.read(count - len(read))
        if not chunk:
            raise TransportFailure("unreachable", f"{place} closed the connection without a response.")
        read += chunk
    return bytes(read)
