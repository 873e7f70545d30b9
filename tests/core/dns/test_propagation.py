from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from core.dns.authority import Authority
from core.dns.propagation import Propagation, Wanted, wanted_at
from core.errors import Cancelled, PropagationTimeout
from core.events import Narrator, PropagationChecked, Report, Warned
from core.operations import Record
from core.ports import CancelToken
from tests.support.clock import FakeClock
from tests.support.name_servers import RESOLVER, NameServers

NAME = "_acme-challenge.www.example.com"
VALUE = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
OTHER = "gfj9Xq-Rg85nM3xCzHhJqyNqJ0Z1QbW8kVYt2dF5LrE"
FIRST, SECOND, SIXTH = "192.0.2.53", "198.51.100.53", "2001:db8::53"


@dataclass
class World:
    dns: NameServers = field(default_factory=NameServers)
    clock: FakeClock = field(default_factory=FakeClock)
    told: list[Report] = field(default_factory=list)
    cancel: CancelToken = field(default_factory=CancelToken)
    resolvers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.dns.zone("example.com", FIRST, SECOND, SIXTH)

    @property
    def propagation(self) -> Propagation:
        return Propagation(self.dns, self.clock, self.resolvers)

    def wait(self, *values: str, seconds: float = 180.0, at: str = NAME) -> list[str]:
        """Wait for the values; returns the states of the last look, sorted."""
        narrator = Narrator(report=self.told.append, now=self.clock.now, run="1")
        wanted = [wanted_at(Record(name=NAME, type="TXT", value=value), at) for value in values or (VALUE,)]
        views = self.propagation.wait(wanted, timeout_seconds=seconds, narrator=narrator, cancel=self.cancel)
        return sorted(one.state for view in views for one in view.servers)

    @property
    def checked(self) -> list[tuple[int, int]]:
        return [(e.seen, e.of) for report in self.told if isinstance(e := report.event, PropagationChecked)]


@pytest.fixture
def world() -> World:
    return World()


def test_every_server_of_the_zone_is_asked_over_both_families(world: World) -> None:
    """A record counts as seen once every address of every server of its own zone has it."""
    world.dns.set(NAME, "TXT", VALUE)
    assert world.wait() == ["has"] * 3
    assert {server for name, type, server in world.dns.asked if type == "TXT"} == {FIRST, SECOND, SIXTH}
    assert world.checked == [(3, 3)]
    assert world.clock.naps == []


def test_a_server_that_lags_is_waited_for_and_named(world: World) -> None:
    """One slow secondary holds the answer back, in small steps, and each change is told with who is missing."""
    world.dns.set(NAME, "TXT", VALUE)
    world.dns.lags = {SECOND: 4}
    world.wait()
    assert world.checked == [(2, 3), (3, 3)]
    late = next(report.event for report in world.told if isinstance(report.event, PropagationChecked))
    assert late.missing == (f"ns2.example.com ({SECOND})",)
    assert 0 < world.clock.naps[0] <= 0.2
    assert sum(world.clock.naps) < 5


def test_only_servers_without_the_record_are_asked_again(world: World) -> None:
    """A server that has shown the record is left in peace."""
    world.dns.set(NAME, "TXT", VALUE)
    world.dns.lags = {SECOND: 5}
    world.wait()
    assert [server for _, type, server in world.dns.asked if type == "TXT"].count(FIRST) == 1


def test_two_values_at_one_name_have_to_stand_together(world: World) -> None:
    """Wildcard and bare domain: while one of the two values is missing the name is not seen."""
    world.dns.set(NAME, "TXT", VALUE)
    world.dns.on_ask = lambda name, type, server: world.dns.set(NAME, "TXT", VALUE, OTHER) if world.clock.naps else None
    world.wait(VALUE, OTHER)
    assert world.checked == [(0, 3), (3, 3)]


def test_time_runs_out_with_the_names_of_those_who_lack_it(world: World) -> None:
    """After the time-out the error names the record, the servers, and what to change."""
    with pytest.raises(PropagationTimeout) as caught:
        world.wait(seconds=20)
    error = caught.value
    assert NAME in error.what
    assert "ns1.example.com (192.0.2.53)" in error.why
    assert "timeout_seconds" in error.fix
    assert error.details["missing"] == {
        NAME: [f"ns{n}.example.com ({address}): lacks" for n, address in enumerate((FIRST, SECOND, SIXTH), 1)]
    }
    assert 19 < sum(world.clock.naps) <= 20.1


def test_an_address_without_a_way_to_it_does_not_count(world: World) -> None:
    """A box without IPv6 does not wait for what it can never see."""
    world.dns.set(NAME, "TXT", VALUE)
    world.dns.statuses = {SIXTH: "UNREACHABLE"}
    assert world.wait() == ["has", "has", "unreachable"]
    assert world.clock.naps == []


@pytest.mark.parametrize(("status", "state"), [("SILENT", "silent"), ("REFUSED", "refuses"), ("SERVFAIL", "refuses")])
def test_a_server_that_gives_no_answer_is_left_out_after_some_looks(world: World, status: str, state: str) -> None:
    """A dead or lame server does not stop the others for good, but it is given time and told of."""
    world.dns.set(NAME, "TXT", VALUE)
    world.dns.statuses = {SECOND: status}
    assert world.wait() == ["has", "has", state]
    assert [server for _, type, server in world.dns.asked if type == "TXT"].count(SECOND) == 3
    assert [r.event.code for r in world.told if isinstance(r.event, Warned)] == ["name-server-silent"]


