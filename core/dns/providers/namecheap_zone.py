"""A domain's hosts as Namecheap shows them, and the same hosts as it wants them written.

Its interface writes whole domains: whatever is not in the write is gone. So what was read is taken apart to the last attribute,
and where anything is not understood, or cannot be said in a write, nothing is written at all.
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
"""The lowest that Namecheap takes."""
TYPES = {"A", "AAAA", "ALIAS", "CAA", "CNAME", "FRAME", "MX", "MXE", "NS", "TXT", "URL", "URL301"}
"""What can be written."""
EMAIL_TYPES = {"FWD", "GMAIL", "MX", "MXE", "NONE", "OX"}
_OF_THE_DOMAIN = {"Domain", "EmailType", "IsUsingOurDNS"}
_WRITTEN = {"Name", "Type", "Address", "MXPref", "TTL"}
_SHOWN_ONLY = {"HostId", "AssociatedAppTitle", "FriendlyName", "IsActive", "IsDDNSEnabled"}
"""Numbers that are new after each write, titles, and switches that are looked at below."""


class NotClean(Exception):
    """What was read cannot be written back as it is. The text says what, for people. Leaves `core.dns` never."""


class OtherNameServers(Exception):
    """The domain does not use Namecheap's name servers. Leaves `core.dns` never."""


class Host(Struct, frozen=True, order=True):
    """One record, every part exactly as it was read."""

    name: str
    """Below the domain; `@` at its top."""
    type: str
    address: str
    """Also the text of a TXT, the URL of a redirect, `0 issue "ca.example"` of a CAA."""
    preference: str
    """Of an MX; the others carry one, too. May be empty."""
    ttl: str

    @property
    def is_passing(self) -> bool:
        """Tell whether this is some client's proof, which goes again soon."""
        return self.type == "TXT" and "_acme-challenge" in self.name.lower().split(".")

    @property
    def identity(self) -> tuple[str, ...]:
        """What a write must not lose; a final dot and "automatic" TTLs come back in other words now and then."""
        preference = self.preference if self.type == "MX" else ""
        return (self.name.lower(), self.type, self.address.removesuffix("."), preference)

    def __str__(self) -> str:
        return f"{self.name} {self.type}"


class Hosts(Struct, frozen=True):
    """All of a domain."""

    email_type: str
    hosts: tuple[Host, ...]

    def values(self, name: str) -> tuple[str, ...]:
        """Return the plain TXT values of a name. `name`: as in a host."""
        return tuple(unquoted(host.address) for host in self.hosts if _is_txt_at(host, name))

    def is_done(self, changes: Mapping[str, NameChange]) -> bool:
        return all(change.is_done(self.values(name)) for name, change in changes.items())

    def changed(self, changes: Mapping[str, NameChange]) -> Hosts:
        """Return the same with values added and removed; every other host as it is, in its place."""
        kept = [host for host in self.hosts if not _is_ours(host, changes, removed_only=True)]
        new = [
            Host(name, "TXT", value, "10", TTL)
            for name, change in changes.items()
            for value in change.missing(self.values(name))
        ]
        return replace(self, hosts=(*kept, *new))

    def dropped_in(self, later: Hosts, changes: Mapping[str, NameChange]) -> Hosts | None:
        """Return what was written and is not there, but for our values and the proofs of others; None where nothing is missing."""
        gone = tuple(
            host for host in _missing(self.hosts, later.hosts) if not host.is_passing and not _is_ours(host, changes)
        )
        return Hosts(self.email_type, gone) if gone or later.email_type != self.email_type else None

    def with_these(self, others: Hosts) -> Hosts:
        """Return the same with the hosts of `others` that are missing, and its kind of mail."""
        return Hosts(others.email_type, (*self.hosts, *_missing(others.hosts, self.hosts)))

    def form(self) -> dict[str, str]:
        """Return the fields that write all this."""
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
    """Return what a `DomainDNSGetHostsResult` shows.

    Raises:
        OtherNameServers: whatever is written here, nobody would see it.
        NotClean: it is not understood to the last attribute, or cannot be written back.
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
    """Return the hosts that are not there, or not as often as they are wanted."""
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
