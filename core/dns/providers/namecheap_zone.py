"""A domain's hosts as Namecheap returns them, and the form fields that write the same hosts.

The API writes whole domains: whatever is missing in the write is deleted. So a response is parsed to the last attribute. If any
part is unknown, or cannot be expressed in a write, nothing is written at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from msgspec import Struct
from msgspec.structs import replace

from core.dns.changes import NameChange
from core.dns.txt import unquoted

TTL = "60"
"""The lowest value that Namecheap accepts."""
TYPES = {"A", "AAAA", "ALIAS", "CAA", "CNAME", "FRAME", "MX", "MXE", "NS", "TXT", "URL", "URL301"}
"""The types that can be written."""
EMAIL_TYPES = {"FWD", "GMAIL", "MX", "MXE", "NONE", "OX"}
_OF_THE_DOMAIN = {"Domain", "EmailType", "IsUsingOurDNS"}
_WRITTEN = {"Name", "Type", "Address", "MXPref", "TTL"}
_SHOWN_ONLY = {"HostId", "AssociatedAppTitle", "FriendlyName", "IsActive", "IsDDNSEnabled"}
"""IDs that change with each write, titles, and flags that are checked below."""


class NotClean(Exception):
    """What was read cannot be written back unchanged. The text says what, for the user. Never leaves `core.dns`."""


class OtherNameServers(Exception):
    """The domain does not use Namecheap's name servers. Never leaves `core.dns`."""


class Host(Struct, frozen=True, order=True):
    """One record, every part exactly as read."""

    name: str
    """Relative to the domain; `@` at the apex."""
    type: str
    address: str
    """Also the text of a TXT, the URL of a redirect, `0 issue "ca.example"` of a CAA."""
    preference: str
    """Of an MX; other types have one, too. May be empty."""
    ttl: str

    @property
    def is_passing(self) -> bool:
        """Whether this is a client's challenge record, which is temporary."""
        return self.type == "TXT" and "_acme-challenge" in self.name.lower().split(".")

    @property
    def identity(self) -> tuple[str, ...]:
        """What a write must not lose; a final dot and "automatic" TTLs are sometimes returned in another form."""
        preference = self.preference if self.type == "MX" else ""
        return (self.name.lower(), self.type, self.address.removesuffix("."), preference)

    def __str__(self) -> str:
        return f"{self.name} {self.type}"


class Hosts(Struct, frozen=True):
    """All hosts of a domain."""

    email_type: str
    hosts: tuple[Host, ...]

    def values(self, name: str) -> tuple[str, ...]:
        """Return the plain TXT values at a name. `name`: as in a host, lower case."""
        return tuple(unquoted(host.address) for host in self.hosts if _is_txt_at(host, name))

    def is_done(self, changes: Mapping[str, NameChange]) -> bool:
        return all(change.is_done(self.values(name)) for name, change in changes.items())

    def changed(self, changes: Mapping[str, NameChange]) -> Hosts:
        """Return a copy with values added and removed; every other host unchanged and in its place."""
        kept = [host for host in self.hosts if not _is_ours(host, changes, removed_only=True)]
        new = [
            Host(name, "TXT", value, "10", TTL)
            for name, change in changes.items()
            for value in change.missing(self.values(name))
        ]
        return replace(self, hosts=(*kept, *new))

    def dropped_in(self, later: Hosts, changes: Mapping[str, NameChange]) -> Hosts | None:
        """Return what was written but is missing later; None if nothing is.

        Our own values and the challenge records of other clients do not count.
        """
        gone = tuple(
            host for host in _missing(self.hosts, later.hosts) if not host.is_passing and not _is_ours(host, changes)
        )
        return Hosts(self.email_type, gone) if gone or later.email_type != self.email_type else None

    def with_these(self, others: Hosts) -> Hosts:
        """Return a copy with the hosts of `others` that are missing, and its mail setting."""
        return Hosts(others.email_type, (*self.hosts, *_missing(others.hosts, self.hosts)))

    def form(self) -> dict[str, str]:
        """Return the form fields that write all hosts."""
        fields = {"EmailType": self.email_type}
        for number, host in enumerate(self.hosts, 1):
            fields[f"HostName{number}"] = host.name
            fields[f"RecordType{number}"] = host.type
            fields[f"Address{number}"] = host.address
            if host.preference:
                fields[f"MXPref{number}"] = host.preference
            fields[f"TTL{number}"] = host.ttl
        return fields


