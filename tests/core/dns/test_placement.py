"""Which entry serves a name, in which zone, and at which name the record goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from core.config.model import DnsProviderConfig
from core.dns.authority import Authority
from core.dns.placement import Placement
from core.dns.provider import DnsProvider, TxtRecord
from core.dns.provider_pool import ProviderPool
from core.errors import DnsProviderError, NotFound
from core.operations import Record
from core.ports import CancelToken
from tests.support.clock import FakeClock
from tests.support.name_servers import NameServers

NAME = "_acme-challenge.www.example.com"


class Account:
    """A provider that lists these zones, and counts how often it is asked."""

    def __init__(self, *zones: str) -> None:
        self._zones = zones
        self.asked = 0

    def zones(self) -> tuple[str, ...]:
        self.asked += 1
        return self._zones

    def change(self, zone: str, *, add: Sequence[TxtRecord] = (), remove: Sequence[TxtRecord] = ()) -> None:
        raise AssertionError("nothing is written while a place is looked for")

    def close(self) -> None:
        """Nothing is open."""


def entry(name: str, *zones: str, kind: str = "cloudflare") -> DnsProviderConfig:
    return DnsProviderConfig(name=name, kind=kind, zones=zones)


def placed(
    chosen: str,
    *entries: DnsProviderConfig,
    dns: NameServers | None = None,
    accounts: Mapping[str, Account] | None = None,
    name: str = NAME,
) -> tuple[str, str, str]:
    """Return entry, zone and name for the record of `name`."""

    def connect(config: DnsProviderConfig, cancel: CancelToken) -> DnsProvider:
        return (accounts or {})[config.name]

    at_work = ProviderPool({each.name: each for each in entries}, connect, FakeClock(), CancelToken())
    placement = Placement(at_work, Authority(dns or NameServers()))
    (found,) = placement.place(chosen, [Record(name=name, type="TXT", value="v")])
    return found.provider, found.zone, found.txt.name


def test_the_closest_zone_wins() -> None:
    """A record goes to the entry whose zone is the closest to the name, though another one was chosen for the order."""
    assert placed("a", entry("a", "example.com"), entry("b", "www.example.com")) == ("b", "www.example.com", NAME)


def test_among_equals_the_chosen_one_wins() -> None:
    """Two entries for one zone: the one that somebody has named is taken, whatever they are called."""
    both = entry("a", "example.com"), entry("b", "Example.COM.")
    assert [placed(chosen, *both)[0] for chosen in "ab"] == ["a", "b"]


def test_a_zone_is_matched_by_whole_labels() -> None:
    """`notexample.com` is no name of `example.com`."""
    with pytest.raises(DnsProviderError) as caught:
        placed("a", entry("a", "example.com"), name="_acme-challenge.notexample.com")
    assert caught.value.details["reason"] == "zone"
    assert "example.com" in caught.value.why


def test_an_entry_without_zones_is_asked_for_its_list_when_it_is_chosen() -> None:
    """The account's own list tells the zone; an entry that nobody has chosen is not asked for its list."""
    accounts = {"a": Account("example.com", "example.org"), "b": Account("www.example.com")}
    assert placed("a", entry("a"), entry("b"), accounts=accounts) == ("a", "example.com", NAME)
    assert (accounts["a"].asked, accounts["b"].asked) == (1, 0)


def test_where_no_list_can_be_had_the_dns_tells_the_zone() -> None:
    """An interface that lists nothing (RFC 2136) gets the zone whose SOA record the DNS shows, with its cuts."""
    dns = NameServers()
    dns.zone("example.com")
    accounts = {"a": Account()}
    assert placed("a", entry("a"), dns=dns, accounts=accounts)[1] == "example.com"
    dns.zone("www.example.com")
    assert placed("a", entry("a"), dns=dns, accounts=accounts)[1] == "www.example.com"


def test_a_cname_is_followed_into_a_zone_that_is_served_and_nowhere_else() -> None:
    """Where a CNAME leads decides when an entry serves that zone; else the record is tried at the name itself."""
    dns = NameServers()
    for zone in ("example.com", "delegated.example.net"):
        dns.zone(zone)
    dns.set(NAME, "CNAME", "x.delegated.example.net")
    mine, theirs = entry("a", "example.com"), entry("b", "delegated.example.net")
    assert placed("a", mine, theirs, dns=dns) == ("b", "delegated.example.net", "x.delegated.example.net")
    assert placed("a", mine, dns=dns) == ("a", "example.com", NAME)


def test_a_provider_without_zones_takes_what_it_was_chosen_for() -> None:
    """acme-dns and a program get the name where the CNAME leads; they serve nothing that they were not chosen for."""
    dns = NameServers()
    for zone in ("example.com", "auth.example.org"):
        dns.zone(zone)
    dns.set(NAME, "CNAME", "abc.auth.example.org")
    own = entry("own", kind="acme-dns")
    assert placed("own", own, entry("a", "example.com"), dns=dns) == ("own", "", "abc.auth.example.org")
    assert placed("a", own, entry("a", "example.com"), dns=dns) == ("a", "example.com", NAME)


def test_a_provider_without_zones_may_be_limited_to_some() -> None:
    """A program whose entry names zones leaves other names of the order to the entries that serve them."""
    program = entry("program", "example.org", kind="hook")
    assert placed("program", program, entry("a", "example.com")) == ("a", "example.com", NAME)
    other = "_acme-challenge.example.org"
    assert placed("program", program, entry("a", "example.com"), name=other) == ("program", "", other)


def test_an_unknown_kind_only_stops_who_has_chosen_it() -> None:
    """An entry with a typing error in its kind is passed over by all others."""
    broken = entry("broken", "example.com", kind="cloudfare")
    assert placed("a", broken, entry("a", "example.com"))[0] == "a"
    with pytest.raises(NotFound, match="cloudfare"):
        placed("broken", broken, entry("a", "example.com"))
