"""The cases that every DNS provider goes through, whatever its interface: nobody's records lost, every failure in words."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from core.dns.provider import TxtRecord
from core.errors import Cancelled, DnsProviderError
from core.ports import CancelToken, TransportFailure
from core.system.clock import SystemClock
from tests.support.clock import NOON, FakeClock
from tests.support.dns_battery import (
    ACCOUNTS,
    BELOW,
    LONG,
    ONE,
    SERVERS,
    TOP,
    TWO,
    VENDORS,
    WRONG,
    Case,
    Wire,
    naps,
    server_case,
    vendor_case,
)
from tests.support.transport import reply

ALL = [*VENDORS, *(pytest.param(name, marks=pytest.mark.e2e) for name in SERVERS)]
OVER_HTTP = [*VENDORS, "acme-dns", pytest.param("powerdns", marks=pytest.mark.e2e)]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[type, Any]]:
    """The servers that the tests of this file have started; they share them."""
    running: dict[type, Any] = {}
    yield running
    for server in running.values():
        server.stop()


@pytest.fixture
def case(
    request: pytest.FixtureRequest, servers: dict[type, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Case]:
    """A provider and its far end; whatever is not ours has to be as it was when the test is over."""
    name: str = request.param
    if name in VENDORS:
        made = vendor_case(name)
    elif name in ACCOUNTS:
        yield ACCOUNTS[name](tmp_path_factory.mktemp(name))
        return
    else:
        kind, start = SERVERS[name]
        place: Any = start
        if place not in servers:
            servers[place] = start(tmp_path_factory.mktemp(name))
            servers[place].start()
        made = server_case(kind, servers[place])
    before = made.far.snapshot()
    yield made
    assert made.far.snapshot() == before


@pytest.fixture
def wire(case: Case) -> Wire:
    assert case.wire is not None
    return case.wire


def refusal(case: Case, *records: TxtRecord, zone: str | None = None, **given: Any) -> DnsProviderError:
    """Return the error of adding records: it has what, why and fix, and no secret or control character in them."""
    with pytest.raises(DnsProviderError) as caught:
        case.connect(**given).change(case.zone if zone is None else zone, add=records or (case.record,))
    error = caught.value
    text = f"{error.what} {error.why} {error.fix}"
    assert all((error.what, error.why, error.fix))
    assert text.isprintable()
    assert not any(secret in f"{text} {error.details}" for secret in (*case.secrets.values(), WRONG))
    assert (error.details["kind"], error.details["provider"]) == (case.kind, "office-dns")
    return error


# -- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ALL, indirect=True)
def test_values_come_and_go_and_all_else_stays(case: Case) -> None:
    """Values are added beside others and removed one by one; every other record is as before, byte for byte (ST-18)."""
    others, top = case.far.values_at(ONE.name), case.far.values_at(TOP.name)
    assert others
    provider = case.connect()
    provider.change(case.zone, add=[ONE])
    provider.change(case.zone, add=[ONE, TWO, BELOW, TOP, LONG])
    assert case.far.values_at(ONE.name) == {*others, ONE.value, TWO.value}
    assert case.far.values_at(TOP.name) == {*top, TOP.value}
    assert case.far.values_at(BELOW.name) == {BELOW.value}
    assert case.far.values_at(LONG.name) == {LONG.value}
    provider.change(case.zone, remove=[ONE, TOP])
    assert case.far.values_at(ONE.name) == {*others, TWO.value}
    provider.change(case.zone, remove=[TWO, BELOW, LONG])
    provider.close()


@pytest.mark.parametrize("case", ALL, indirect=True)
def test_doing_it_twice_does_nothing(case: Case) -> None:
    """Adding what is there and removing what is not there, or never was, writes nothing and is no failure."""
    clock = FakeClock()
    provider = case.connect(clock=clock)
    provider.change(case.zone, remove=[ONE, BELOW])
    assert case.wire is None or not case.wire.writes
    provider.change(case.zone, add=[ONE, BELOW])
    once, waited = case.wire and case.wire.writes, naps(clock)
    provider.change(case.zone, add=[ONE, BELOW], remove=[TWO])
    assert (case.wire and case.wire.writes) == once
    assert case.wire is None or naps(clock) == waited
    for _ in range(2):
        provider.change(case.zone, remove=[ONE, BELOW])
    assert case.far.values_at(BELOW.name) == set()


@pytest.mark.parametrize("case", [*VENDORS, pytest.param("powerdns", marks=pytest.mark.e2e)], indirect=True)
def test_a_lost_reply_is_no_failure(case: Case, wire: Wire) -> None:
    """A write whose reply is lost has worked; that is looked at, and found out."""
    others = case.far.values_at(ONE.name)
    provider = case.connect()
    wire.lost = 1
    provider.change(case.zone, add=[ONE, BELOW])
    assert case.far.values_at(ONE.name) == {*others, ONE.value}
    assert case.far.values_at(BELOW.name) == {BELOW.value}
    wire.lost = 2
    provider.change(case.zone, remove=[ONE, BELOW])
    assert wire.lost < 2


# -- failures in words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [*VENDORS, *ALL[len(VENDORS) : -1]], indirect=True)
def test_a_zone_that_is_not_there(case: Case) -> None:
    """A zone out of the account is named."""
    zone = "nowhere.example"
    error = refusal(case, TxtRecord(name=f"_acme-challenge.{zone}", value="v" * 43), zone=zone)
    assert error.details["reason"] == "zone"
    assert zone in error.what


@pytest.mark.parametrize("case", [*ALL, "acme-dns"], indirect=True)
def test_credentials_that_are_refused(case: Case) -> None:
    """Credentials that are not accepted are told as that, not as anything else (ST-24)."""
    wrong = dict.fromkeys(case.secrets, WRONG if case.kind != "rfc2136" else "d3Jvbmc=")
    assert refusal(case, secrets=wrong).details["reason"] == "credentials"


@pytest.mark.parametrize("case", ["aliyun", "cloudflare", "desec", "route53"], indirect=True)
def test_a_cname_in_the_way(case: Case) -> None:
    """Where a CNAME stands at the name, that is said, with the way out."""
    error = refusal(case, TxtRecord(name=f"www.{case.zone}", value="v" * 43))
    assert error.details["reason"] == "conflict"
    assert "CNAME" in error.what + error.why + error.fix
    assert "delegat" in error.fix


@pytest.mark.parametrize("case", OVER_HTTP, indirect=True)
def test_a_bad_moment_is_waited_out(case: Case, wire: Wire) -> None:
    """Retry-After is obeyed to the second; a 503 and a broken connection are asked again."""
    clock = FakeClock()
    provider = case.connect(clock=clock)
    wire.faults = [reply(429, "{}", retry_after="7"), reply(503), TransportFailure("unreachable", "It broke.")]
    provider.change(case.zone, add=[case.record])
    assert clock.naps[0] == 7
    assert case.far.values_at(case.record.name) == {case.record.value}
    provider.change(case.zone, remove=[case.record])


@pytest.mark.parametrize("where", ["faults", "write_faults"])
@pytest.mark.parametrize("case", OVER_HTTP, indirect=True)
def test_a_long_limit_is_told_with_its_end(case: Case, wire: Wire, where: str) -> None:
    """A Retry-After of two hours is not waited for: the error says when to try again."""
    clock = FakeClock()
    setattr(wire, where, [reply(429, "Too many requests", retry_after="7200")])
    error = refusal(case, clock=clock)
    assert error.details["reason"] == "rate-limited"
    assert error.retry_at is not None
    assert abs(error.retry_at - NOON - timedelta(hours=2)) < timedelta(minutes=1)
    assert "2 hours" in error.why
    assert naps(clock) < 60


@pytest.mark.parametrize("where", ["faults", "write_faults"])
@pytest.mark.parametrize("page", ["<html><body>Log in</body></html>", "no healthy upstream\r\n", ""])
@pytest.mark.parametrize("case", OVER_HTTP, indirect=True)
def test_a_page_instead_of_an_answer(case: Case, wire: Wire, where: str, page: str) -> None:
    """A login page, plain text or nothing, of a proxy or gateway, is a failure in words and never taken for success."""
    for status in (200, 201, 400, 403, 404, 418, 500):
        setattr(wire, where, [reply(status, page, content_type="text/html")] * 40)
        assert "<" not in refusal(case).what


@pytest.mark.parametrize("where", ["faults", "write_faults"])
@pytest.mark.parametrize("case", OVER_HTTP, indirect=True)
def test_silence_ends(case: Case, wire: Wire, where: str) -> None:
    """A provider that never answers is given up within a few minutes, as unreachable."""
    clock = FakeClock()
    setattr(wire, where, [TransportFailure("timeout", "It did not answer within 20 s.")] * 99)
    assert refusal(case, clock=clock).details["reason"] == "unreachable"
    assert naps(clock) < 180


@pytest.mark.parametrize("where", ["faults", "write_faults"])
@pytest.mark.parametrize("case", OVER_HTTP, indirect=True)
def test_foreign_words_are_only_words(case: Case, wire: Wire, where: str) -> None:
    """What a provider says is one bounded line without terminal codes, invisible characters or secrets that it says back."""
    evil = f"\x1b]0;x\x07\x1b[31m\u202ebad\u200b {' '.join(case.secrets.values())}\r\n[bold red]x[/]" + "y" * 5000
    for body in ({"message": evil, "code": evil, "error": evil, "detail": evil, "Code": evil, "Message": evil}, evil):
        setattr(wire, where, [reply(422, body)] * 20)
        error = refusal(case)
        assert len(error.why) < 700
        assert not {"\u202e", "\u200b", "\x1b"} & {*str(error.details)}


# -- being stopped -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [*ALL, *ACCOUNTS], indirect=True)
def test_whoever_cancels_is_obeyed_within_a_second(case: Case) -> None:
    """A provider that says nothing does not hold up somebody who stops the operation."""
    cancel = CancelToken()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        provider = case.at(f"127.0.0.1:{silent.getsockname()[1]}", cancel=cancel, clock=SystemClock())
        timer = threading.Timer(0.1, cancel.cancel)
        timer.start()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            provider.change(case.zone, add=[case.record])
        took = time.monotonic() - began
        timer.join()
        provider.close()
    assert took < 1.1
