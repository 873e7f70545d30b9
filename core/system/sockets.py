"""Opens the listening sockets for HTTP-01, and explains why one cannot be opened."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.errors import PortUnavailable

if TYPE_CHECKING:
    import socket

OTHER_WAYS = (
    "Or let certdeck listen on another port, and forward port 80 to it. With an existing web server, use its webroot "
    '(`mode = "webroot"` in [http01]), or let it pass /.well-known/acme-challenge/ on to certdeck.'
)
NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT)


@contextlib.contextmanager
def listening(address: str, port: int) -> Iterator[list[socket.socket]]:
    """Open the sockets for `address`. `0.0.0.0` and `::` open both families if the machine has both.

    Raises PortUnavailable (`port-unavailable`).
    """
    with contextlib.ExitStack() as stack:
        try:
            sockets = _open(address, port)
        except OSError as exc:
            raise unavailable(address, port, exc) from exc
        for opened in sockets:
            stack.callback(opened.close)
        yield sockets


def _open(address: str, port: int) -> list[socket.socket]:
    import socket

    if address not in ("0.0.0.0", "::", ""):  # noqa: S104 - it is what the configuration says
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [_bound(family, address, port)]
    try:
        four: socket.socket | None = _bound(socket.AF_INET, "0.0.0.0", port)  # noqa: S104
    except OSError as exc:
        if exc.errno not in NO_SUCH_FAMILY:
            raise
        four = None
    try:
        six: socket.socket | None = _bound(socket.AF_INET6, "::", four.getsockname()[1] if four else port)
    except OSError as exc:
        # Port 0 asks for any port: the same number may be in use on the other family, which does not matter.
        if four is None or (exc.errno not in NO_SUCH_FAMILY and port != 0):
            if four is not None:
                four.close()
            raise
        six = None
    return [opened for opened in (four, six) if opened is not None]


def _bound(family: int, address: str, port: int) -> socket.socket:
    import socket

    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind((address, port))
        opened.listen(1024)  # a CA validates many names at once
        opened.setblocking(False)
    except BaseException:
        opened.close()
        raise
    return opened


def unavailable(address: str, port: int, exc: OSError) -> PortUnavailable:
    """Return the error for a port that cannot be opened, with the program that uses it if that is visible."""
    what = f"certdeck cannot listen on {place(address, port)} for the HTTP-01 challenge."
    details: dict[str, object] = {"address": address, "port": port, "holder": None}
    if exc.errno == errno.EADDRINUSE:
        return _in_use(what, address, port, details)
    if exc.errno in (errno.EACCES, errno.EPERM):
        why = f"Ports below 1024 are reserved for root, and this user may not use port {port}."
        return PortUnavailable(
            what, why, f"Run certdeck as root or with CAP_NET_BIND_SERVICE. {OTHER_WAYS}", details=details
        )
    if exc.errno == errno.EADDRNOTAVAIL or exc.errno is None or isinstance(exc, _resolver_errors()):
        why = f"This box has no address {address}."
        return PortUnavailable(
            what,
            why,
            "Set `address` in [http01] to one of this box's addresses, or to 0.0.0.0 for all.",
            details=details,
        )
    why = f"The system says: {exc.strerror or exc}."
    return PortUnavailable(what, why, "Set another `address` or `port` in [http01].", details=details)


def _in_use(what: str, address: str, port: int, details: dict[str, object]) -> PortUnavailable:
    """Return the error for a port in use: which programs listen, on which addresses, and which address of this machine is free."""
    from core.system.interfaces import addresses
    from core.system.port_holder import free_address, holders_of, in_the_way

    every = holders_of(port)
    holders = in_the_way(every, address) or every
    if not holders:
        return PortUnavailable(
            what, "Another program uses that port.", f"Stop that program. {OTHER_WAYS}", details=details
        )
    details["holder"] = str(holders[0]) if holders[0].program else None
    details["holders"] = [{"program": h.program, "pid": h.pid, "address": h.address} for h in holders]
    by_program: dict[str, list[str]] = {}
    for holder in holders:
        by_program.setdefault(str(holder), []).append(place(holder.address, port))
    why = " ".join(f"{program} listens on {' and '.join(places)}." for program, places in by_program.items())
    names = " and ".join(dict.fromkeys(holder.program for holder in holders if holder.program))
    fix = f"Stop {names} while certificates are issued." if names else "Stop that program."
    free = free_address(every, addresses())
    if free is not None and not any(holder.is_everywhere for holder in holders):
        fix = f'Set `address = "{free}"` in [http01]: nothing listens there on port {port}. Or stop {names or "that program"}.'
    return PortUnavailable(what, why, f"{fix} {OTHER_WAYS}", details=details)


def place(address: str, port: int) -> str:
    """Return `ADDRESS:PORT`, or `[V6]:PORT`."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _resolver_errors() -> type[OSError]:
    import socket

    return socket.gaierror
