"""Providers that sign, or write whole domains, over real connections: what the transport makes of it is what the vendors expect."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from core.dns.provider import TxtRecord
from core.dns.providers import aliyun, namecheap, route53
from core.system.transport import HttpsTransport
from tests.support.dns_access import access
from tests.support.vendor import served
from tests.support.vendors import aliyun as aliyun_vendor
from tests.support.vendors import namecheap as namecheap_vendor
from tests.support.vendors import route53 as route53_vendor
from tests.support.vendors.zone import CHALLENGE, OTHERS_VALUE, ZONE


@pytest.mark.parametrize(
    ("vendor", "kind", "account"),
    [
        (aliyun_vendor.AliyunVendor(), aliyun.KIND, aliyun_vendor),
        (namecheap_vendor.NamecheapVendor(), namecheap.KIND, namecheap_vendor),
        (route53_vendor.Route53Vendor(), route53.KIND, route53_vendor),
    ],
    ids=["aliyun", "namecheap", "route53"],
)
def test_over_real_connections(vendor: Any, kind: Any, account: Any) -> None:
    """Zones, values at the top, at a wildcard's and at a deep name: added and removed, and all else is as before (ST-18)."""
    before = vendor.snapshot()
    names = (CHALLENGE, ZONE, f"_acme-challenge.a.b.{ZONE}", f"*.{ZONE}")
    records = [TxtRecord(name=name, value=f"value at {number}; +&=*~") for number, name in enumerate(names)]
    with served(vendor) as place:
        entry = access(kind, settings={**account.SETTINGS, "endpoint": place}, secrets=account.SECRETS)
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