def hosts_in(result: Element, domain: str) -> Hosts:
    """Return the hosts of a `DomainDNSGetHostsResult`.

    Raises:
        OtherNameServers: a change would have no effect.
        NotClean: a part is unknown or cannot be written back.
    """
    if result.get("IsUsingOurDNS", "").lower() == "false":
        raise OtherNameServers
    if result.get("IsUsingOurDNS", "").lower() != "true":
        raise NotClean("It does not say whether the domain uses Namecheap's name servers.")
    if result.get("Domain", "").lower() != domain:
        raise NotClean("It returned a different domain from the one requested.")
    _only_known(result, _OF_THE_DOMAIN, "The domain")
    email_type = result.get("EmailType", "")
    if email_type.upper() not in EMAIL_TYPES:
        raise NotClean(f"Its mail setting (EmailType) is not supported: {email_type or 'missing'}.")
    hosts = tuple(map(_host_in, result))
    mail = Counter(host.type for host in hosts)
    if email_type.upper() == "MX" and not mail["MX"]:
        raise NotClean("The domain has its own mail servers (EmailType MX), but none is returned.")
    if email_type.upper() == "MXE" and mail["MXE"] != 1:
        raise NotClean(f"The domain has one mail address (EmailType MXE), but {mail['MXE']} are returned.")
    return Hosts(email_type, hosts)


def _host_in(element: Element) -> Host:
    if element.tag.lower() != "host" or len(element) or (element.text or "").strip():
        raise NotClean(f"It returned an element that is not a host: {element.tag}.")
    name, type = element.get("Name", ""), element.get("Type", "")
    what = f"The host {name} {type}".rstrip()
    _only_known(element, _WRITTEN | _SHOWN_ONLY, what)
    if not name or not type or not element.get("Address"):
        raise NotClean(f"{what} has no name, type or address.")
    if type not in TYPES:
        raise NotClean(f"{what} has a type that cannot be written back.")
    ttl, preference = element.get("TTL", ""), element.get("MXPref", "")
    if not ttl.isdecimal() or not (preference.isdecimal() or (not preference and type != "MX")):
        raise NotClean(f"{what} has no TTL or preference.")
    if element.get("IsActive", "true").lower() != "true":
        raise NotClean(f"{what} is disabled, and a write would enable it.")
    if element.get("IsDDNSEnabled", "false").lower() != "false":
        raise NotClean(f"{what} is a Dynamic DNS record, and a write would turn it into an ordinary record.")
    return Host(name, type, element.get("Address", ""), preference, ttl)


def _only_known(element: Element, known: set[str], what: str) -> None:
    unknown = sorted(set(element.keys()) - known)
    if unknown:
        raise NotClean(f"{what} has unknown attributes: {', '.join(unknown)}.")


def _missing(wanted: Sequence[Host], there: Sequence[Host]) -> list[Host]:
    """Return the hosts that are missing, or exist fewer times than wanted."""
    left = Counter(host.identity for host in there)
    missing = []
    for host in wanted:
        left[host.identity] -= 1
        if left[host.identity] < 0:
            missing.append(host)
    return missing


def _is_txt_at(host: Host, name: str) -> bool:
    return host.type == "TXT" and host.name.lower() == name


def _is_ours(host: Host, changes: Mapping[str, NameChange], *, removed_only: bool = False) -> bool:
    for name, change in changes.items():
        if _is_txt_at(host, name):
            return unquoted(host.address) in (change.remove if removed_only else (*change.add, *change.remove))
    return False
