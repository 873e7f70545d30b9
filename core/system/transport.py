"""HTTPS with kept-alive connections, over urllib3.

It trusts the system's roots (certifi's where the system has none) and adds a CA bundle to them instead of replacing them.
It follows no redirect and repeats nothing: what may be repeated is for the protocol above to know. A reply has one
deadline for all of it, head and body, so a server that sends a byte now and then cannot hold us.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3 import connection, connectionpool
from urllib3 import exceptions as http

from core.errors import ConfigError
from core.ports import Response, TransportFailure
from core.regular import read_regular
from core.web_address import split_address

BODY_LIMIT_BYTES = 4 * 1024 * 1024
CONNECT_SECONDS = 10.0
LONGEST_BUNDLE = 10_000_000
"""Bytes. The roots of the whole web are a quarter of a megabyte."""
POOL_SIZE = 16
"""Connections kept for each server; more may be open for a moment."""

_HASHED = re.compile(r"[0-9a-f]{8}\.\d")
"""How `c_rehash` names a root: by the hash of its subject (openssl-rehash(1))."""


class HttpsTransport:
    """The port `Transport`. `variables`: where HTTPS_PROXY and NO_PROXY are looked up."""

    def __init__(self, ca_bundle: str | None, variables: Mapping[str, str]) -> None:
        self._context = _context(ca_bundle)
        self._variables = variables
        self._lock = threading.Lock()
        self._pools: dict[str | None, urllib3.PoolManager] = {}

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None, timeout: float = 30.0
    ) -> Response:
        parts = split_address(url)
        if parts is None:
            raise TransportFailure("unreachable", "The address is not a valid web address.")
        place = parts.netloc.rpartition("@")[2]
        deadline = time.monotonic() + timeout
        try:
            reply = self._pool(url).request(
                method,
                url,
                body=body,
                headers={**headers, "Accept-Encoding": "identity"},
                timeout=urllib3.Timeout(total=timeout, connect=min(CONNECT_SECONDS, timeout), read=timeout),
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
            return _read(reply, deadline)
        except http.HTTPError as exc:
            raise _failure(exc, place, timeout) from exc
        except (OSError, ValueError) as exc:
            raise TransportFailure("unreachable", f"{place} could not be asked: {_words(exc)}.") from exc

    def close(self) -> None:
        with self._lock:
            for pool in self._pools.values():
                pool.clear()
            self._pools.clear()

    def _pool(self, url: str) -> urllib3.PoolManager:
        proxy = self._proxy(url)
        with self._lock:
            if proxy not in self._pools:
                self._pools[proxy] = self._made(proxy)
            return self._pools[proxy]

    def _made(self, proxy: str | None) -> urllib3.PoolManager:
        if proxy is None:
            return _limited(urllib3.PoolManager(maxsize=POOL_SIZE, ssl_context=self._context))
        parts = urlsplit(proxy)
        credentials = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            credentials = urllib3.make_headers(proxy_basic_auth=pair)
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        return _limited(
            urllib3.ProxyManager(
                bare,
                proxy_headers=credentials,
                maxsize=POOL_SIZE,
                ssl_context=self._context,
                proxy_ssl_context=self._context,
            )
        )

    def _proxy(self, url: str) -> str | None:
        parts = urlsplit(url)
        names = (f"{parts.scheme}_proxy", f"{parts.scheme}_proxy".upper(), "all_proxy", "ALL_PROXY")
        proxy = next((self._variables[name] for name in names if self._variables.get(name)), None)
        if proxy is None:
            return None
        from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

        spared = self._variables.get("no_proxy") or self._variables.get("NO_PROXY") or ""
        if proxy_bypass_environment(parts.netloc, {"no": spared}):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"


@contextmanager
def _within(seconds: float, shut: Callable[[], object]) -> Iterator[None]:
    """Call `shut` after `seconds`, from another thread, which ends whatever reads from the socket.

    Raises HTTPError `deadline` then, whatever the reading made of it: headers that were cut off look whole to http.client.
    """
    is_over = threading.Event()

    def end() -> None:
        is_over.set()
        with suppress(OSError, ValueError, RuntimeError):  # it was closed in this very moment
            shut()

    timer = threading.Timer(max(seconds, 0.0), end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as exc:
        if is_over.is_set():
            raise http.HTTPError("deadline") from exc
        raise
    finally:
        timer.cancel()
    if is_over.is_set():
        raise http.HTTPError("deadline")


class _Connection(connection.HTTPConnection):
    """Reads the head of a reply within the time that is left; urllib3 itself limits each piece of it alone."""

    read_from: object = None
    """The socket of the last reply: `sock` forgets it at once where the server closes after the reply."""

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        self.read_from = self.sock
        with _within(self.timeout or CONNECT_SECONDS, lambda: _shut(self.read_from)):
            return super().getresponse()


class _TlsConnection(_Connection, connection.HTTPSConnection):
    pass


class _Pool(connectionpool.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(connectionpool.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _limited(manager: urllib3.PoolManager) -> urllib3.PoolManager:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
    return manager


def _shut(sock: object) -> None:
    plain = getattr(sock, "socket", sock)  # TLS within TLS, through a proxy: urllib3 wraps the socket
    if isinstance(plain, socket.socket):
        # Not SSLSocket.shutdown: that takes the TLS state away from under the thread that reads.
        socket.socket.shutdown(plain, socket.SHUT_RDWR)


def _context(ca_bundle: str | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    hashed = _hashed_roots()
    if hashed:
        # Looked up there by name when a server is verified: reading the whole bundle takes 20 ms, and one root is needed.
        context.load_verify_locations(capath=hashed)
    else:
        context.load_default_certs()
    if not hashed and not _has_system_roots():
        try:
            import certifi

            context.load_verify_locations(cafile=certifi.where())
        except (ImportError, OSError) as exc:
            if ca_bundle is None:
                raise ConfigError(
                    "This machine has no trusted certificate authorities.",
                    "The system's CA certificates are not installed, so no server can be verified.",
                    "Install the package ca-certificates, or set ca_bundle for the issuer.",
                ) from exc
    if ca_bundle is not None:
        _add(context, ca_bundle)
    return context


def _hashed_roots() -> str | None:
    """Return the folder in which OpenSSL finds roots by the hash of their name, where the system keeps one."""
    paths = ssl.get_default_verify_paths()
    if "SSL_CERT_FILE" in os.environ or not paths.capath:
        return None
    try:
        is_hashed = any(_HASHED.fullmatch(name) for name in os.listdir(paths.capath))
    except OSError:
        return None
    return paths.capath if is_hashed else None


def _has_system_roots() -> bool:
    paths = ssl.get_default_verify_paths()  # honours SSL_CERT_FILE and SSL_CERT_DIR; None for what is not there
    if paths.cafile:
        return True
    if not paths.capath:
        return False
    try:
        return any(Path(paths.capath).iterdir())
    except OSError:
        return False


def _add(context: ssl.SSLContext, ca_bundle: str) -> None:
    what = f"The CA bundle {ca_bundle} cannot be used."
    fix = "Set ca_bundle to a readable PEM file with the certificates of the CA to trust."
    try:
        content = read_regular(Path(ca_bundle), LONGEST_BUNDLE)
    except OSError as exc:
        why = f"The file cannot be read: {exc.strerror}."
        raise ConfigError(what, why, fix, details={"ca_bundle": ca_bundle}) from exc
    try:
        context.load_verify_locations(cadata=content.decode("ascii", "ignore"))
    except (ssl.SSLError, ValueError) as exc:
        why = "It holds no certificate in PEM form that can be read."
        raise ConfigError(what, why, fix, details={"ca_bundle": ca_bundle}) from exc


def _read(reply: urllib3.BaseHTTPResponse, deadline: float) -> Response:
    """Read the body up to the limit and the deadline, and give the connection back, or close it."""
    body = bytearray()
    is_whole = False
    chunk = b"-"
    sock = getattr(reply.connection, "read_from", None)
    try:
        with _within(deadline - time.monotonic(), lambda: _shut(sock)):
            while chunk and len(body) <= BODY_LIMIT_BYTES:
                chunk = reply.read1(65536)
                body += chunk
        is_whole = not chunk
    finally:
        if is_whole:
            reply.release_conn()
        else:
            reply.close()
    return Response(
        status=reply.status,
        headers={name.lower(): value for name, value in reply.headers.itermerged()},
        body=bytes(body[:BODY_LIMIT_BYTES]),
        truncated=not is_whole,
    )


def _failure(exc: http.HTTPError, place: str, timeout: float) -> TransportFailure:
    """Return the failure in words. A proxy's address is left out: it may hold a password."""
    cause = exc.original_error if isinstance(exc, http.ProxyError) else exc
    through = " through the proxy" if isinstance(exc, http.ProxyError) else ""
    if isinstance(cause, http.SSLError):
        return _tls_failure(cause, place)
    if isinstance(cause, http.NameResolutionError):
        return TransportFailure("unreachable", f"The name of {place} does not resolve{through}.")
    if isinstance(cause, http.NewConnectionError):  # to urllib3 that is a kind of timeout, whatever the reason
        return TransportFailure("unreachable", f"{place} cannot be reached{through}: {_words(cause)}.")
    if isinstance(cause, (http.TimeoutError, TimeoutError)) or str(cause) == "deadline":
        limit = min(CONNECT_SECONDS, timeout) if isinstance(cause, http.ConnectTimeoutError) else timeout
        return TransportFailure("timeout", f"{place} did not answer within {limit:g} s{through}.")
    return TransportFailure("unreachable", f"The connection to {place} broke{through}: {_words(cause)}.")


def _tls_failure(exc: http.SSLError, place: str) -> TransportFailure:
    inner = exc.args[0] if exc.args else exc
    if isinstance(inner, ssl.SSLCertVerificationError):
        return TransportFailure(
            "untrusted", f"The certificate of {place} does not verify: {inner.verify_message.rstrip('.')}."
        )
    reason = getattr(inner, "reason", None)
    if isinstance(reason, str):
        return TransportFailure(
            "unreachable", f"{place} does not speak TLS as expected: {reason.lower().replace('_', ' ')}."
        )
    return TransportFailure("untrusted", f"The certificate of {place} does not verify: {inner}.")


def _words(exc: BaseException) -> str:
    """Return the system's own words from the depth of an exception, without objects and addresses in them."""
    at: BaseException | None = exc
    words = ""
    for _ in range(8):
        if at is None:
            break
        if isinstance(at, OSError) and at.strerror:
            words = at.strerror
        inner = [arg for arg in at.args if isinstance(arg, BaseException)]
        at = inner[0] if inner else at.__cause__ or at.__context__
    return words.lower() if words else "what came was no proper answer"
