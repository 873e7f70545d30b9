"""The HTTP client, with httpx, for CAs, DNS providers and notifications.

Requests go directly to a transport of httpx: the features of its client (cookies, redirects, authentication) are not wanted, and
take a tenth of a renewal's processor time. It uses HTTP/1.1 with persistent connections. It follows no redirects and retries
nothing: only the protocol above knows what may be repeated. One deadline covers the whole response, head and body
(`core.system.streams`). It does not read the environment: the proxy variables are passed in.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from urllib.parse import unquote, urlsplit

from core.ports import CancelToken, ClientIdentity, Response, TransportFailure
from core.system.light_httpx import httpcore, httpx
from core.system.streams import DeadlineExceeded, NameNotResolved, Network, limited
from core.system.trusted_roots import client_context, show_identity
from core.web_address import split_address

BODY_LIMIT_BYTES = 4 * 1024 * 1024
LINE_LIMIT_BYTES = 64 * 1024 * 1024
OPENING_SECONDS = 10.0
"""Limit until the head of a stream has arrived."""
POOL_SIZE = 16
"""Idle connections that are kept, the last used one on top. More may be open for a moment."""


class HttpsTransport:
    """The ports `Transport` and `StreamTransport`. `variables`: environment variables with HTTPS_PROXY and NO_PROXY."""

    def __init__(
        self, ca_bundle: str | None, variables: Mapping[str, str], identity: ClientIdentity | None = None
    ) -> None:
        """Raises ConfigError for an unusable CA bundle or client certificate."""
        self._context = client_context(ca_bundle)
        if identity is not None:
            show_identity(self._context, identity)
        self._variables = variables
        self._lock = threading.Lock()
        self._pooled: dict[tuple[str | None, bool], _Pooled] = {}
        """Pools by proxy and by whether they are for `lines`."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeout: float = 30.0,
        cancel: CancelToken | None = None,
    ) -> Response:
        parts = split_address(url)
        if parts is None or parts.scheme not in ("http", "https"):
            raise TransportFailure("unreachable", "The address is not a valid URL.")
        place = parts.netloc.rpartition("@")[2]
        proxy = self._proxy(url)
        through = "" if proxy is None else " through the proxy"
        with _in_words(place, through):
            request = _request(method, url, headers, body)
            with limited(timeout, cancel), closing(self._transport(proxy).handle_request(request)) as reply:
                return _read(reply)

    def lines(
        self, url: str, *, headers: Mapping[str, str], body: bytes, idle: float, cancel: CancelToken | None = None
    ) -> Iterator[bytes]:
        """Implement the port `StreamTransport`."""
        place = urlsplit(url).netloc.rpartition("@")[2]
        with _in_words(place, ""):
            request = _request("POST", url, headers, body)
            with limited(min(OPENING_SECONDS, idle), cancel):
                reply = self._transport(self._proxy(url), for_lines=True).handle_request(request)
            with closing(reply):
                if reply.status_code != 200:
                    raise TransportFailure("unreachable", f"{place} returned HTTP {reply.status_code}.")
                yield from _lines(reply, idle, cancel)

    def close(self) -> None:
        with self._lock:
            for pooled in self._pooled.values():
                pooled.close()
            self._pooled.clear()

    def close_idle(self) -> None:
        """Implement the port `StreamTransport`. Do not call this while another thread has a request in progress."""
        with self._lock:
            for key in [key for key in self._pooled if not key[1]]:
                self._pooled.pop(key).close()

    def _transport(self, proxy: str | None, *, for_lines: bool = False) -> _Pooled:
        key = (proxy, for_lines)
        with self._lock:
            if key not in self._pooled:
                self._pooled[key] = _Pooled(_pool(self._context, proxy))
            return self._pooled[key]

    def _proxy(self, url: str) -> str | None:
        parts = urlsplit(url)
        names = (f"{parts.scheme}_proxy", f"{parts.scheme}_proxy".upper(), "all_proxy", "ALL_PROXY")
        proxy = next((self._variables[name] for name in names if self._variables.get(name)), None)
        if proxy is None:
            return None
        from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed does not have it

        spared = self._variables.get("no_proxy") or self._variables.get("NO_PROXY") or ""
        if proxy_bypass_environment(parts.netloc, {"no": spared}):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"


class _Pooled(httpx.BaseTransport):
    """Like httpx's HTTPTransport, but over connections with our sockets, which that class does not accept.

    Each request has a connection of its own. httpcore's own pool checks every connection twice per request, which took a tenth of a
    renewal's processor time with eight at once.
    """

    def __init__(self, maker: httpcore.ConnectionPool) -> None:
        """`maker`: creates the connections, through a proxy if one is configured."""
        self._maker = maker
        self._lock = threading.Lock()
        self._idle: list[httpcore.ConnectionInterface] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
        )
        connection = self._connection_to(asked.url.origin)
        answer = connection.handle_request(asked)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer, self, connection))

    def keep(self, connection: httpcore.ConnectionInterface) -> None:
        """Keep a connection for the next request if it can be reused; else close it."""
        with self._lock:
            if connection.is_available() and not _has_surplus(connection) and len(self._idle) < POOL_SIZE:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def _connection_to(self, origin: httpcore.Origin) -> httpcore.ConnectionInterface:
        """Return the most recently used idle connection to the origin, or a new one."""
        while True:
            with self._lock:
                found = next((each for each in reversed(self._idle) if each.can_handle_request(origin)), None)
                if found is None:
                    return self._maker.create_connection(origin)
                self._idle.remove(found)
            if not found.has_expired():
                return found
            found.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response, pooled: _Pooled, connection: httpcore.ConnectionInterface) -> None:
        self._answer = answer
        self._pooled = pooled
        self._connection = connection

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer.stream)  # type: ignore[arg-type]  # httpcore types it for async answers, too

    def close(self) -> None:
        self._answer.close()
        self._pooled.keep(self._connection)


