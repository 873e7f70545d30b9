"""Looks at what a TLS service presents, trusting nothing of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from core.ports import Served

if TYPE_CHECKING:
    import ssl


def split_address(address: str) -> tuple[str, int] | None:
    """Return host and port of `HOST:PORT` or `[V6]:PORT`; None when it is neither."""
    host, colon, port = address.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        return None
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        return None
    return host, int(port)


class TlsProber:
    """The port `Prober`."""

    def served(self, address: str, *, server_name: str | None, timeout: float) -> Served:
        import socket
        import ssl

        place = split_address(address)
        if place is None:
            return Served(failure=f"{address} is no HOST:PORT.")
        deadline = time.monotonic() + timeout
        try:
            context = _trusting_nothing()
            with socket.create_connection(place, timeout=timeout) as plain:
                plain.settimeout(max(0.05, deadline - time.monotonic()))
                with context.wrap_socket(plain, server_hostname=_indication(server_name)) as tls:
                    certificate = tls.getpeercert(binary_form=True)
        except TimeoutError:
            return Served(failure=f"{address} did not answer within {timeout:g} s.")
        except ConnectionRefusedError:
            return Served(failure=f"Nothing listens at {address}.")
        except socket.gaierror:
            return Served(failure=f"{place[0]} does not resolve.")
        except ssl.SSLError as exc:
            reason = (exc.reason or "no reason given").lower().replace("_", " ")
            return Served(failure=f"{address} does not speak TLS as expected: {reason}.")
        except (OSError, ValueError) as exc:
            return Served(failure=f"{address} cannot be looked at: {getattr(exc, 'strerror', None) or exc}.")
        if certificate is None:
            return Served(failure=f"{address} presents no certificate.")
        return Served(certificate=certificate)


def _trusting_nothing() -> ssl.SSLContext:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # What is served now may be older and weaker than what we put there: look at it all the same.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def _indication(server_name: str | None) -> str | None:
    """Return the server name to indicate: a host name only, RFC 6066 knows no addresses and no wildcards."""
    import ipaddress

    if not server_name:
        return None
    name = server_name.removeprefix("*.").rstrip(".")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name or None
    return None
