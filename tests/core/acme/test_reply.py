"""Headers of a CA's answer: when to come back, and where else to look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.acme.response import links, read
from core.http import LONGEST_WAIT, retry_after
from tests.support.transport import reply

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        pytest.param("0", timedelta(0), id="zero"),
        pytest.param("120", timedelta(minutes=2), id="seconds"),
        pytest.param("Sat, 21 Nov 2026 12:10:00 GMT", timedelta(minutes=10), id="date"),
        pytest.param("Sat, 21 Nov 2026 12:10:00", timedelta(minutes=10), id="date-without-zone"),
        pytest.param("Saturday, 21-Nov-26 12:10:00 GMT", timedelta(minutes=10), id="rfc850"),
        pytest.param("Sat, 21 Nov 2026 11:00:00 GMT", timedelta(0), id="past"),
        pytest.param("Fri, 21 Nov 2999 11:00:00 GMT", LONGEST_WAIT, id="absurd-date"),
        pytest.param("99999999999999999999", LONGEST_WAIT, id="absurd-seconds"),
    ],
)
def test_retry_after_is_read(value: str, wait: timedelta) -> None:
    """Seconds and dates become an aware moment, capped where it is absurd."""
    assert retry_after({"retry-after": value}, NOW) == NOW + wait


@pytest.mark.parametrize(
    "value", ["", "soon", "-5", "1.5", "Sat, 99 Nov 2026 99:00:00 GMT", "²", "Fri, 31 Dec 9999 23:59:59 -2359"]
)
def test_nonsense_is_no_retry_after(value: str) -> None:
    """What cannot be read is as if it were not there."""
    assert retry_after({"retry-after": value}, NOW) is None


def test_links_are_read_by_relation_and_made_absolute() -> None:
    """Several links of one relation, relative ones, and odd parameters are all found."""
    header = '<https://ca.test/dir>;rel="index", </cert/1/alt/1>; rel="alternate", <2>;title="a";rel=alternate'
    assert links("https://ca.test/cert/1", header) == {
        "index": ("https://ca.test/dir",),
        "alternate": ("https://ca.test/cert/1/alt/1", "https://ca.test/cert/2"),
    }


def test_headers_that_hold_no_address_are_as_if_they_were_not_there() -> None:
    """Half an IPv6 address in Location or Link ends in no address instead of an exception."""
    answer = reply(200, {}, location="https://[", link='<https://[>;rel="up", <https://ca.test:99999/>;rel="alternate"')
    found = read("https://ca.test/order/1", answer, NOW)
    assert found.location is None
    assert found.links == {}
