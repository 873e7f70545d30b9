"""One probe of everything that a target's probes name: each address of each host, in parallel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from msgspec import Struct

from core.concurrently import map_concurrently
from core.config.model import TargetConfig
from core.ports import Prober, Served
from core.probe_address import parse
from core.targets.fingerprint import sha256_of_der

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = {"smtp": 4}
"""Parallel connections, by dialect. Postfix (3.7) serves each by a separate process, and an idle one keeps using the
certificate that it started with: sequential connections would all reach the same process."""
RESOLVE_SECONDS = 3.0
LABEL_BELOW_WILDCARD = "certdeck"


class Listener(Struct, frozen=True):
    """One address of one probe."""

    probe: str
    """As configured."""
    address: str
    """One address of it: `127.0.0.1:443`, `smtp://[::1]:25`."""


class Sight(Struct, frozen=True, kw_only=True):
    """What one listener presented."""

    listener: Listener
    served: tuple[str, ...] = ()
    """SHA-256 of every certificate that was seen; more than one if they are served alternately."""
    why: str = ""
    """Why nothing was seen; empty otherwise."""
    closed: bool = False
    """The port accepts no connections."""

    def shows(self, sha256: str | None) -> bool:
        """Return whether only this certificate was seen."""
        return self.served == (sha256,)

    def other_than(self, sha256: str | None) -> str | None:
        """Return a different certificate that was seen, or None."""
        return next((each for each in self.served if each != sha256), None)


def listeners_of(prober: Prober, target: TargetConfig) -> tuple[Listener, ...]:
    """Return every listener of a target's probes, each once. Resolves names, which blocks for at most RESOLVE_SECONDS."""

    def of_probe(probe: str) -> list[Listener]:
        return [Listener(probe, address) for address in prober.listeners(probe, timeout=RESOLVE_SECONDS)]

    found = [each for several in map_concurrently(of_probe, target.probe) for each in several]
    return tuple(
        {each.address: each for each in reversed(found)}[one] for one in dict.fromkeys(e.address for e in found)
    )


def see_all(prober: Prober, target: TargetConfig, names: Sequence[str], *, timeout: float) -> tuple[Sight, ...]:
    """Probe each listener of a target once. Blocks up to `timeout` seconds, and RESOLVE_SECONDS for host names."""
    listeners = listeners_of(prober, target)
    return tuple(map_concurrently(lambda each: see(prober, target, each, names, timeout=timeout), listeners))


def see(prober: Prober, target: TargetConfig, listener: Listener, names: Sequence[str], *, timeout: float) -> Sight:
    """Probe one listener, over several parallel connections if one is not enough. Blocks up to `timeout` seconds."""
    place = parse(listener.address)
    name = server_name(target.probe_name, names, listener.probe)
    connections = range(AT_ONCE.get(place.dialect, 1) if place else 1)

    def ask(_number: int) -> Served:
        if target.probe_key is None:
            return prober.served(listener.address, server_name=name, timeout=timeout)
        return prober.served(listener.address, server_name=name, timeout=timeout, key=target.probe_key)

    answers = map_concurrently(ask, connections)
    seen = [sha256_of_der(each.certificate) for each in answers if each.certificate is not None]
    if seen:
        return Sight(listener=listener, served=tuple(dict.fromkeys(seen)))
    why = answers[0].failure or f"{listener.address} presents no certificate."
    return Sight(listener=listener, why=why, closed=answers[0].closed)


def server_name(configured: str | None, names: Sequence[str], probe: str) -> str | None:
    """Return the name to send (RFC 6066 §3): one that the certificate covers, or None if it covers only addresses.

    The configured name comes first, then the probe's own host if it is one of the names, then the first full name. A wildcard
    covers labels below it and not the bare name (RFC 9525 §6.3), so a name with such a label is sent.
    """
    place = parse(probe)
    host = place.host.lower().rstrip(".") if place else ""
    if configured:
        return _below(configured)
    known = [each for each in names if not _is_address(each)]
    if host in known or any(_covers(each, host) for each in known):
        return host
    full = [each for each in known if not each.startswith("*.")]
    chosen = next(iter(full or known), None)
    return None if chosen is None else _below(chosen)


def _below(name: str) -> str:
    return f"{LABEL_BELOW_WILDCARD}{name[1:]}" if name.startswith("*.") else name


def _covers(wildcard: str, host: str) -> bool:
    return wildcard.startswith("*.") and "." in host and host.partition(".")[2] == wildcard[2:]


def _is_address(name: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
