"""One look at a web server: the head of its answer, trusting nothing of it."""

from __future__ import annotations

from contextlib import closing

from core.ports import WebAnswer
from core.probe_address import parse

_MOST_HEADERS = 100


class SystemWebClient:
    """The port `WebClient`."""

    def look(self, listener: str, *, tls: bool, host: str, path: str, timeout: float) -> WebAnswer:
        from http.client import HTTPException

        place = parse(listener)
        if place is None or place.dialect:
            return WebAnswer(failure=f"{listener} is no HOST:PORT.")
        try:
            return _asked(place.host, place.port, tls, host, path, timeout)
        except TimeoutError:
            return WebAnswer(failure=f"{listener} did not answer within {timeout:g} s.")
        except ConnectionRefusedError:
            return WebAnswer(failure=f"Nothing listens at {listener}.")
        except HTTPException:
            return WebAnswer(failure=f"{listener} does not speak HTTP.")
        except (OSError, ValueError) as exc:
            said = getattr(exc, "strerror", None) or getattr(exc, "reason", None) or str(exc)
            return WebAnswer(failure=f"{listener} cannot be looked at: {said}.")


def _asked(address: str, port: int, tls: bool, host: str, path: str, timeout: float) -> WebAnswer:
    import socket
    import time
    from http.client import HTTPConnection

    from core.system.prober import indication, left, trusting_nothing

    deadline = time.monotonic() + timeout
    with closing(HTTPConnection(address, port)) as connection:
        plain = socket.create_connection((address, port), timeout=left(deadline))
        connection.sock = plain
        if tls:
            plain.settimeout(left(deadline))
            connection.sock = trusting_nothing().wrap_socket(plain, server_hostname=indication(host))
        connection.sock.settimeout(left(deadline))
        connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", f"[{host}]" if ":" in host else host)
        connection.putheader("Connection", "close")
        connection.endheaders()
        answer = connection.getresponse()
        return WebAnswer(status=answer.status, headers=tuple(answer.getheaders()[:_MOST_HEADERS]))
