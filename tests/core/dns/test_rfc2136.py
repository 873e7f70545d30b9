"""Dynamic updates against real BIND and Knot, and against servers that answer what those two never would (ST-18, ST-24)."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import dns.message
import dns.opcode
import dns.rcode
import dns.rrset
import dns.tsig
import pytest
from msgspec.structs import replace

from core.dns.provider import Access, TxtRecord
from core.dns.providers.rfc2136 import KIND, Rfc2136
from core.errors import DnsProviderError
from core.ports import CancelToken, DnsExchange, TransportFailure
from core.system.dns_exchange import TcpDnsExchange
from tests.support.bind import BindServer
from tests.support.dns_access import access, naps_of
from tests.support.knot import KnotServer
from tests.support.programs import free_port
from tests.support.zones import HAS_IPV6, KEY, NARROW_KEY, NARROW_NAME, SUB_KEY, NameServer, TsigKey

ZONE = "example.com"
VALUES = ("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA", "gfj9Xq-Rg85nM3xCzHhJqyNqJ0Z1QbW8kVYt2dF5LrE")
CHALLENGE = "_acme-challenge.example.com"
FOREIGN = "somebody-elses-value-of-forty-three-charact"


def entry(
    exchange: DnsExchange,
    *,
    server: str = "127.0.0.1",
    port: int = 53,
    key: TsigKey = KEY,
    cancel: CancelToken | None = None,
    secret: str | None = None,
    **settings: str,
) -> Access:
    """Return the access of an entry for one server."""
    made = access(
        KIND,
        settings={
            "server": server,
            "port": str(port),
            "tsig_name": key.name,
            "tsig_algorithm": key.algorithm,
            **settings,
        },
        secrets={"tsig_secret": key.secret if secret is None else secret},
        cancel=cancel,
    )
    return replace(made, env=replace(made.env, dns_exchange=exchange))


def record(name: str, value: str = VALUES[0]) -> TxtRecord:
    return TxtRecord(name=name, value=value)


# -- real servers ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[BindServer, KnotServer], ids=["bind", "knot"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    """A running server that the tests of this file share."""
    running: BindServer | KnotServer = request.param(tmp_path_factory.mktemp("dns"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def unchanged(server: NameServer) -> Iterator[None]:
    """Every record of every zone, TTLs included, has to be as it was when the test is over."""
    zones = ("example.com", "sub.example.com", "delegated.example.net")
    before = {zone: server.records(zone) for zone in zones}
    yield
    assert {zone: server.records(zone) for zone in zones} == before


def at(server: NameServer, key: TsigKey = KEY, **settings: Any) -> Rfc2136:
    return Rfc2136(entry(TcpDnsExchange(), port=server.port, key=key, **settings))


@pytest.mark.e2e
@pytest.mark.usefixtures("unchanged")
def test_the_ttl_of_others_stays(server: NameServer) -> None:
    """A value that joins others takes their TTL, because servers give all values of a name that of the last one."""
    provider = at(server)
    provider.change(ZONE, add=[record(CHALLENGE), record("_acme-challenge.new.example.com")])
    lines = server.records(ZONE)
    assert f'{CHALLENGE}. 119 TXT "{FOREIGN}"' in lines
    assert f'{CHALLENGE}. 119 TXT "{VALUES[0]}"' in lines
    assert f'_acme-challenge.new.example.com. 60 TXT "{VALUES[0]}"' in lines
    provider.change(ZONE, remove=[record(CHALLENGE), record("_acme-challenge.new.example.com")])


@pytest.mark.e2e
@pytest.mark.usefixtures("unchanged")
def test_a_hundred_names_and_long_values_at_once(server: NameServer) -> None:
    """A hundred names with values longer than one string, more than one message holds, are changed in one call."""
    provider = at(server)
    long = "ca.example.net; accounturi=https://ca.example.net/acct/1; " + 'x"\\y' * 130
    many = [record(f"_acme-challenge.n{number}.example.com", long) for number in range(100)]
    provider.change(ZONE, add=many)
    assert server.query("_acme-challenge.n0.example.com") == [long]
    assert server.query("_acme-challenge.n99.example.com") == [long]
    provider.change(ZONE, remove=many)


@pytest.mark.e2e
@pytest.mark.usefixtures("unchanged")
def test_the_zone_of_a_delegated_name_is_found(server: NameServer) -> None:
    """A name below a cut goes into its own zone, though the entry names the one above: there it would never be seen."""
    name = "_acme-challenge.host.sub.example.com"
    provider = at(server, SUB_KEY)
    provider.change(ZONE, add=[record(name)])
    assert server.query(name) == [VALUES[0]]
    provider.change(ZONE, remove=[record(name)])
    assert server.query(name) == []


@pytest.mark.e2e
@pytest.mark.usefixtures("unchanged")
def test_names_of_several_zones_in_one_call(server: NameServer) -> None:
    """With no zone given each name goes into the zone that the server says, also where a CNAME leads."""
    provider = at(server)
    both = [record("_acme-challenge.x.example.com"), record("www.delegated.example.net")]
    provider.change("", add=both)
    assert server.query("_acme-challenge.x.example.com") == [VALUES[0]]
    assert server.query("www.delegated.example.net") == [VALUES[0]]
    provider.change("", remove=both)


@pytest.mark.e2e
@pytest.mark.usefixtures("unchanged")
def test_writers_at_once_lose_nothing(server: NameServer) -> None:
    """Eight writers at one name, each adding and removing its own value many times, leave what the others have."""
    stays = [record(CHALLENGE, f"stays-{number}") for number in range(8)]
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            provider = at(server)
            for turn in range(4):
                comes = record(CHALLENGE, f"comes-{number}-{turn}")
                provider.change(ZONE, add=[comes, stays[number]])
                provider.change(ZONE, remove=[comes])
        except BaseException as exc:  # noqa: BLE001 - shown by the assertion
            failures.append(exc)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert server.query(CHALLENGE) == sorted([FOREIGN, *(each.value for each in stays)])
    at(server).change(ZONE, remove=stays)


@pytest.mark.e2e
@pytest.mark.parametrize("host", ["localhost", *(["::1"] if HAS_IPV6 else [])])
@pytest.mark.usefixtures("unchanged")
def test_servers_are_reached_by_name_and_over_ipv6(server: NameServer, host: str) -> None:
    """A name and an IPv6 address are servers like any other."""
    provider = Rfc2136(entry(TcpDnsExchange(), server=host, port=server.port))
    provider.change(ZONE, add=[record("_acme-challenge.v6.example.com")])
    provider.change(ZONE, remove=[record("_acme-challenge.v6.example.com")])


@pytest.mark.e2e
@pytest.mark.usefixtures("unchanged")
def test_a_key_for_one_name_is_enough(server: NameServer) -> None:
    """A key that may change one name alone changes it."""
    provider = at(server, NARROW_KEY)
    provider.change(ZONE, add=[record(NARROW_NAME)])
    assert server.query(NARROW_NAME) == [VALUES[0]]
    provider.change(ZONE, remove=[record(NARROW_NAME)])


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("key", "given", "name", "reasons", "said"),
    [
        pytest.param(NARROW_KEY, {}, CHALLENGE, {"permission", "credentials"}, "", id="not-allowed"),
        pytest.param(KEY, {"secret": SUB_KEY.secret}, CHALLENGE, {"credentials"}, "secret", id="wrong-secret"),
        pytest.param(
            KEY, {"tsig_algorithm": "hmac-sha384"}, CHALLENGE, {"credentials"}, "BADKEY", id="wrong-algorithm"
        ),
        pytest.param(TsigKey("nobody"), {}, CHALLENGE, {"credentials"}, "BADKEY", id="unknown-key"),
        pytest.param(KEY, {}, "_acme-challenge.example.org", {"zone", "permission"}, "example.org", id="other-zone"),
        pytest.param(KEY, {}, "_acme-challenge.www.example.com", {"zone"}, "--delegate", id="cname"),
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_refusals_come_in_words(
    server: NameServer, key: TsigKey, given: dict[str, str], name: str, reasons: set[str], said: str
) -> None:
    """Each refusal of a real server becomes an error that names the key, the zone or what to mend, and never the secret."""
    with pytest.raises(DnsProviderError) as caught:
        at(server, key, **given).change(name.removeprefix("_acme-challenge."), add=[record(name)])
    assert caught.value.details["reason"] in reasons
    assert said in str(caught.value)
    assert key.secret not in repr(caught.value) + str(caught.value)


@pytest.mark.e2e
@pytest.mark.usefixtures("unchanged")
def test_nothing_is_missed_behind_a_cname(server: NameServer) -> None:
    """Where a CNAME stands no TXT record can, so removing one there is done before it begins."""
    at(server).change(ZONE, remove=[record("_acme-challenge.www.example.com")])


@pytest.mark.e2e
def test_the_rules_of_each_server_are_named(server: NameServer) -> None:
    """A key that may not change a name: BIND's update-policy and Knot's acl are named as what to mend."""
    with pytest.raises(DnsProviderError) as caught:
        at(server, NARROW_KEY).change(ZONE, add=[record("_acme-challenge.a.example.com")])
    assert ("update-policy" if isinstance(server, BindServer) else "acl") in caught.value.fix


# -- servers that a test makes up ------------------------------------------------------------------------------------


class Scripted:
    """Answers each message with a function; counts the connections."""

    def __init__(
        self, *answers: Callable[[dns.message.Message], dns.message.Message | bytes | TransportFailure]
    ) -> None:
        self._answers = list(answers)
        self.asked: list[dns.message.Message] = []
        self.connections = 0

    def exchange(self, server: str, port: int, messages: Sequence[bytes], **_: object) -> tuple[bytes, ...]:
        self.connections += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        found = []
        for wire in messages:
            asked = dns.message.from_wire(wire, keyring=dns.tsig.Key(KEY.name, KEY.secret, KEY.algorithm))
            self.asked.append(asked)
            said = answer(asked)
            if isinstance(said, TransportFailure):
                raise said
            found.append(said if isinstance(said, bytes) else said.to_wire())
        return tuple(found)


def saying(rcode: str, *, is_signed: bool = True, **more: int) -> Callable[[dns.message.Message], dns.message.Message]:
    """Return a server that answers every message with one rcode and no records."""

    def answer(asked: dns.message.Message) -> dns.message.Message:
        said = dns.message.make_response(asked, **more)
        said.set_rcode(dns.rcode.from_text(rcode))
        if not is_signed:
            said.tsig = None
        return said

    return answer


def silent(_: dns.message.Message) -> TransportFailure:
    return TransportFailure("timeout", "192.0.2.53:53 did not respond within 10 s.")


def refusal(exchange: Scripted, **given: Any) -> DnsProviderError:
    """Return the error of an addition."""
    with pytest.raises(DnsProviderError) as caught:
        Rfc2136(entry(exchange, **given)).change(ZONE, add=[record(CHALLENGE)])
    return caught.value


def test_clocks_that_differ_are_named() -> None:
    """A server that answers BADTIME makes an error about clocks, not about the key."""
    error = refusal(Scripted(saying("NOTAUTH", tsig_error=int(dns.rcode.BADTIME))))
    assert error.details["reason"] == "clock"
    assert "NTP" in error.fix


def test_silence_is_borne_for_a_while() -> None:
    """A server that does not answer is asked three times with short pauses, and then named."""
    exchange = Scripted(silent)
    made = entry(exchange, server="192.0.2.53")
    with pytest.raises(DnsProviderError) as caught:
        Rfc2136(made).change(ZONE, add=[record(CHALLENGE)])
    assert caught.value.details["reason"] == "unreachable"
    assert "192.0.2.53" in caught.value.what
    assert exchange.connections == 3
    assert len(naps_of(made)) == 2


def test_a_stumble_is_no_failure() -> None:
    """After one SERVFAIL and one lost answer the change is made."""
    exchange = Scripted(saying("SERVFAIL"), silent, saying("NOERROR"), saying("SERVFAIL"), saying("NOERROR"))
    Rfc2136(entry(exchange)).change(ZONE, add=[record(CHALLENGE)])
    assert exchange.asked[-1].opcode() == dns.opcode.UPDATE


@pytest.mark.parametrize(
    ("rcode", "reason"),
    [
        ("SERVFAIL", "temporary"),
        ("NOTIMP", "no-api-access"),
        ("NOTAUTH", "zone"),
        ("REFUSED", "permission"),
        ("YXRRSET", "refused"),
    ],
)
def test_every_refusal_of_an_update_has_its_words(rcode: str, reason: str) -> None:
    """Whatever a server answers to an update, the error says its word and what to do."""
    error = refusal(Scripted(saying("NOERROR"), saying(rcode)))
    assert error.details["reason"] == reason
    assert rcode in error.why
    assert error.fix


def test_a_server_that_may_not_be_asked_is_changed_all_the_same() -> None:
    """Where questions are refused and updates are not (a hidden primary), the zone of the entry is taken."""
    exchange = Scripted(saying("REFUSED", is_signed=False), saying("NOERROR"))
    Rfc2136(entry(exchange)).change(ZONE, add=[record(CHALLENGE)])
    assert exchange.asked[-1].zone[0].name.to_text() == "example.com."


def test_unsigned_success_is_not_believed() -> None:
    """An answer without a signature that says that all is well could be anybody's."""
    assert refusal(Scripted(saying("NOERROR", is_signed=False))).details["reason"] == "refused"


