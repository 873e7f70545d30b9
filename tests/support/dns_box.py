"""A box whose zone is at a vendor: what certdeck writes there is what the name servers say and the CA looks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.config.model import DnsProviderConfig
from core.dns.names import DNS_CHALLENGES
from core.operations import Issued, IssueRequest
from tests.support.appliance import Appliance
from tests.support.vendors.cloudflare import TOKEN, CloudflareVendor

HOST = "api.cloudflare.com"
SERVERS = ("192.0.2.53", "198.51.100.53")
ENTRY = "cf"


def dns_box(box: Appliance, *zones: str, vendor: CloudflareVendor | None = None) -> CloudflareVendor:
    """Give a box an entry `cf` whose vendor holds the zones, and a CA that looks for what has to stand there."""
    names = zones or ("example.com",)
    made = vendor or CloudflareVendor(*names)
    box.vendors[HOST] = made
    for name in names:
        box.dns.zone(name, *SERVERS)
    box.dns.sources.append(lambda name: values_at(made, name))
    box.ca.judge = lambda identifier, kind: _judge(box, identifier, kind)
    box.engine.add_dns_provider(
        DnsProviderConfig(name=ENTRY, kind="cloudflare", zones=names), {"api_token": TOKEN.encode()}
    )
    return made


def values_at(vendor: CloudflareVendor, name: str) -> list[str]:
    """Return the TXT values at a name, in whichever zone."""
    zones = [each["name"] for each in vendor.zones.values()]
    return sorted(value for zone in zones for value in vendor.values_at(name, zone))


def issue(box: Appliance, *domains: str, **given: Any) -> Issued:
    """Issue by the entry `cf` and expect it to succeed."""
    request = IssueRequest(domains=domains, **{"dns": ENTRY, **given})
    outcome = box.engine.issue(request, report=box.told.append)
    assert isinstance(outcome, Issued)
    return outcome


def _judge(box: Appliance, identifier: str, kind: str) -> Mapping[str, Any] | None:
    """Fail a challenge whose name has no TXT record anywhere."""
    if kind not in DNS_CHALLENGES:
        return None
    name = identifier.removeprefix("*.")
    for label in ("_acme-challenge", "_validation-persist"):
        if box.dns.ask(f"{label}.{name}", "TXT").values("TXT"):
            return None
    return {"type": "urn:ietf:params:acme:error:dns", "detail": f"no TXT record for {name}"}
