"""Looks at what a TLS service presents, trusting nothing of it.

The handshake is done to its end, in a fresh context that has no session to resume: a service that sends the new certificate and
signs with another key is found out, and a resumed session would show what was served before.
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
    """Return the leaf that is presented, as DER. Raises OSError, TimeoutError, ssl.SSLError, Refused, ValueError."""
    import socket
    import ssl

    context = trusting_nothing()
    if key is not None:
        # In TLS 1.2 the cipher says which kind of key signs (RFC 5246 §7.4.3); in 1.3 the server chooses.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_WITH_KEY[key])
    indicated = indication(server_name)
    with socket.create_connection((place.host, place.port), timeout=left(deadline)) as plain:
        if place.dialect:
            from core.system.starttls import DIALECTS, Conversation

            talk = Conversation(plain, deadline, indicated or place.host)
            DIALECTS[place.dialect](talk)
            talk.check_nothing_more()
        plain.settimeout(left(deadline))  # the ssl module takes it for the whole handshake
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
    """Return a name's IPv4 and IPv6 addresses; link-local ones with their interface. Raises OSError."""
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
    # What is served now may be older and weaker than what we put there: look at it all the same.
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
    """Return the server name to indicate: a host name only, RFC 6066 knows no addresses."""
    if not server_name:
        return None
    name = server_name.rstrip(".")
    return None if not name or _is_address(name) else name
