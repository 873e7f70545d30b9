"""Namecheap's XML interface as far as certdeck uses it, from its manual: list of domains, hosts shown, and all of them replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

from core.dns.txt import unquoted
from core.ports import Response
from tests.support.transport import Asked, reply
from tests.support.vendor import Vendor, form_of, path_of, query_of
from tests.support.vendors.zone import FOREIGN, ZONE, Foreign

USER = "apiexample"
KEY = "56b4c87ef4fd49cb96d915c0db68194"
ADDRESS = "203.0.113.7"
SETTINGS = {"api_user": USER, "client_ip": ADDRESS}
SECRETS = {"api_key": KEY}
WRITABLE = {"A", "AAAA", "ALIAS", "CAA", "CNAME", "FRAME", "MX", "MXE", "NS", "TXT", "URL", "URL301"}
PAGE = 3

Row = tuple[str, str, str, str, str]
"""Name, type, address, preference, TTL."""

EXTRA: tuple[Row, ...] = (
    ("@", "ALIAS", "pool.example.net.", "10", "300"),
    ("shop", "URL301", "https://shop.example.net/?a=1&b=<2>", "10", "1799"),
    ("old", "URL", "http://www.example.com/", "10", "1799"),
    ("frame", "FRAME", "http://frames.example.net/", "10", "1799"),
    ("many", "A", "192.0.2.21", "10", "60"),
    ("many", "A", "192.0.2.22", "10", "60"),
    ("many", "A", "192.0.2.22", "10", "60"),
    ("v6", "AAAA", "2001:db8::1", "10", "1800"),
    ("@", "CAA", '128 issuewild ";"', "10", "1799"),
    ("sub", "NS", "ns1.example.net.", "10", "1799"),
)


@dataclass
class Domain:
    """One domain of the account."""

    rows: list[Row] = field(default_factory=list)
    email_type: str = "NONE"
    hidden: list[Foreign] = field(default_factory=list)
    """SRV records: neither shown nor replaced."""
    is_using_our_dns: bool = True
    is_registered: bool = True
    """False: a zone below a domain, which the list of domains does not show."""


class NamecheapVendor(Vendor):
    """One account. Pages are small: three domains."""

    def __init__(self, *domains: str) -> None:
        super().__init__()
        self._ids = count(522989370)
        self.domains = {name: Domain() for name in domains or ("other.example.net", ZONE)}
        self.whitelisted = {ADDRESS}
        self.comes_from = ADDRESS
        self.host_attributes = ""
        """Written into the first host besides the usual ones."""
        self.before_write: Callable[[], None] = lambda: None
        """What somebody else does just before a write is carried out."""
        self.writes = 0
        if ZONE in self.domains:
            self.domains[ZONE].rows += EXTRA
            self.domains[ZONE].email_type = "MX"
            for record in FOREIGN:
                self.put(record)

    def put(self, record: Foreign, domain: str = ZONE) -> None:
        """Add a record as a user of the page "Advanced DNS" would."""
        if record.type == "SRV":
            self.domains[domain].hidden.append(record)
            return
        preference, _, address = record.content.partition(" ") if record.type == "MX" else ("10", "", record.content)
        ttl = str(min(record.ttl, 60000))
        self.domains[domain].rows.append((_below(record.name, domain), record.type, address, preference, ttl))

    def values_at(self, name: str, domain: str = ZONE) -> set[str]:
        rows = self.domains[domain].rows
        return {unquoted(row[2]) for row in rows if row[1] == "TXT" and row[0] == _below(name, domain)}

    def snapshot(self) -> object:
        """Return all there is, to be compared; the order of hosts says nothing."""
        return {name: (sorted(each.rows), each.email_type, each.hidden) for name, each in self.domains.items()}

    def answer(self, asked: Asked) -> Response:
        assert asked.method == "POST"
        assert path_of(asked) == "/xml.response"
        assert not query_of(asked), "the key stays out of the address"
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
        form = form_of(asked)
        assert all(form.get(each) for each in ("ApiUser", "ApiKey", "UserName", "ClientIp", "Command"))
        if (form["ApiUser"], form["UserName"], form["ApiKey"]) != (USER, USER, KEY):
            return _error(1011102, "API Key is invalid or API access has not been enabled")
        if self.comes_from not in self.whitelisted:
            return _error(1011150, f"Invalid request IP: {self.comes_from}")
        if form["ClientIp"] not in self.whitelisted:
            return _error(1011150, "Parameter RequestIP is invalid")
        match form["Command"]:
            case "namecheap.domains.getList":
                return self._list(form)
            case "namecheap.domains.dns.getHosts":
                return self._on_domain(form, self._shown)
            case "namecheap.domains.dns.setHosts":
                return self._on_domain(form, self._written)
        raise AssertionError(f"{form['Command']} is nothing that the adapter should ask")

    def _on_domain(self, form: dict[str, str], do: Callable[[str, dict[str, str]], Response]) -> Response:
        assert form["TLD"]
        assert len(form["TLD"]) <= 10
        name = f"{form['SLD']}.{form['TLD']}"
        registered = next(
            (each for each in self.domains if self.domains[each].is_registered and _is_in(name, each)), name
        )
        if name not in self.domains or form["TLD"] != registered.partition(".")[2]:
            return _error(2019166, f"The domain ({name}) doesn't seem to be associated with your account.")
        return do(name, form)

    def _list(self, form: dict[str, str]) -> Response:
        assert 10 <= int(form["PageSize"]) <= 100
        names = [name for name, each in self.domains.items() if each.is_registered]
        start = (int(form["Page"]) - 1) * PAGE
        domains = "".join(
            f'<Domain ID="{number}" Name="{name}" User="{USER}" IsExpired="false" IsLocked="false"'
            f' IsOurDNS="{str(self.domains[name].is_using_our_dns).lower()}" />'
            for number, name in enumerate(names[start : start + PAGE], 677625)
        )
        paging = (
            f"<TotalItems>{len(names)}</TotalItems><CurrentPage>{form['Page']}</CurrentPage><PageSize>{PAGE}</PageSize>"
        )
        body = f"<DomainGetListResult>{domains}</DomainGetListResult><Paging>{paging}</Paging>"
        return _ok("namecheap.domains.getList", body)

    def _shown(self, name: str, _form: dict[str, str]) -> Response:
        domain = self.domains[name]
        hosts, more = [], self.host_attributes
        for row in domain.rows:
            written = " ".join(
                f"{key}={quoteattr(value)}"
                for key, value in zip(("Name", "Type", "Address", "MXPref", "TTL"), row, strict=True)
            )
            rest = more or 'AssociatedAppTitle="" FriendlyName="" IsActive="true" IsDDNSEnabled="false"'
            hosts.append(f'<host HostId="{next(self._ids)}" {written} {rest} />')
            more = ""
        return _ok(
            "namecheap.domains.dns.getHosts",
            f'<DomainDNSGetHostsResult Domain="{name}" EmailType="{domain.email_type}"'
            f' IsUsingOurDNS="{str(domain.is_using_our_dns).lower()}">{"".join(hosts)}</DomainDNSGetHostsResult>',
        )

    def _written(self, name: str, form: dict[str, str]) -> Response:
        self.writes += 1
        domain = self.domains[name]
        if not domain.is_using_our_dns:
            return _error(2030288, "Cannot complete this command as this domain is not using proper DNS servers")
        self.before_write()
        total = sum(key.startswith("HostName") for key in form)
        rows: list[Row] = []
        for number in range(1, total + 1):
            keys = ("HostName", "RecordType", "Address", "MXPref", "TTL")
            host, type, address, preference, ttl = (form.pop(f"{key}{number}") for key in keys)
            assert type in WRITABLE
            assert host == "@" or not host.endswith(name), "names are below the domain"
            assert 60 <= int(ttl) <= 60000
            rows.append((host, type, address, preference, ttl))
        spare = set(form) - {"ApiUser", "ApiKey", "UserName", "ClientIp", "Command", "SLD", "TLD", "EmailType"}
        assert not spare, f"no such fields: {spare}"
        if len(rows) > 150:
            return _error(3013288, "Too many records")
        self.domains[name].rows = self.kept(rows)
        self.domains[name].email_type = form.get("EmailType", "NONE")  # what is not said is off
        return _ok("namecheap.domains.dns.setHosts", f'<DomainDNSSetHostsResult Domain="{name}" IsSuccess="true" />')

    def kept(self, rows: list[Row]) -> list[Row]:
        """Return what is kept of a write: all of it."""
        return rows


def request_for(command: str, **fields: str) -> Asked:
    """Return a request that is as it has to be."""
    form = {
        "ApiUser": USER,
        "UserName": USER,
        "ApiKey": KEY,
        "ClientIp": ADDRESS,
        "Command": f"namecheap.{command}",
        **fields,
    }
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return Asked("POST", "https://api.namecheap.com/xml.response", headers, urlencode(form).encode())


def _below(name: str, domain: str) -> str:
    return "@" if name == domain else name.removesuffix(f".{domain}")


def _is_in(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")


def _ok(command: str, body: str) -> Response:
    return _envelope(
        "OK",
        "<Errors /><Warnings />"
        f"<RequestedCommand>{command.lower()}</RequestedCommand>"
        f'<CommandResponse Type="{command}">{body}</CommandResponse>',
    )


def _error(number: int, message: str) -> Response:
    return _envelope(
        "ERROR",
        f'<Errors><Error Number="{number}">{escape(message)}</Error></Errors><Warnings /><RequestedCommand />',
    )


def _envelope(status: str, body: str) -> Response:
    return reply(
        200,
        '<?xml version="1.0" encoding="utf-8"?>\r\n'
        f'<ApiResponse Status="{status}" xmlns="http://api.namecheap.com/xml.response">{body}'
        "<Server>PHX01APIEXT03</Server><GMTTimeDifference>--5:00</GMTTimeDifference><ExecutionTime>0.011</ExecutionTime>"
        "</ApiResponse>",
        content_type="text/xml; charset=utf-8",
    )
