"""The addresses of this machine's network interfaces, without a library and without network access.

IPv4 addresses come from the kernel's interface list (SIOCGIFCONF), IPv6 addresses from /proc/net/if_inet6. Loopback, link-local and
temporary addresses (RFC 8981: they change daily, and a certificate with them would too) and the internal bridges of container
engines are left out.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

INNER = ("docker", "br-", "veth", "virbr", "cni", "flannel", "cali", "lxc", "lxd", "podman")
"""Name prefixes of interfaces that only containers and virtual machines on this box use."""
SIOCGIFCONF = 0x8912
IFA_TEMPORARY, IFA_DADFAILED, IFA_DEPRECATED, IFA_TENTATIVE = 0x01, 0x08, 0x20, 0x40


def addresses(if_inet6: Path = Path("/proc/net/if_inet6")) -> tuple[str, ...]:
    """Return the addresses that other machines can reach, IPv4 first, in a stable order."""
    try:
        six = if_inet6.read_text("ascii", "replace")
    except OSError:
        six = ""
    return tuple(reachable([*parse_ifconf(_ifconf()), *parse_if_inet6(six)]))


def reachable(found: Iterable[tuple[str, str]]) -> list[str]:
    """Return those addresses of (interface, address) pairs that other machines can reach, sorted."""
    kept = set()
    for interface, text in found:
        address = ipaddress.ip_address(text)
        if interface.startswith(INNER) or address.is_loopback or address.is_link_local or address.is_unspecified:
            continue
        if address.is_multicast:
            continue
        kept.add(address)
    return [str(address) for address in sorted(kept, key=lambda address: (address.version, int(address)))]


def parse_ifconf(raw: bytes) -> Iterator[tuple[str, str]]:
    """Parse `struct ifreq[]`: 16 bytes of name, then a union of the size of `struct ifmap`. Yields (interface, address)."""
    size = 16 + (24 if struct.calcsize("P") == 8 else 16)
    for start in range(0, len(raw) - size + 1, size):
        name = raw[start : start + 16].split(b"\0", 1)[0].decode("ascii", "replace")
        yield name, str(ipaddress.IPv4Address(raw[start + 20 : start + 24]))


def parse_if_inet6(text: str) -> Iterator[tuple[str, str]]:
    """Parse /proc/net/if_inet6: address, index, prefix length, scope, flags, interface. Yields (interface, address)."""
    for line in text.splitlines():
        fields = line.split()
        if len(fields) != 6 or len(fields[0]) != 32:
            continue
        if int(fields[4], 16) & (IFA_TEMPORARY | IFA_DADFAILED | IFA_DEPRECATED | IFA_TENTATIVE):
            continue
        yield fields[5], str(ipaddress.IPv6Address(int(fields[0], 16)))


def _ifconf() -> bytes:
    import array
    import fcntl
    import socket

    buffer = array.array("B", bytes(40 * 256))
    place, length = buffer.buffer_info()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            answer = fcntl.ioctl(asking.fileno(), SIOCGIFCONF, struct.pack("iP", length, place))
    except OSError:
        return b""
    return buffer.tobytes()[: struct.unpack("iP", answer)[0]]
