"""The HTTP providers over real connections: what the transport makes of their requests is what the vendors expect."""

from __future__ import annotations

import pytest

from core.dns.provider import TxtRecord
from tests.support.dns_battery import VENDORS, vendor_case
from tests.support.vendor import Vendor, served
from tests.support.vendors.zone import CHALLENGE, OTHERS_VALUE, ZONE


@pytest.mark.parametrize("kind", VENDORS)
def test_over_real_connections(kind: str) -> None:
    """Zones, values at the top, at a wildcard's and at a deep name: added and removed, and all else is as before (ST-18)."""
    case = vendor_case(kind)
    before = case.far.snapshot()
    names = (CHALLENGE, ZONE, f"_acme-challenge.a.b.{ZONE}", f"*.{ZONE}")
    records = [TxtRecord(name=name, value=f"value at {number}; +&=*~") for number, name in enumerate(names)]
    assert isinstance(case.far, Vendor)
    with served(case.far) as place:
        provider = case.at(place.removeprefix("http://"))
        try:
            assert ZONE in provider.zones()
            provider.change(ZONE, add=records[:2])
            provider.change(ZONE, add=records)
            assert case.far.values_at(CHALLENGE) == {OTHERS_VALUE, records[0].value}
            assert all(record.value in case.far.values_at(record.name) for record in records)
            provider.change(ZONE, remove=records)
        finally:
            provider.close()
    assert case.far.snapshot() == before
