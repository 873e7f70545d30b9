"""Namecheap replaces whole domains: what was not read cleanly is not written, and what others write at the same time stays."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dns.plain_xml import NotPlainXml, plain_xml
from core.dns.provider import TxtRecord
from core.dns.providers.namecheap import KIND, Namecheap
from core.errors import DnsProviderError
from core.ports import CancelToken, Response
from tests.support.clock import FakeClock
from tests.support.dns_access import access
from tests.support.transport import Asked, reply
from tests.support.vendors.namecheap import KEY, SECRETS, SETTINGS, WRITABLE, NamecheapVendor, Row, request_for
from tests.support.vendors.zone import CHALLENGE, OTHERS_VALUE, ZONE, Foreign

ONE = TxtRecord(name=CHALLENGE, value="one-" + "A" * 39)
BELOW = TxtRecord(name=f"_acme-challenge.a.b.{ZONE}", value="three-" + "C" * 37)


def namecheap(vendor: NamecheapVendor) -> Namecheap:
    return Namecheap(access(KIND, vendor, settings=SETTINGS, secrets=SECRETS))


def failure(vendor: NamecheapVendor) -> DnsProviderError:
    """Return the error of adding a record; the domain is as it was."""
    before = vendor.snapshot()
    with pytest.raises(DnsProviderError) as caught:
        namecheap(vendor).change(ZONE, add=[ONE])
    assert KEY not in f"{caught.value} {caught.value.details}"
    assert vendor.snapshot() == before
    return caught.value


# -- what was not read cleanly is not written --------------------------------------------------------------------------


def _host(**attributes: str) -> Callable[[NamecheapVendor], None]:
    def lay_out(vendor: NamecheapVendor) -> None:
        vendor.host_attributes = " ".join(f'{key}="{value}"' for key, value in attributes.items())

    return lay_out


def _row(*row: str) -> Callable[[NamecheapVendor], None]:
    return lambda vendor: vendor.domains[ZONE].rows.insert(0, row)


def _email(email_type: str) -> Callable[[NamecheapVendor], None]:
    return lambda vendor: setattr(vendor.domains[ZONE], "email_type", email_type)


def _without_mx(vendor: NamecheapVendor) -> None:
    vendor.domains[ZONE].rows = [row for row in vendor.domains[ZONE].rows if row[1] != "MX"]


@pytest.mark.parametrize(
    ("lay_out", "said"),
    [
        (_host(IsDDNSEnabled="true"), "Dynamic DNS"),
        (_host(IsActive="false"), "is disabled"),
        (_host(Weight="5"), "unknown attributes: Weight"),
        (_row("_sip._tcp", "SRV", "10 60 5060 sip.example.com.", "10", "1799"), "_sip._tcp SRV"),
        (_row("x", "A", "", "10", "1799"), "has no name, type or address"),
        (_row("x", "A", "192.0.2.1", "10", "Automatic"), "has no TTL"),
        (_row("x", "MX", "mail.example.com.", "", "1799"), "preference"),
        (_email(""), "EmailType"),
        (_email("PIGEON"), "PIGEON"),
        (_email("MXE"), "MXE"),
        (_without_mx, "EmailType MX"),
    ],
)
def test_what_cannot_be_written_back(lay_out: Callable[[NamecheapVendor], None], said: str) -> None:
    """A domain with something that a write would lose or change is left alone, and what it is is said."""
    vendor = NamecheapVendor()
    lay_out(vendor)
    error = failure(vendor)
    assert error.details["reason"] == "not-clean"
    assert said in error.why
    assert "CNAME" in error.fix
    assert vendor.writes == 0


class Garbled(NamecheapVendor):
    """Changes what it shows of a domain on the way."""

    def __init__(self, change: Callable[[bytes], bytes]) -> None:
        super().__init__()
        self._change = change

    def answer(self, asked: Asked) -> Response:
        said = super().answer(asked)
        return reply(said.status, self._change(said.body)) if "getHosts" in str(asked.body) else said


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body[: len(body) // 2],
        lambda body: body[:-1],
        lambda body: b"",
        lambda body: b"<html><body>Log in</body></html>",
        lambda body: b'{"ok": true}',
        lambda body: body.replace(b"?>", b'?><!DOCTYPE a [<!ENTITY b "c">]>', 1),
        lambda body: body.replace(b"<Errors />", b"<!-- a -->"),
        lambda body: body.decode().encode("utf-16"),
        lambda body: b"\xff" + body,
        lambda body: body.replace(b'Status="OK"', b'Status="MAYBE"'),
        lambda body: body.replace(b'Status="OK" ', b""),
        lambda body: re.sub(rb"<DomainDNSGetHostsResult.*</DomainDNSGetHostsResult>", b"", body),
        lambda body: body.replace(b'Domain="example.com"', b'Domain="example.org"'),
        lambda body: body.replace(b'IsUsingOurDNS="true"', b""),
        lambda body: body.replace(b'IsUsingOurDNS="true"', b'IsUsingOurDNS="true" Parking="x"'),
        lambda body: body.replace(b"</DomainDNSGetHostsResult>", b"<mailbox /></DomainDNSGetHostsResult>"),
        lambda body: body.replace(b"</DomainDNSGetHostsResult>", b"<host>text</host></DomainDNSGetHostsResult>"),
        lambda body: body.replace(b"<CommandResponse", b"<CommandAnswer").replace(b"/CommandResponse", b"/CommandAnswer"),
    ],
)  # fmt: skip
def test_a_garbled_read_is_not_written(change: Callable[[bytes], bytes]) -> None:
    """A truncated, strange or dangerous answer is refused before anything is written."""
    vendor = Garbled(change)
    failure(vendor)
    assert vendor.writes == 0


def test_no_part_of_an_answer_is_taken_for_the_whole() -> None:
    """Wherever an answer is cut off, nothing of it is used."""
    vendor = NamecheapVendor()
    body = vendor.answer(request_for("domains.dns.getHosts", SLD="example", TLD="com")).body
    for end in range(len(body)):
        with pytest.raises(NotPlainXml):
            plain_xml(body[:end])


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=40)
NAMES = st.sampled_from(["@", "www", "_acme-challenge", "_acme-challenge.www", "*", "a.b", "_dmarc"])
ROWS = st.tuples(
    NAMES,
    st.sampled_from(sorted(WRITABLE - {"MX", "MXE"})),
    TEXTS,
    st.sampled_from(["10", "0"]),
    st.sampled_from(["60", "1799", "60000"]),
)


@given(rows=st.lists(ROWS, max_size=12), email_type=st.sampled_from(["NONE", "FWD", "OX", "GMAIL"]), value=TEXTS)
@settings(max_examples=100, deadline=None)
def test_every_domain_survives(rows: list[Row], email_type: str, value: str) -> None:
    """Whatever hosts a domain has, with whatever texts, a value comes and goes and they are as they were."""
    vendor = NamecheapVendor("any.example")
    vendor.domains["any.example"].rows, vendor.domains["any.example"].email_type = rows, email_type
    before = vendor.snapshot()
    record = TxtRecord(name="_acme-challenge.any.example", value=f"ours {value}")
    provider = namecheap(vendor)
    provider.change("any.example", add=[record])
    assert record.value in vendor.values_at(record.name, "any.example")
    provider.change("any.example", remove=[record])
    assert vendor.snapshot() == before


def test_a_domain_at_other_name_servers() -> None:
    """A domain that other name servers serve is named as that, before anything is written."""
    vendor = NamecheapVendor()
    vendor.domains[ZONE].is_using_our_dns = False
    error = failure(vendor)
    assert error.details["reason"] == "zone"
    assert "other name servers" in error.why
    assert vendor.writes == 0


# -- other writers -----------------------------------------------------------------------------------------------------


def test_what_another_writer_overwrites_is_written_again() -> None:
    """Another program's whole-zone write from before ours, which comes after ours, does not end with our value missing."""
    vendor = NamecheapVendor()
    stale = list(vendor.domains[ZONE].rows)

    class Clock(FakeClock):
        def sleep(self, seconds: float, cancel: CancelToken) -> None:
            super().sleep(seconds, cancel)
            if stale:
                vendor.domains[ZONE].rows = [*stale, ("theirs", "TXT", "value", "10", "60")]
                stale.clear()

    Namecheap(access(KIND, vendor, settings=SETTINGS, secrets=SECRETS, clock=Clock())).change(ZONE, add=[ONE])
    assert vendor.values_at(CHALLENGE) == {OTHERS_VALUE, ONE.value}
    assert vendor.values_at(f"theirs.{ZONE}") == {"value"}


