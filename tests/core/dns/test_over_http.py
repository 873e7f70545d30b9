"""The HTTP providers over real connections: what the transport makes of their requests is what the vendors expect."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from core.dns.provider import TxtRecord
from core.dns.providers import cloudflare, desec, dynu, godaddy
from core.system.transport import HttpsTransport
from tests.support.dns_access import access
from tests.support.vendor import served
from tests.support.vendors.cloudflare import TOKEN as CLOUDFLARE_TOKEN
from tests.support.vendors.cloudflare import CloudflareVendor
from tests.support.vendors.desec import TOKEN as DESEC_TOKEN
from tests.support.vendors.desec import DesecVendor
from tests.support.vendors.dynu import CLIENT_ID, DynuVendor
from tests.support.vendors.dynu import SECRET as DYNU_SECRET
from tests.support.vendors.godaddy import KEY as GODADDY_KEY
from tests.support.vendors.godaddy import SECRET as GODADDY_SECRET
from tests.support.vendors.godaddy import GoDaddyVendor
from tests.support.vendors.zone import CHALLENGE, OTHERS_VALUE, ZONE


@pytest.mark.parametrize(
    ("vendor", "kind", "below", "settings", "secrets"),
    [
        (CloudflareVendor(), cloudflare.KIND, "/client/v4", {}, {"api_token": CLOUDFLARE_TOKEN}),
        (DesecVendor(), desec.KIND, "/api/v1", {}, {"api_token": DESEC_TOKEN}),
        (DynuVendor(), dynu.KIND, "/v2", {"client_id": CLIENT_ID}, {"client_secret": DYNU_SECRET}),
        (GoDaddyVendor(), godaddy.KIND, "", {}, {"api_key": GODADDY_KEY, "api_secret": GODADDY_SECRET}),
    ],
    ids=["cloudflare", "desec", "dynu", "godaddy"],
)
def test_over_real_connections(
    vendor: Any, kind: Any, below: str, settings: dict[str, str], secrets: dict[str, str]
) -> None:
    """Zones, values at the top, at a wildcard's and at a deep name: added and removed, and all else is as before (ST-18)."""
    before = vendor.snapshot()
    names = (CHALLENGE, ZONE, f"_acme-challenge.a.b.{ZONE}", f"*.{ZONE}")
    records = [TxtRecord(name=name, value=f"value-at-{number}") for number, name in enumerate(names)]
    with served(vendor) as place:
        entry = access(kind, settings={**settings, "endpoint": f"{place}{below}"}, secrets=secrets)
        env = replace(entry.env, transport=lambda bundle: HttpsTransport(bundle, {}))
        provider = kind.connect(replace(entry, env=env))
        try:
            assert ZONE in provider.zones()
            provider.change(ZONE, add=records[:2])
            provider.change(ZONE, add=records)
            assert vendor.values_at(CHALLENGE) == {OTHERS_VALUE, records[0].value}
            assert all(record.value in vendor.values_at(record.name) for record in records)
            provider.change(ZONE, remove=records)
        finally:
            provider.close()
    assert vendor.snapshot() == before