@pytest.mark.parametrize("said", [b"", b"\0" * 11, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 600])
def test_nonsense_is_called_nonsense(said: bytes) -> None:
    """What is no DNS message at all becomes an error in words."""
    assert refusal(Scripted(lambda _: said)).details["reason"] == "refused"


def test_a_zone_that_is_delegated_elsewhere_is_told() -> None:
    """A referral names the zone and the servers that it goes to."""

    def referral(asked: dns.message.Message) -> dns.message.Message:
        said = dns.message.make_response(asked)
        said.authority.append(dns.rrset.from_text("sub.example.com.", 60, "IN", "NS", "ns7.example.net."))
        return said

    with pytest.raises(DnsProviderError) as caught:
        Rfc2136(entry(Scripted(referral))).change(ZONE, add=[record("_acme-challenge.sub.example.com")])
    assert caught.value.details["reason"] == "zone"
    assert "ns7.example.net" in caught.value.why


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"secret": "this is no base64!"}, "base64"),
        ({"secret": ""}, "vault"),
        ({"tsig_name": "a" * 64}, "63"),
        ({"port": "dns"}, "65535"),
        ({"tsig_algorithm": "rot13"}, "hmac-sha256"),
    ],
)
def test_what_cannot_be_right_is_said_before_anything_is_sent(given: dict[str, str], word: str) -> None:
    """Broken settings, as a hand-edited configuration may have them, are named without asking the network."""
    exchange = Scripted(saying("NOERROR"))
    error = refusal(exchange, **given)
    assert word in str(error)
    assert exchange.connections == 0
    assert "this is no base64" not in str(error)


