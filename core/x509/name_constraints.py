"""Name constraints (RFC 5280 §4.2.1.10): the names for which a CA may sign. Uses lookups instead of pairwise comparison."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from cryptography import x509

from core.x509.certificate import Certificate

_MOST_LABELS = 128
"""Limit of one name. DNS allows 127 labels (RFC 1035)."""
_Rdns = tuple[frozenset[tuple[str, str]], ...]


def violated_name(certificate: Certificate, constraints: x509.NameConstraints) -> str | None:
    """Return a name of the certificate that violates the constraints of a CA above it. None: there is none."""
    permitted, excluded = constraints.permitted_subtrees, constraints.excluded_subtrees
    inside = None if permitted is None else _Subtrees(permitted)
    outside = None if excluded is None else _Subtrees(excluded)
    for kind, name in _names(certificate):
        if outside is not None and outside.hold(kind, name):
            return _shown(name)
        if inside is not None and inside.concern(kind) and not inside.hold(kind, name):
            return _shown(name)
    return None


def _names(certificate: Certificate) -> Iterable[tuple[str, object]]:
    """Yield every name of a certificate with its kind."""
    if list(certificate.native.subject):
        yield "directory", certificate.native.subject
    if not certificate.has_san:
        # Not in RFC 5280, but OpenSSL treats a common name that looks like a host name as one.
        yield from (("dns", name) for name in certificate.dns_names if "." in name)
        return
    for general in certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value:
        if isinstance(general, x509.DNSName):
            yield "dns", general.value
        elif isinstance(general, x509.IPAddress):
            yield "ip", general.value
        elif isinstance(general, x509.RFC822Name):
            yield "email", general.value
        elif isinstance(general, x509.UniformResourceIdentifier):
            yield "uri", general.value
        elif isinstance(general, x509.DirectoryName):
            yield "directory", general.value
        else:
            yield "other", general


class _Subtrees:
    """Permitted or excluded names, by kind."""

    def __init__(self, subtrees: Iterable[x509.GeneralName]) -> None:
        self._kinds: set[str] = set()
        self._domains: set[str] = set()
        self._mail: set[str] = set()
        self._hosts: set[str] = set()
        self._networks: dict[tuple[int, int], set[int]] = {}
        self._directories: set[_Rdns] = set()
        for each in subtrees:
            self._add(each)

    def _add(self, subtree: x509.GeneralName) -> None:
        if isinstance(subtree, x509.DNSName):
            self._kinds.add("dns")
            self._domains.add(subtree.value.lower())
        elif isinstance(subtree, x509.IPAddress):
            self._kinds.add("ip")
            network = subtree.value
            if isinstance(network, ipaddress.IPv4Network | ipaddress.IPv6Network):
                prefix = (network.version, network.prefixlen)
                self._networks.setdefault(prefix, set()).add(int(network.network_address))
        elif isinstance(subtree, x509.DirectoryName):
            self._kinds.add("directory")
            self._directories.add(_rdns(subtree.value))
        elif isinstance(subtree, x509.RFC822Name):
            self._kinds.add("email")
            self._mail.add(subtree.value.lower())
        elif isinstance(subtree, x509.UniformResourceIdentifier):
            self._kinds.add("uri")
            self._hosts.add(subtree.value.lower())
        else:
            self._kinds.add("other")

    def concern(self, kind: str) -> bool:
        return kind in self._kinds

    def hold(self, kind: str, name: object) -> bool:
        """Tell whether a name is in one of the subtrees. A name that cannot be compared is not."""
        if kind == "dns":
            return _in_domains(str(name).lower().rstrip("."), self._domains)
        if kind == "ip":
            return self._in_networks(name)
        if kind == "directory" and isinstance(name, x509.Name):
            rdns = _rdns(name)
            return any(rdns[:length] in self._directories for length in range(len(rdns) + 1))
        if kind == "email":
            _, _, host = str(name).lower().rpartition("@")
            return str(name).lower() in self._mail or host in self._mail or _below(host, self._mail)
        if kind == "uri":
            host = str(name).lower().partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
            return host in self._hosts or _below(host, self._hosts)
        return False

    def _in_networks(self, address: object) -> bool:
        if not isinstance(address, ipaddress.IPv4Address | ipaddress.IPv6Address):
            return False
        bits = address.max_prefixlen
        return any(
            int(address) >> (bits - length) << (bits - length) in bases
            for (version, length), bases in self._networks.items()
            if version == address.version
        )


def _in_domains(name: str, domains: set[str]) -> bool:
    """Tell whether a name is one of the domains or below one. A domain with a leading dot contains only names below it."""
    if "" in domains or name in domains:
        return True
    dot = -1
    for _ in range(_MOST_LABELS):
        dot = name.find(".", dot + 1)
        if dot < 0:
            break
        if name[dot + 1 :] in domains or name[dot:] in domains:
            return True
    return False


def _below(host: str, domains: set[str]) -> bool:
    labels = host.split(".")
    return any("." + ".".join(labels[number:]) in domains for number in range(1, min(len(labels), _MOST_LABELS)))


def _rdns(name: x509.Name) -> _Rdns:
    """Return a name in the form for comparison, without case and extra white space (RFC 5280 §7.1)."""
    return tuple(
        frozenset((attribute.oid.dotted_string, _compared(attribute.value)) for attribute in rdn) for rdn in name.rdns
    )


def _compared(value: str | bytes) -> str:
    return " ".join(value.casefold().split()) if isinstance(value, str) else value.hex()


def _shown(name: object) -> str:
    if isinstance(name, x509.Name):
        return name.rfc4514_string()
    return str(name) if not isinstance(name, x509.GeneralName) else "a name of another type"
