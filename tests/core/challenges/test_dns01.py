"""Records of an order through a provider, in zones that are slow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.ports import Response
from tests.support.appliance import Appliance
from tests.support.dns_box import HOST, dns_box, issue, values_at
from tests.support.transport import reply
from tests.support.vendors.cloudflare import CloudflareVendor

NAME = "example.com"
BUSY = {"success": False, "errors": [{"code": 9999, "message": "it is there already"}], "result": None}


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    return Appliance(tmp_path / "box")


class RefusesForAWhile:
    """A vendor that refuses everything in the second minute of an order."""

    def __init__(self, box: Appliance, vendor: CloudflareVendor) -> None:
        self._box = box
        self._vendor = vendor
        self._began_at = box.clock.monotonic()
        self.refused = 0

    def seconds(self) -> float:
        return self._box.clock.monotonic() - self._began_at

    def request(self, *args: Any, **given: Any) -> Response:
        if 60 < self.seconds() < 120:
            self.refused += 1
            return reply(400, BUSY)
        return self._vendor.request(*args, **given)

    def close(self) -> None:
        """Be a `Transport`."""


def test_a_zone_that_is_slow_is_waited_for_although_nothing_can_be_written_again(appliance: Appliance) -> None:
    """Writing once more is for values that somebody has swallowed; a provider that refuses it, a program for which they are
    there already, does not end the wait for a record that is only slow."""
    vendor = dns_box(appliance, NAME)
    before = vendor.snapshot()
    moody = RefusesForAWhile(appliance, vendor)
    appliance.vendors[HOST] = moody
    appliance.dns.sources[:] = [lambda name: values_at(vendor, name) if moody.seconds() > 150 else []]
    assert issue(appliance, NAME).status.method == "dns-01"
    assert moody.refused
    assert vendor.snapshot() == before