def test_a_silent_server_does_not_fail_what_the_others_have(world: World) -> None:
    """When the time is over while a dead server is still given a chance, what all others have is good."""
    world.dns.set(NAME, "TXT", VALUE)
    world.dns.statuses = {SECOND: "SILENT"}
    world.dns.on_ask = lambda name, type, server: world.clock.advance(seconds=3) if server == SECOND else None
    assert world.wait(seconds=2) == ["has", "has", "silent"]
    assert [r.event.code for r in world.told if isinstance(r.event, Warned)] == ["name-server-silent"]


def test_silence_everywhere_is_no_success(world: World) -> None:
    """When no server answers at all nothing has been seen."""
    world.dns.statuses = {FIRST: "SILENT", SECOND: "UNREACHABLE", SIXTH: "UNREACHABLE"}
    with pytest.raises(PropagationTimeout) as caught:
        world.wait(seconds=10)
    assert "3 of 3 servers cannot be reached" in caught.value.why


def test_configured_resolvers_are_asked_instead(world: World) -> None:
    """A private view is asked of the resolvers that the configuration names, and of nobody else."""
    world.resolvers = ("127.0.0.1:8053", "192.0.2.1")
    world.dns.set(NAME, "TXT", VALUE)
    assert world.wait() == ["has", "has"]
    assert {server for _, _, server in world.dns.asked} == {"127.0.0.1:8053", "192.0.2.1"}


def test_a_zone_that_nobody_knows_is_said(world: World) -> None:
    """Without any resolver that answers, the reason is that, and it is tried until the time is over."""
    world.dns.statuses = {RESOLVER: "SILENT"}
    with pytest.raises(PropagationTimeout) as caught:
        world.wait(seconds=5)
    assert "no resolver of this box responds" in caught.value.why


def test_a_record_behind_a_cname_is_looked_for_where_it_stands(world: World) -> None:
    """The servers of the zone that the CNAME leads to are asked, under the name there."""
    world.dns.zone("delegated.example.net", "203.0.113.53")
    world.dns.set(NAME, "CNAME", "www.delegated.example.net")
    world.dns.set("www.delegated.example.net", "TXT", VALUE)
    at = Authority(world.dns).written_at(NAME)
    assert at == "www.delegated.example.net"
    assert world.wait(at=at) == ["has"]
    assert ("www.delegated.example.net", "TXT", "203.0.113.53") in world.dns.asked


def test_a_delegated_sub_zone_is_asked_at_its_own_servers(world: World) -> None:
    """A zone cut below the domain moves the question to the servers of the sub-zone."""
    world.dns.zone("www.example.com", "203.0.113.99")
    world.dns.set(NAME, "TXT", VALUE)
    assert world.wait() == ["has"]
    assert Authority(world.dns).zone_of(NAME) == "www.example.com"


def test_a_cname_loop_ends(world: World) -> None:
    """Two CNAMEs that lead to each other are not followed for ever."""
    world.dns.set(NAME, "CNAME", "a.example.com")
    world.dns.set("a.example.com", "CNAME", NAME)
    assert Authority(world.dns).written_at(NAME) == "a.example.com"


def test_cancelling_ends_the_wait_at_once(world: World) -> None:
    """Nobody has to wait for the time-out."""
    world.dns.on_ask = lambda name, type, server: world.cancel.cancel() if type == "TXT" else None
    with pytest.raises(Cancelled):
        world.wait()


def test_cancelling_ends_the_search_for_servers(world: World) -> None:
    """Resolvers that do not answer are not waited for once more for each record of somebody who has gone."""
    world.dns.statuses = {RESOLVER: "SILENT"}
    world.dns.on_ask = lambda name, type, server: world.cancel.cancel()
    wanted = [wanted_at(Record(name=f"_acme-challenge.h{n}.example.com", type="TXT", value=VALUE)) for n in range(9)]
    with pytest.raises(Cancelled):
        world.propagation.look(wanted, world.cancel)
    assert len(world.dns.asked) == 1


def test_what_will_do_may_be_more_than_one_value(world: World) -> None:
    """A look can ask for any value that meets a condition, as a lasting permission does."""
    world.dns.set(NAME, "TXT", "something else", "fits-this")
    wanted = Wanted(Record(name=NAME, type="TXT", value=VALUE), NAME, lambda value: value.startswith("fits"))
    (view,) = world.propagation.look([wanted], world.cancel)
    assert view.is_seen


def test_a_hundred_records_are_awaited_in_few_looks(world: World) -> None:
    """Many names of one zone find their servers once, and one look asks for all of them."""
    names = [f"_acme-challenge.h{n}.example.com" for n in range(100)]
    for name in names:
        world.dns.set(name, "TXT", VALUE)
    wanted = [wanted_at(Record(name=name, type="TXT", value=VALUE)) for name in names]
    views = world.propagation.look(wanted, world.cancel)
    assert all(view.is_seen for view in views)
    kinds = [type for _, type, _ in world.dns.asked]
    assert kinds.count("TXT") == 300
    assert kinds.count("NS") == 1
    assert kinds.count("A") == 3