def _has_surplus(connection: httpcore.ConnectionInterface) -> bool:
    """Tell whether more has arrived than the response: it would be taken for the response to the next request."""
    # httpcore does not show what h11 has left over. Where its attributes have other names, nothing is known to be left.
    http11 = getattr(connection, "_connection", None)
    h11_state = getattr(http11, "_h11_state", None)
    return h11_state is not None and bool(h11_state.trailing_data[0])


def _pool(context: ssl.SSLContext, proxy: str | None) -> httpcore.ConnectionPool:
    network = Network()
    if proxy is None:
        return httpcore.ConnectionPool(
            context,
            network_backend=network,
        )
    parts = urlsplit(proxy)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the proxy's URL does not begin with http:// or https://")
    credentials = None
    if parts.username is not None:
        credentials = (unquote(parts.username).encode(), unquote(parts.password or "").encode())
    return httpcore.HTTPProxy(
        parts._replace(netloc=parts.netloc.rpartition("@")[2], path="", query="", fragment="").geturl(),
        proxy_auth=credentials,
        ssl_context=context,
        proxy_ssl_context=context if parts.scheme == "https" else None,
        network_backend=network,
    )


def _request(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> httpx.Request:
    """Return the request to send, with the credentials in its URL as an Authorization header."""
    request = httpx.Request(method, url, headers={**headers, "Accept-Encoding": "identity"}, content=body)
    if request.url.userinfo:
        request = next(httpx.BasicAuth(request.url.username, request.url.password).auth_flow(request))
    return request


def _read(reply: httpx.Response) -> Response:
    """Read the body up to the limit. A connection whose body was not read completely is closed, not reused."""
    body = bytearray()
    assert isinstance(reply.stream, _Body)
    for chunk in reply.stream:
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            break
    return Response(
        status=reply.status_code,
        headers={name.lower(): value for name, value in reply.headers.items()},
        body=bytes(body[:BODY_LIMIT_BYTES]),
        truncated=len(body) > BODY_LIMIT_BYTES,
    )


@contextmanager
def _in_words(place: str, through: str) -> Iterator[None]:
    """Turn any failure of a request into a TransportFailure with a readable text."""
    try:
        yield
    except DeadlineExceeded as exc:
        raise TransportFailure("timeout", f"{place} did not respond within {exc.seconds:g} s{through}.") from exc
    except ssl.SSLError as exc:
        raise _tls_failure(exc, place) from exc
    except NameNotResolved as exc:
        raise TransportFailure("unreachable", f"The name {place} does not resolve{through}.") from exc
    except OSError as exc:
        raise TransportFailure("unreachable", f"{place} cannot be reached{through}: {_words(exc)}.") from exc
    except httpcore.ProxyError as exc:
        raise TransportFailure("unreachable", f"The proxy refused the connection to {place}: {exc}.") from exc
    except (httpcore.ProtocolError, httpcore.NetworkError, httpx.HTTPError) as exc:
        raise TransportFailure("unreachable", f"The connection to {place} broke{through}: {_words(exc)}.") from exc
    except (httpx.InvalidURL, ValueError, UnicodeError) as exc:
        raise TransportFailure("unreachable", f"{place} cannot be reached: {_words(exc)}.") from exc


def _lines(reply: httpx.Response, idle: float, cancel: CancelToken | None) -> Iterator[bytes]:
    """Yield the lines of a response, each as soon as it is complete. `idle`: seconds for each piece, not for the whole."""
    chunks = reply.iter_raw()
    held = bytearray()
    while len(held) <= LINE_LIMIT_BYTES:
        with limited(idle, cancel):
            chunk = next(chunks, None)
        if chunk is None:
            return
        held += chunk
        *whole, rest = held.split(b"\n")
        held = rest
        yield from (bytes(line) for line in whole if line.strip())


def _tls_failure(exc: ssl.SSLError, place: str) -> TransportFailure:
    if isinstance(exc, ssl.SSLCertVerificationError):
        return TransportFailure(
            "untrusted", f"The certificate of {place} does not verify: {exc.verify_message.rstrip('.')}."
        )
    reason = str(exc.reason or "the connection was closed").lower().replace("_", " ")
    return TransportFailure("unreachable", f"{place} does not speak TLS as expected: {reason}.")


def _words(exc: BaseException) -> str:
    """Return the system's text for a failure, without object names and addresses."""
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror.lower()
    if isinstance(exc, (httpcore.RemoteProtocolError, httpcore.LocalProtocolError)):
        return (
            "the response was not valid HTTP" if "disconnected" not in str(exc) else "it was closed without a response"
        )
    return str(exc).lower() if isinstance(exc, ValueError) else "the response was not valid HTTP"
