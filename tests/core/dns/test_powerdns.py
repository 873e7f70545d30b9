"""PowerDNS over its API: a real server with a zone full of other records, and refusals that a healthy one never gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dns.provider import Access, TxtRecord
from core.dns.providers.powerdns import KIND, PowerDns
from core.errors import DnsProviderError
from core.ports import Response, Transport, TransportFailure
from core.system.transport import HttpsTransport
from tests.support.clock import FakeClock, FakeRandom
from tests.support.dns_access import access
from tests.support.dns_race import FarTransport, Race
from tests.support.powerdns import API_KEY, CHALLENGE, ZONE, PowerDnsServer
from tests.support.programs import free_port
from tests.support.transport import CannedTransport, reply

FOREIGN = "somebody-elses-value-of-forty-three-charact"
MINE = tuple(
    TxtRecord(name=CHALLENGE, value=value)
    for value in ("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA", "gfj9Xq-Rg85nM3xCzHhJqyNqJ0Z1QbW8kVYt2dF5LrE")
)
ELSEWHERE = TxtRecord(name=f"_acme-challenge.new.{ZONE}", value=MINE[0].value)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PowerDnsServer]:
    """A server that the tests of this file share."""
    server = PowerDnsServer(tmp_path_factory.mktemp("pdns"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(running: PowerDnsServer) -> Iterator[PowerDnsServer]:
    """The server; everything in its zone has to be as it was when the test is over: comments, disabled records, TTLs."""
    before = running.snapshot()
    yield running
    assert running.snapshot() == before


def entry(transport: Transport, endpoint: str, *, key: str = API_KEY, **more: Any) -> Access:
    options = {each: more.pop(each) for each in ("clock", "random") if each in more}
    return access(KIND, transport, settings={"endpoint": endpoint, **more}, secrets={"api_key": key}, **options)


def at(server: PowerDnsServer, **more: Any) -> PowerDns:
    return PowerDns(entry(HttpsTransport(None, {}), server.endpoint, **more))


# -- a real server ---------------------------------------------------------------------------------------------------


@pytest.mark.e2e
def test_what_is_switched_off_or_commented_stays(server: PowerDnsServer) -> None:
    """A disabled record and a comment at our own name outlive our change: the API hides the one and drops the other."""
    at(server).change(ZONE, add=MINE[:1])
    found = next(each for each in server.snapshot() if each["name"] == f"{CHALLENGE}.")
    assert {"content": '"switched-off"', "disabled": True} in found["records"]
    assert [each["content"] for each in found["comments"]] == ["of the other appliance"]
    assert found["ttl"] == 119
    at(server).change(ZONE, remove=MINE[:1])


@pytest.mark.e2e
def test_long_values_and_many_names(server: PowerDnsServer) -> None:
    """A hundred names with values of several strings and every awkward character go out in one request."""
    long = "ca.example.net; accounturi=https://ca.example.net/acct/1; " + 'x"\\y' * 70
    many = [TxtRecord(name=f"_acme-challenge.n{number}.{ZONE}", value=long) for number in range(100)]
    provider = at(server)
    provider.change(ZONE, add=many)
    assert server.query("_acme-challenge.n99.example.com") == [long]
    provider.change(ZONE, remove=many)


@pytest.mark.e2e
def test_the_zones_of_the_server_are_listed(server: PowerDnsServer) -> None:
    """The zones that can be written here are listed; a secondary one is not among them."""
    assert at(server).zones() == (ZONE,)


@pytest.mark.e2e
@pytest.mark.parametrize("more", ["", "/", "/api/v1", "/api/v1/"])
def test_the_endpoint_is_taken_as_people_write_it(server: PowerDnsServer, more: str) -> None:
    """With or without a slash at its end, with or without the path of the API."""
    assert PowerDns(entry(HttpsTransport(None, {}), server.endpoint + more)).zones() == (ZONE,)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("given", "zone", "reason", "said"),
    [
        pytest.param({"key": "wrong"}, ZONE, "credentials", "api-key", id="wrong-key"),
        pytest.param({}, "example.org", "zone", "example.org", id="no-such-zone"),
        pytest.param({}, f"secondary.{ZONE}", "zone", "secondary", id="secondary"),
        pytest.param({"server_id": "other"}, ZONE, "refused", "server_id", id="no-such-server"),
    ],
)
def test_refusals_come_in_words(
    server: PowerDnsServer, given: dict[str, str], zone: str, reason: str, said: str
) -> None:
    """Each refusal of the real server becomes an error that says what to mend, without the key."""
    with pytest.raises(DnsProviderError) as caught:
        at(server, **given).change(zone, add=[TxtRecord(name=f"_acme-challenge.{zone}", value=MINE[0].value)])
    assert caught.value.details["reason"] == reason
    assert said in str(caught.value)
    assert API_KEY not in str(caught.value)


@pytest.mark.e2e
def test_a_cname_in_the_way_is_named(server: PowerDnsServer) -> None:
    """TXT beside a CNAME is refused by the server, and the error says that."""
    with pytest.raises(DnsProviderError) as caught:
        at(server).change(ZONE, add=[TxtRecord(name=f"shop.{ZONE}", value="x")])
    assert caught.value.details["reason"] == "conflict"
    assert "--delegate" in caught.value.fix


@pytest.mark.e2e
def test_a_closed_door_names_the_settings_of_the_server() -> None:
    """Where nobody answers, the error names what PowerDNS has to have in its configuration."""
    with pytest.raises(DnsProviderError) as caught:
        PowerDns(entry(HttpsTransport(None, {}), f"http://127.0.0.1:{free_port()}")).zones()
    assert caught.value.details["reason"] == "unreachable"
    assert "webserver-allow-from" in caught.value.fix


@pytest.mark.e2e
@pytest.mark.parametrize("name", [CHALLENGE, ELSEWHERE.name], ids=["beside-others", "at-an-empty-name"])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_two_writers_keep_each_others_values(running: PowerDnsServer, name: str, seed: int) -> None:
    """However the requests of two certdecks mix, what one has written stands until it removes it; in the end all is as before."""
    before = running.snapshot()
    race = Race(seed)
    standing: set[str] = set()

    def look() -> None:
        assert standing <= set(running.query(name))

    def write(number: int) -> None:
        mine = [TxtRecord(name=name, value=f"writer-{number}-{what}") for what in ("bare", "wildcard")]
        far = FarTransport(race, HttpsTransport(None, {}), look)
        provider = PowerDns(entry(far, running.endpoint, clock=race, random=FakeRandom(seed + number)))
        race.wait(race.random.uniform(0, 2))
        provider.change(ZONE, add=mine)
        standing.update(each.value for each in mine)
        look()
        race.wait(race.random.uniform(1, 4))
        standing.difference_update(each.value for each in mine)
        provider.change(ZONE, remove=mine)

    race.run(lambda: write(1), lambda: write(2))
    assert running.snapshot() == before


# -- answers that a healthy server does not give ---------------------------------------------------------------------


def refusal(*answers: Response | TransportFailure) -> DnsProviderError:
    """Return the error of a change, given these answers."""
    with pytest.raises(DnsProviderError) as caught:
        PowerDns(entry(CannedTransport(*answers), "http://192.0.2.53:8081")).change(ZONE, add=MINE)
    assert API_KEY not in str(caught.value) + repr(caught.value.details)
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        b"<html>login</html>",
        [],
        {},
        {"kind": "Native"},
        {"kind": "Native", "rrsets": [{"name": "a.", "type": "TXT"}]},
        {"kind": "Native", "rrsets": [{"name": "a.", "type": "TXT", "records": [{"content": 1}]}]},
    ],
)
def test_what_is_not_read_cleanly_is_not_written(body: Any) -> None:
    """A zone that does not look like one stops the change before anything is written."""
    transport = CannedTransport(reply(200, body))
    with pytest.raises(DnsProviderError):
        PowerDns(entry(transport, "http://192.0.2.53:8081")).change(ZONE, add=MINE)
    assert {asked.method for asked in transport.asked} == {"GET"}


def test_an_older_server_says_it_differently() -> None:
    """Before 4.2 an unknown zone was 422; it is the same error."""
    error = refusal(reply(422, {"error": "Could not find domain 'example.com.'"}), reply(200, {}))
    assert error.details["reason"] == "zone"


def test_other_refusals_carry_the_words_of_the_server() -> None:
    """Anything else that the server says is passed on, and a key that it says back is cut out."""
    error = refusal(reply(200, {"kind": "Native", "rrsets": []}), reply(422, {"error": f"no {API_KEY} here"}))
    assert error.details["reason"] == "refused"
    assert "no … here" in error.why


@pytest.mark.parametrize(("kind", "dnssec", "steps"), [("Master", False, ["notify"]), ("Native", True, ["rectify"])])
def test_signed_zones_are_put_in_order_and_secondaries_told(kind: str, dnssec: bool, steps: list[str]) -> None:
    """After a change a signed zone is rectified and the secondaries of a primary are notified; that this fails is no failure."""
    zone = {"kind": kind, "dnssec": dnssec, "api_rectify": False, "rrsets": []}
    after = {
        **zone,
        "rrsets": [{"name": f"{CHALLENGE}.", "type": "TXT", "records": [{"content": f'"{e.value}"'} for e in MINE]}],
    }
    transport = CannedTransport(
        reply(200, zone), reply(204), *[reply(422, {"error": "no"})] * len(steps), reply(200, after)
    )
    PowerDns(entry(transport, "http://192.0.2.53:8081", clock=FakeClock())).change(ZONE, add=MINE)
    assert [asked.url.rpartition("/")[2] for asked in transport.asked if asked.method == "PUT"] == steps


@pytest.mark.parametrize(
    ("endpoint", "is_good"),
    [("http://192.0.2.53:8081", True), ("192.0.2.53:8081", False), ("ftp://x", False), ("", False)],
)
def test_the_endpoint_is_checked(endpoint: str, is_good: bool) -> None:
    """The form says what cannot be the address of an API."""
    check = KIND.fields[0].check
    assert check is not None
    assert (check(endpoint) is None) == is_good
