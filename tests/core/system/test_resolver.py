from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import dns.flags
import dns.message
import dns.rrset
import pytest

from core.ports import DnsResponse
from core.system.resolver import SystemResolver, split_address

Answer = Callable[[dns.message.Message], bytes | None]
LONG = "x" * 200


@contextmanager
def server(udp: Answer, tcp: Answer | None = None) -> Iterator[str]:
    """Answer on one loopback port over UDP, and over TCP where that is given; yields `ADDRESS:PORT`."""
    stream = socket.create_server(("127.0.0.1", 0))
    port = stream.getsockname()[1]
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", port))

    def over_udp() -> None:
        while True:
            wire, peer = datagrams.recvfrom(65535)
            if not wire:
                return
            answer = udp(dns.message.from_wire(wire))
            if answer is not None:
                datagrams.sendto(answer, peer)

    def over_tcp() -> None:
        try:
            connection, _ = stream.accept()
        except OSError:
            return
        with connection:
            size = int.from_bytes(connection.recv(2), "big")
            answer = tcp(dns.message.from_wire(connection.recv(size))) if tcp else None
            if answer is not None:
                connection.sendall(len(answer).to_bytes(2, "big") + answer)

    threads = [threading.Thread(target=each, daemon=True) for each in (over_udp, over_tcp)]
    for thread in threads:
        thread.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", port))
        stream.shutdown(socket.SHUT_RDWR)
        stream.close()
        for thread in threads:
            thread.join()
        datagrams.close()


def says(*records: str, status: int = 0) -> Answer:
    def answer(query: dns.message.Message) -> bytes:
        reply = dns.message.make_response(query)
        reply.set_rcode(status)
        for record in records:
            name, ttl, _, type, rest = record.split(" ", 4)
            section = reply.authority if type == "SOA" else reply.answer
            section.append(dns.rrset.from_text(name, int(ttl), "IN", type, rest))
        return reply.to_wire(max_size=65535)

    return answer


def test_values_come_as_they_are_compared() -> None:
    """TXT strings are joined, names lose their dot and their capitals, the authority section is there."""
    records = (
        'A.example.com. 60 IN TXT "one " "two"',
        "b.example.com. 60 IN CNAME C.Example.NET.",
        "example.com. 60 IN SOA NS1.example.com. h.example.com. 1 2 3 4 5",
    )
    with server(says(*records)) as address:
        reply = SystemResolver().ask("A.example.com", "TXT", server=address)
    assert (reply.status, reply.values("TXT"), reply.values("CNAME")) == ("NOERROR", ("one two",), ("c.example.net",))
    assert [(each.name, each.type, each.value) for each in reply.authority] == [
        ("example.com", "SOA", "ns1.example.com")
    ]


@pytest.mark.parametrize(("status", "word"), [(2, "SERVFAIL"), (3, "NXDOMAIN"), (5, "REFUSED")])
def test_refusals_have_their_names(status: int, word: str) -> None:
    """What a server refuses with is told by its name of the registry."""
    with server(says(status=status)) as address:
        assert SystemResolver().ask("example.com", "TXT", server=address).status == word


def test_a_long_answer_comes_over_tcp() -> None:
    """An answer that is cut off over UDP is asked for again over TCP."""
    records = [f'example.com. 60 IN TXT "{number}{LONG}"' for number in range(20)]

    def cut(query: dns.message.Message) -> bytes:
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.TC
        return reply.to_wire(max_size=65535)

    with server(cut, says(*records)) as address:
        assert len(SystemResolver().ask("example.com", "TXT", server=address).values("TXT")) == 20


def test_silence_and_a_closed_port_are_silence() -> None:
    """No answer in time, and nobody there, are facts, not exceptions."""
    with server(lambda query: None) as address:
        assert SystemResolver().ask("example.com", "TXT", server=address, timeout=0.2).status == "SILENT"
    assert SystemResolver().ask("example.com", "TXT", server=address, timeout=0.2).status == "SILENT"


def test_answers_to_other_questions_are_not_believed() -> None:
    """A datagram with another id, or no DNS at all, is passed over until the time is over."""

    def strange(query: dns.message.Message) -> bytes:
        query.id = (query.id + 1) % 65536
        return says('example.com. 60 IN TXT "forged"')(query) or b""

    with server(strange) as address:
        assert SystemResolver().ask("example.com", "TXT", server=address, timeout=0.3).values("TXT") == ()
    with server(lambda query: b"\x00nonsense") as address:
        assert SystemResolver().ask("example.com", "TXT", server=address, timeout=0.3).values("TXT") == ()


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".com", ".".join(["abcdefgh"] * 40)])
def test_names_that_cannot_be_are_no_exception(name: str) -> None:
    """A name that the DNS cannot hold is answered like a server's refusal."""
    assert SystemResolver().ask(name, "TXT", server="127.0.0.1:1").status == "FORMERR"


def test_without_a_server_the_system_is_asked(tmp_path: Path) -> None:
    """The resolvers of resolv.conf are taken in turn; comments, names and nonsense there do no harm."""
    file = tmp_path / "resolv.conf"
    file.write_text("# nameserver 192.0.2.1\nsearch example.com\nnameserver nonsense\nnameserver\n")
    assert SystemResolver(str(file)).ask("example.com", "TXT", timeout=0.2).status in ("SILENT", "UNREACHABLE")
    assert SystemResolver(str(tmp_path / "none")).ask("x.test", "TXT", timeout=0.2).status in ("SILENT", "UNREACHABLE")


def test_a_dead_resolver_costs_its_time_once(tmp_path: Path) -> None:
    """The resolver of resolv.conf that answered is asked first from then on."""

    class Counting(SystemResolver):
        asked: ClassVar[list[str]] = []

        def _ask(self, name: str, type: str, server: str, timeout: float, unchecked: bool) -> DnsResponse:
            self.asked.append(server)
            return DnsResponse(status="SILENT" if server == "192.0.2.1" else "NOERROR")

    file = tmp_path / "resolv.conf"
    file.write_text("nameserver 192.0.2.1\nnameserver fe80::1%eth0\n")
    resolver = Counting(str(file))
    for _ in range(3):
        assert resolver.ask("example.com", "TXT").status == "NOERROR"
    assert Counting.asked == ["192.0.2.1", *["fe80::1%eth0"] * 3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:8053", ("192.0.2.1", 8053)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]:8053", ("2001:db8::1", 8053)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
    ],
)
def test_addresses_with_and_without_a_port(text: str, expected: tuple[str, int]) -> None:
    """A server is written as in the configuration: with a port or without, IPv6 in brackets when it has one."""
    assert split_address(text) == expected


def test_checking_can_be_switched_off_and_its_result_is_told() -> None:
    """A question without DNSSEC checks carries CD, and an answer that the server has verified is marked."""
    flags: list[int] = []

    def answer(query: dns.message.Message) -> bytes:
        flags.append(query.flags)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.AD
        return reply.to_wire()

    with server(answer) as address:
        assert SystemResolver().ask("example.com", "A", server=address).is_authenticated
        SystemResolver().ask("example.com", "A", server=address, unchecked=True)
    assert [bool(each & dns.flags.CD) for each in flags] == [False, True]
    assert all(each & dns.flags.AD for each in flags)
