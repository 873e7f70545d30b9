"""Every DNS provider, ready for the same cases: what it talks to, how it signs in, and a wire on which things go wrong.

A double or a server supplies its wire format alone: `values_at`, `snapshot`, `put`, and which of its requests write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from core.dns.catalogue import kind_named
from core.dns.provider import Access, DnsProvider, TxtRecord
from core.dns.providers.acme_dns import register
from core.ports import CancelToken, Clock, Response, Transport, TransportFailure
from core.system.dns_exchange import TcpDnsExchange
from core.system.processes import SystemRunner
from core.system.transport import HttpsTransport
from tests.support import powerdns as powerdns_server
from tests.support.bind import BindServer
from tests.support.clock import FakeClock
from tests.support.dns_access import access
from tests.support.knot import KnotServer
from tests.support.powerdns import PowerDnsServer
from tests.support.transport import Asked
from tests.support.vendors import acme_dns, aliyun, cloudflare, desec, dynu, godaddy, namecheap, route53
from tests.support.vendors.zone import CHALLENGE, ZONE
from tests.support.zones import KEY

ONE = TxtRecord(name=CHALLENGE, value="one-" + "A" * 39)
TWO = TxtRecord(name=CHALLENGE, value="two-" + "B" * 39)
BELOW = TxtRecord(name=f"_acme-challenge.a.b.{ZONE}", value="three-" + "C" * 37)
TOP = TxtRecord(name=ZONE, value="google-site-verification=x&y<z>")
LONG = TxtRecord(name=f"_validation-persist.{ZONE}", value="letsencrypt.org; accounturi=https://" + "x" * 300)
WRONG = "another-secret-that-nobody-knows-of"

Fault = Response | TransportFailure


class Far(Protocol):
    """What a provider keeps its records in: a double, or a server."""

    def values_at(self, name: str) -> set[str]: ...
    def snapshot(self) -> object: ...


class Wire:
    """The transport between a provider and its far end: counts writes, loses replies, and answers instead."""

    def __init__(self, far: Transport, is_write: Callable[[Asked], bool]) -> None:
        self._far = far
        self._is_write = is_write
        self.writes = 0
        self.requests = 0
        self.faults: list[Fault] = []
        """Given instead of answers, to the next requests."""
        self.write_faults: list[Fault] = []
        """Given instead of answers, to the next writes."""
        self.lost = 0
        """Replies to the next writes that do not arrive."""

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None, **more: Any
    ) -> Response:
        asked = Asked(method, url, {name.lower(): value for name, value in headers.items()}, body)
        is_write = self._is_write(asked)
        self.requests += 1
        fault = self.faults.pop(0) if self.faults else None
        if is_write and fault is None and self.write_faults:
            fault = self.write_faults.pop(0)
        if isinstance(fault, TransportFailure):
            raise fault
        if fault is not None:
            return fault
        self.writes += is_write
        said = self._far.request(method, url, headers=headers, body=body, **more)
        if is_write and self.lost:
            self.lost -= 1
            raise TransportFailure("timeout", "It did not answer within 20 s.")
        return said

    def close(self) -> None:
        self._far.close()


class Case(Struct, frozen=True, kw_only=True):
    """One provider and its far end."""

    kind: str
    far: Far
    settings: Mapping[str, str]
    secrets: Mapping[str, str]
    wire: Wire | None = None
    """None: it does not speak HTTP."""
    zone: str = ZONE
    record: TxtRecord = BELOW

    def access(
        self,
        *,
        secrets: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        cancel: CancelToken | None = None,
        **settings: str,
    ) -> Access:
        """Return the access of an entry; what is given wins over what is right."""
        made = access(
            self.kind,
            self.wire,
            settings={**self.settings, **settings},
            secrets=self.secrets if secrets is None else secrets,
            clock=clock,
            cancel=cancel,
            runner=SystemRunner({"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}),
        )
        return replace(made, env=replace(made.env, dns_exchange=TcpDnsExchange()))

    def connect(self, **given: Any) -> DnsProvider:
        return kind_named(self.kind).connect(self.access(**given))

    def at(self, place: str, **given: Any) -> DnsProvider:
        """Return the provider over real connections to another server; `place`: `HOST:PORT`."""
        host, _, port = place.rpartition(":")
        settings = {
            "rfc2136": {"server": host, "port": port},
            "lexicon:powerdns": {"pdns_server": f"http://{place}"},
            "hook": {},
        }.get(self.kind, {"endpoint": f"http://{place}"})
        made = self.access(**given, **settings)
        env = replace(made.env, transport=lambda bundle: HttpsTransport(bundle, {}))
        return kind_named(self.kind).connect(replace(made, env=env))


class Account(Protocol):
    """What the module of a vendor's double has."""

    SETTINGS: Mapping[str, str]
    SECRETS: Mapping[str, str]


