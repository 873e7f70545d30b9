"""Probes which certificate a TLS service presents, without trusting it.

The handshake is completed, in a new context without a session to resume. So a service that sends the new certificate but signs with
another key is detected, and no resumed session shows the previous certificate.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from core.ports import Served
from core.probe_address import ProbeAddress, parse

if TYPE_CHECKING:
    import ssl

FAREWELL_SECONDS = 1.0
_WITH_KEY = {"rsa": "aRSA:@SECLEVEL=0", "ec": "aECDSA:@SECLEVEL=0"}
_NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class TlsProber:
    """The port `Prober`: TLS handshakes, also after STARTTLS."""

    def listeners(self, probe: str, *, timeout: float) -> Sequence[str]:
        from core.system.machine import within

        place = parse(probe)
        if place is None or _is_address(place.host):
            return (probe,)
        nothing: tuple[str, ...] = ()
        found = within(timeout, lambda: _addresses(place.host), nothing)
        return tuple(str(place._replace(host=address)) for address in found) or (probe,)

    def served(self, listener: str, *, server_name: str | None, timeout: float, key: str | None = None) -> Served:
        import socket
        import ssl

        from core.system.starttls import Refused

        place = parse(listener)
        if place is None:
            return Served(failure=f"{listener} is not HOST:PORT.")
        if not _is_address(place.host):
            return Served(failure=f"{place.host} does not resolve.")
        try:
            certificate = _handshake(place, server_name, time.monotonic() + timeout, key)
        except TimeoutError:
            return Served(failure=f"{listener} did not respond within {timeout:g} s.")
        except ConnectionRefusedError:
            return Served(failure=f"Nothing listens at {listener}.", closed=True)
        except Refused as exc:
            said = str(exc)
            return Served(failure=f"{listener} {said if said.endswith('.') else f'{said}.'}")
        except ssl.SSLError as exc:
            reason = (exc.reason or "no reason given").lower().replace("_", " ")
            return Served(failure=f"{listener} does not speak TLS as expected: {reason}.")
        except (OSError, ValueError) as exc:
            said = getattr(exc, "strerror", None) or str(exc)
            no_way = isinstance(exc, socket.gaierror) or getattr(exc, "errno", None) in _NO_WAY
            return Served(failure=f"{listener} cannot be checked: {said}.", closed=no_way)
        if certificate is None:
            return Served(failure=f"{listener} presents no certificate.")
        return Served(certificate=certificate)


def _handshake(place: ProbeAddress, server_name: str | None, deadline: float, key: str | None) -> bytes | None:
    """Return the presented leaf certificate (DER). Raises OSError, TimeoutError, ssl.SSLError, Refused, ValueError."""
    import socket
    import ssl

    context = trusting_nothing()
    if key is not None:
        # In TLS 1.2, the cipher suite determines the kind of key that signs (RFC 5246 §7.4.3). In 1.3, the server chooses.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_WITH_KEY[key])
    indicated = indication(server_name)
    with socket.create_connection((place.host, place.port), timeout=left(deadline)) as plain:
        if place.dialect:
            from core.system.starttls import DIALECTS, Conversation

            talk = Conversation(plain, deadline, indicated or place.host)
            DIALECTS[place.dialect](talk)
            talk.check_nothing_more()
        plain.settimeout(left(deadline))  # the ssl module applies it to the whole handshake
        with context.wrap_socket(plain, server_hostname=indicated) as tls:
            certificate = tls.getpeercert(binary_form=True)
            if place.dialect:
                from core.system.starttls import FAREWELLS

                if place.dialect in FAREWELLS:
                    with suppress(OSError):
                        tls.settimeout(min(left(deadline), FAREWELL_SECONDS))
                        FAREWELLS[place.dialect](tls)
            return certificate


def left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _addresses(host: str) -> tuple[str, ...]:
    """Return a name's IPv4 and IPv6 addresses, link-local ones with their interface. Raises OSError."""
    import socket

    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    numbers = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    return tuple(dict.fromkeys(socket.getnameinfo(entry[4], numbers)[0] for entry in found))


def trusting_nothing() -> ssl.SSLContext:
    """Return a context that verifies nothing, and has no session to resume."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # The current certificate may be older and weaker than ours: accept it anyway.
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def _is_address(host: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def indication(server_name: str | None) -> str | None:
    """Return the name for SNI. None for an IP address, which RFC 6066 does not allow."""
    if not server_name:
        return None
    name = server_name.rstrip(".")
    return None if not name or _is_address(name) else name
