"""Requests a web page from a given address, as a CA does to validate http-01: the port `WebReader`.

Like a CA, it accepts any certificate (RFC 8555 §8.3 starts with HTTP, so verifying would gain nothing), uses no proxy of this box,
and connects to the given address, not to that in a hosts file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from core.ports import CancelToken, Response, TransportFailure
from core.version import VERSION

if TYPE_CHECKING:
    import httpcore

BODY_LIMIT_BYTES = 64 * 1024


class SystemWebReader:
    """The port `WebReader`. `ports`: ports to connect to, by the URL's port, for tests that may not use low ports."""

    def __init__(self, ports: Mapping[int, int] | None = None) -> None:
        self._ports = dict(ports or {})

    def get(self, url: str, *, address: str, timeout: float = 10.0, cancel: CancelToken | None = None) -> Response:
        import ssl

        from core.system.light_httpcore import httpcore
        from core.system.streams import DeadlineExceeded, limited
        from core.web_address import split_address

        parts = split_address(url)
        if parts is None or parts.scheme not in ("http", "https"):
            raise TransportFailure("unreachable", "The address is not a valid URL.")
        place = f"[{address}]" if ":" in address else address
        headers: list[tuple[bytes | str, bytes | str]] = [
            ("Host", parts.netloc.rpartition("@")[2]),
            ("User-Agent", f"certdeck/{VERSION}"),
            ("Accept", "*/*"),
            ("Connection", "close"),
        ]
        try:
            with (
                limited(timeout, cancel),
                self._pool(address) as pool,
                pool.stream("GET", url, headers=headers) as reply,
            ):
                return _read(reply)
        except DeadlineExceeded as exc:
            raise TransportFailure("timeout", f"{place} did not respond within {exc.seconds:g} s.") from exc
        except ssl.SSLError as exc:
            reason = str(exc.reason or "the connection was closed").lower().replace("_", " ")
            raise TransportFailure("unreachable", f"{place} does not speak TLS as expected: {reason}.") from exc
        except OSError as exc:
            reason = exc.strerror or "the connection broke"
            raise TransportFailure("unreachable", f"{place} cannot be reached: {reason}.") from exc
        except (httpcore.ProtocolError, httpcore.NetworkError, ValueError) as exc:
            raise TransportFailure("unreachable", f"{place} returned no valid HTTP response.") from exc

    def _pool(self, address: str) -> httpcore.ConnectionPool:
        import ssl

        from core.system.light_httpcore import httpcore
        from core.system.streams import Network

        ports = self._ports

        class ToAddress(Network):
            """Connects to one address, whatever the host in the URL."""

            def connect_tcp(
                self,
                host: str,
                port: int,
                timeout: float | None = None,
                local_address: str | None = None,
                socket_options: Iterable[Any] | None = None,
            ) -> httpcore.NetworkStream:
                return super().connect_tcp(address, ports.get(port, port))

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return httpcore.ConnectionPool(context, network_backend=ToAddress())


def _read(reply: httpcore.Response) -> Response:
    body = bytearray()
    for chunk in reply.iter_stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            break
    return Response(
        status=reply.status,
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in reply.headers},
        body=bytes(body[:BODY_LIMIT_BYTES]),
        truncated=len(body) > BODY_LIMIT_BYTES,
        header_lines=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in reply.headers),
    )