def test_what_another_writer_removed_stays_removed() -> None:
    """A record that somebody removes right after our write is not put back."""
    vendor = NamecheapVendor()
    provider = namecheap(vendor)
    provider.change(ZONE, add=[ONE])
    vendor.domains[ZONE].rows = [row for row in vendor.domains[ZONE].rows if row[0] != "many"]
    provider.change(ZONE, remove=[ONE])
    assert not any(row[0] == "many" for row in vendor.domains[ZONE].rows)


class Dropping(NamecheapVendor):
    """Does not keep the mail servers of a write, for some writes."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def kept(self, rows: list[Row]) -> list[Row]:
        self.times -= 1
        return rows if self.times < 0 else [row for row in rows if row[1] != "MX"]


def test_what_a_write_did_not_keep_is_put_back() -> None:
    """Mail servers that our write was to keep, and that are gone right after it, are put back."""
    vendor = Dropping(1)
    vendor.domains[ZONE].email_type = "OX"
    before = vendor.snapshot()
    namecheap(vendor).change(ZONE, add=[ONE])
    assert ONE.value in vendor.values_at(CHALLENGE)
    namecheap(vendor).change(ZONE, remove=[ONE])
    assert vendor.snapshot() == before


def test_what_cannot_be_kept_is_named() -> None:
    """When they are gone again after that, it ends, and they are named with their values."""
    vendor = Dropping(99)
    vendor.domains[ZONE].email_type = "OX"
    with pytest.raises(DnsProviderError, match="did not store all records") as caught:
        namecheap(vendor).change(ZONE, add=[ONE])
    assert "@ MX" in caught.value.what
    assert "@ MX mail.example.com." in str(caught.value.details["records"])
    assert vendor.writes == 2


def test_endless_overwriting_ends() -> None:
    """A value that never stands is reported as a conflict, not as success."""
    vendor = NamecheapVendor()
    vendor.kept = lambda rows: [row for row in rows if row[2] != ONE.value]
    with pytest.raises(DnsProviderError) as caught:
        namecheap(vendor).change(ZONE, add=[ONE])
    assert caught.value.details["reason"] == "conflict"
    assert vendor.writes == 5


def test_a_write_is_not_sent_again_with_what_was_read_before_it() -> None:
    """When a write has to wait, the domain is read again before it goes out: what came in between is kept."""
    vendor = NamecheapVendor()
    vendor.faults = [None, reply(405, "")]
    provider = namecheap(vendor)
    calls = len(vendor.asked)

    def answer(asked: Asked) -> Response:
        if len(vendor.asked) - calls == 3:
            vendor.put(Foreign(f"late.{ZONE}", "A", 1799, "192.0.2.77"))
        return NamecheapVendor.answer(vendor, asked)

    vendor.answer = answer
    provider.change(ZONE, add=[ONE])
    assert any(row[0] == "late" for row in vendor.domains[ZONE].rows)
    assert ONE.value in vendor.values_at(CHALLENGE)
