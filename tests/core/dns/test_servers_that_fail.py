"""Name servers and resolvers that are dead, and answers that lead nowhere: bounded in time, and never believed."""

from __future__ import annotations

import pytest

from core.config.rules import resolvers
from core.dns.authority import Authority
from core.dns.propagation import Propagation, wanted_at
from core.errors import Cancelled
from core.events import Narrator
from core.operations import Record
from core.ports import CancelToken
from core.system.resolver import split_address
from tests.support.clock import FakeClock
from tests.support.name_servers import NameServers

NAME = "_acme-challenge.example.com"
DEAD = tuple(f"192.0.2.{number}" for number in range(6))
ALIVE = tuple(f"198.51.100.{number}" for number in range(7))


def test_dead_servers_cost_a_look_a_few_questions_not_one_for_each_name() -> None:
    """Six dead servers of thirteen and a hundred names: what would be 600 time-outs in each look are a few."""
    dns = NameServers()
    dns.zone("example.com", *DEAD, *ALIVE)
    dns.statuses = dict.fromkeys(DEAD, "SILENT")
    clock = FakeClock()
    wanted = []
    for number in range(100):
        name = f"_acme-challenge.h{number}.example.com"
        dns.set(name, "TXT", "value")
        wanted.append(wanted_at(Record(name=name, type="TXT", value="value")))
    narrator = Narrator(report=lambda _: None, now=clock.now, run="1")
    views = Propagation(dns, clock).wait(wanted, timeout_seconds=60, narrator=narrator, cancel=CancelToken())
    assert all(view.is_seen for view in views)
    questions = [server for _, type, server in dns.asked if type == "TXT" and server in DEAD]
    assert len(questions) <= 3 * (2 * len(DEAD) + 16)


def test_a_dead_resolver_is_asked_once_before_the_next() -> None:
    """A resolver that does not answer costs its time-out once, not with every name of an order."""
    dns = NameServers()
    dns.zone("example.com")
    dns.statuses = {"192.0.2.9": "SILENT"}
    authority = Authority(dns, ("192.0.2.9", "192.0.2.10"))
    for number in range(50):
        authority.written_at(f"_acme-challenge.h{number}.example.com")
    assert [server for _, _, server in dns.asked].count("192.0.2.9") == 1


def test_what_nobody_answered_is_asked_again() -> None:
    """A resolver that was away for a moment is believed from its next answer on."""
    dns = NameServers()
    dns.zone("example.com")
    dns.set(NAME, "CNAME", "proofs.example.com")
    authority = Authority(dns, ("192.0.2.9",))
    dns.statuses = {"192.0.2.9": "SILENT"}
    assert authority.written_at(NAME) == NAME
    dns.statuses = {}
    assert authority.written_at(NAME) == "proofs.example.com"


def test_whoever_cancels_does_not_wait_for_every_name() -> None:
    """Looking up where a hundred records go, of resolvers that are dead, ends with the question that is under way."""
    dns = NameServers()
    cancel = CancelToken()
    dns.statuses = dict.fromkeys(DEAD, "SILENT")
    dns.on_ask = lambda *_: cancel.cancel()
    authority = Authority(dns, DEAD, cancel)
    with pytest.raises(Cancelled):
        authority.written_at(NAME)
    assert len(dns.asked) == 1
    with pytest.raises(Cancelled):
        Propagation(dns, FakeClock()).look([wanted_at(Record(name=NAME, type="TXT", value="v"))], cancel)


def test_a_cname_to_the_root_is_no_delegation() -> None:
    """`CNAME .` names nothing that could hold a record: it is not handed to a program as an empty name."""
    dns = NameServers()
    dns.zone("example.com")

    dns.set(NAME, "CNAME", "")
    assert Authority(dns).written_at(NAME) == NAME


@pytest.mark.parametrize(
    "value",
    ["192.0.2.1", "127.0.0.1:8053", "2001:db8::1", "[2001:db8::1]", "[::1]:8053", "fe80::1%eth0", "[fe80::1%eth0]:53"],
)
def test_addresses_of_resolvers(value: str) -> None:
    """Every way to write an address that the resolver understands is taken."""
    assert resolvers((value,)) is None
    address, port = split_address(value)
    assert address.strip("[]") == address
    assert 0 < port < 65536


@pytest.mark.parametrize(
    "value",
    [
        *("127.0.0.1:", "127.0.0.1:0", "127.0.0.1:70000", "127.0.0.1:x", "dns.example.com", "dns.example.com:53"),
        *("", "[::1", "::1]", "[::1]x53", "[::1]:0", "300.1.1.1", "1.2.3", " 192.0.2.1", "192.0.2.1:٥٣"),
    ],
)
def test_what_is_no_address_of_a_resolver(value: str) -> None:
    """A name, a port that does not exist or half an address is said when the configuration is read, not at night."""
    broken = resolvers((value,))
    assert broken is not None
    assert "192.0.2.1" in broken[1]