@pytest.mark.parametrize(
    ("key", "value", "is_good"),
    [
        ("server", "ns1.example.com", True),
        ("server", "2001:db8::53", True),
        ("server", "192.0.2.53:5353", False),
        ("server", "https://ns1.example.com/", False),
        ("port", "5353", True),
        ("port", "0", False),
        ("port", "70000", False),
        ("tsig_secret", KEY.secret, True),
        ("tsig_secret", "not base64!", False),
    ],
)
def test_fields_are_checked(key: str, value: str, is_good: bool) -> None:
    """The form says what cannot be right before it is kept."""
    check = next(field.check for field in KIND.fields if field.key == key)
    assert check is not None
    assert (check(value) is None) == is_good


def test_nothing_to_do_asks_nobody() -> None:
    """No records, no messages."""
    exchange = Scripted(saying("NOERROR"))
    provider = Rfc2136(entry(exchange))
    provider.change(ZONE)
    assert provider.zones() == ()
    provider.close()
    assert exchange.connections == 0


def test_an_answer_that_drips_has_an_end() -> None:
    """A server that sends a byte now and then does not hold us for longer than the time limit."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        is_over = threading.Event()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"\xff\xff")
                while not is_over.wait(0.02):
                    connection.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            with pytest.raises(TransportFailure) as caught:
                TcpDnsExchange().exchange("127.0.0.1", listener.getsockname()[1], [b"\0" * 12], timeout=0.2)
        finally:
            is_over.set()
            thread.join()
    assert caught.value.kind == "timeout"


def test_a_port_that_nobody_listens_on() -> None:
    """The real exchange tells of a refused connection and of a name without an address."""
    with pytest.raises(TransportFailure) as refused:
        TcpDnsExchange().exchange("127.0.0.1", free_port(), [b"\0" * 12], timeout=2)
    assert refused.value.kind == "unreachable"
    with pytest.raises(TransportFailure, match="does not resolve"):
        TcpDnsExchange().exchange("ns1.nowhere.example", 53, [b"\0" * 12], timeout=2)