class VendorCase(Struct, frozen=True, kw_only=True):
    """A vendor with a double in memory."""

    make: Callable[[], Any]
    """Makes the double."""
    module: ModuleType
    is_write: Callable[[Asked], bool] = lambda asked: asked.method != "GET"

    @property
    def account(self) -> Account:
        return self.module


VENDORS: Mapping[str, VendorCase] = {
    "aliyun": VendorCase(
        make=aliyun.AliyunVendor,
        module=aliyun,
        is_write=lambda asked: asked.headers["x-acs-action"] in ("AddDomainRecord", "DeleteDomainRecord"),
    ),
    "cloudflare": VendorCase(make=cloudflare.CloudflareVendor, module=cloudflare),
    "desec": VendorCase(make=desec.DesecVendor, module=desec),
    "dynu": VendorCase(make=dynu.DynuVendor, module=dynu),
    "godaddy": VendorCase(make=godaddy.GoDaddyVendor, module=godaddy),
    "namecheap": VendorCase(
        make=namecheap.NamecheapVendor,
        module=namecheap,
        is_write=lambda asked: b"setHosts" in (asked.body or b""),
    ),
    "route53": VendorCase(make=route53.Route53Vendor, module=route53),
}
"""The providers whose doubles hold a whole zone."""


def vendor_case(kind: str) -> Case:
    vendor = VENDORS[kind]
    far = vendor.make()
    return Case(
        kind=kind,
        far=far,
        settings=vendor.account.SETTINGS,
        secrets=vendor.account.SECRETS,
        wire=Wire(far, vendor.is_write),
    )


class AcmeDnsAccount(acme_dns.AcmeDnsVendor):
    """An acme-dns whose only zone is what its accounts hold."""

    def snapshot(self) -> object:
        return {name: list(values) for name, values in self.values.items()}

    def values_at(self, name: str) -> set[str]:
        return {*self.values[name.partition(".")[0]]} - {""}


def _acme_dns_case(_: Path) -> Case:
    far = AcmeDnsAccount()
    endpoint = {"endpoint": "https://auth.example.org"}
    settings, secrets = register(access("acme-dns", far, settings=endpoint))
    return Case(
        kind="acme-dns",
        far=far,
        settings={**endpoint, **settings},
        secrets=secrets,
        wire=Wire(far, lambda asked: asked.url.endswith("/update")),
        zone="",
        record=TxtRecord(name=settings["fulldomain"], value="v" * 43),
    )


class _Nothing(Struct, frozen=True):
    """What a provider without a zone of its own changes."""

    def values_at(self, name: str) -> set[str]:
        return set()

    def snapshot(self) -> object:
        return None


def _hook_case(folder: Path) -> Case:
    """Return the case of a program that never ends."""
    script = folder / "hook"
    script.write_text("#!/bin/sh\nexec sleep 60\n")
    script.chmod(0o755)
    return Case(kind="hook", far=_Nothing(), settings={"command": str(script)}, secrets={}, zone="")


ACCOUNTS: Mapping[str, Callable[[Path], Case]] = {"acme-dns": _acme_dns_case, "hook": _hook_case}
"""The providers without zones. Each gets a folder of its own."""


class _Zones(Struct, frozen=True):
    """A name server, looked at as a double is."""

    server: BindServer | KnotServer | PowerDnsServer

    def values_at(self, name: str) -> set[str]:
        return {*self.server.query(name)}

    def snapshot(self) -> object:
        if isinstance(self.server, PowerDnsServer):
            return self.server.snapshot()
        return self.server.records(ZONE)


def server_case(kind: str, server: Any) -> Case:
    """Return the case of a provider whose far end is a running server: `powerdns`, `lexicon:powerdns`, `rfc2136`."""
    if kind == "rfc2136":
        settings = {
            "server": "127.0.0.1",
            "port": str(server.port),
            "tsig_name": KEY.name,
            "tsig_algorithm": KEY.algorithm,
        }
        return Case(kind=kind, far=_Zones(server), settings=settings, secrets={"tsig_secret": KEY.secret})
    if kind == "powerdns":
        return Case(
            kind=kind,
            far=_Zones(server),
            settings={"endpoint": server.endpoint},
            secrets={"api_key": powerdns_server.API_KEY},
            wire=Wire(HttpsTransport(None, {}), lambda asked: asked.method != "GET"),
        )
    return Case(
        kind=kind,
        far=_Zones(server),
        settings={"pdns_server": server.endpoint},
        secrets={"auth_token": powerdns_server.API_KEY},
    )


SERVERS: Mapping[str, tuple[str, Callable[[Path], Any]]] = {
    "bind": ("rfc2136", BindServer),
    "knot": ("rfc2136", KnotServer),
    "powerdns": ("powerdns", PowerDnsServer),
    "lexicon": ("lexicon:powerdns", PowerDnsServer),
}
"""The providers that talk to real servers: the kind, and the server."""


def naps(clock: FakeClock) -> float:
    """Return how long was waited, in seconds."""
    return sum(clock.naps)
