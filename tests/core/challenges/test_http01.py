"""The responder: known tokens and `test.txt`, nothing else, one port for all orders."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import pytest

from core.acme.authorization import Challenge
from core.challenges.http01 import Responder, url_for
from core.errors import PortUnavailable
from core.events import ValidatorSeen
from core.ports import CancelToken, HttpHandler, HttpReply, HttpRequest
from tests.support.acme_client import Told
from tests.support.clock import FakeClock


def a_challenge(identifier: str = "shop.example.com", token: str = "tok-1") -> Challenge:  # noqa: S107 - public
    return Challenge(
        identifier=identifier,
        wildcard=False,
        type="http-01",
        status="pending",
        url="https://ca.test/challenge/1",
        token=token,
        key_authorization=f"{token}.thumb",
    )


class FakeListener:
    """Opens nothing; tells how often it was opened, and lets the test ask."""

    def __init__(self) -> None:
        self.opened = 0
        self.handler: HttpHandler | None = None

    @contextlib.contextmanager
    def listen(self, address: str, port: int, handler: HttpHandler) -> Iterator[int]:
        assert self.handler is None
        self.opened += 1
        self.handler = handler
        try:
            yield port
        finally:
            self.handler = None

    def get(self, path: str, peer: str = "192.0.2.1") -> HttpReply:
        assert self.handler is not None
        return self.handler(HttpRequest(method="GET", path=path, host="shop.example.com", peer=peer))


@pytest.fixture
def listener() -> FakeListener:
    return FakeListener()


@pytest.fixture
def told() -> Told:
    return Told(FakeClock())


def test_only_known_tokens_are_served(listener: FakeListener, told: Told) -> None:
    """A token that is presented answers with its key authorization, everything else with 404."""
    with Responder(listener, "0.0.0.0", 80).present([a_challenge()], told.narrator, CancelToken()):
        assert listener.get("/.well-known/acme-challenge/tok-1").body == b"tok-1.thumb"
        for path in ("/", "/.well-known/acme-challenge/", "/.well-known/acme-challenge/tok-2", "/tok-1", "/etc/passwd"):
            assert listener.get(path).status == 404


def test_the_self_test_page_answers(listener: FakeListener, told: Told) -> None:
    """SF-19: test.txt says "Let's Encrypt Ready"."""
    with Responder(listener, "0.0.0.0", 80).present([a_challenge()], told.narrator, CancelToken()):
        assert listener.get("/.well-known/acme-challenge/test.txt").body == b"Let's Encrypt Ready"
    assert told.of(ValidatorSeen) == []


def test_the_port_is_open_only_while_needed(listener: FakeListener, told: Told) -> None:
    """The first order opens the port, the last one closes it, also when one of them fails (SF-03)."""
    responder = Responder(listener, "0.0.0.0", 80)
    with responder.present([a_challenge()], told.narrator, CancelToken()):
        with (
            contextlib.suppress(KeyError),
            responder.present([a_challenge("b.example", "tok-2")], told.narrator, CancelToken()),
        ):
            raise KeyError
        assert listener.get("/.well-known/acme-challenge/tok-2").status == 404
        assert listener.get("/.well-known/acme-challenge/tok-1").status == 200
    assert listener.handler is None
    assert listener.opened == 1


def test_validators_are_told_once_each(listener: FakeListener, told: Told) -> None:
    """Each address that asks for a token is told once, with the name it asked for."""
    with Responder(listener, "0.0.0.0", 80).present([a_challenge()], told.narrator, CancelToken()):
        for peer in ("192.0.2.1", "192.0.2.1", "2001:db8::1"):
            listener.get("/.well-known/acme-challenge/tok-1", peer)
    assert [(event.address, event.identifier) for event in told.of(ValidatorSeen)] == [
        ("192.0.2.1", "shop.example.com"),
        ("2001:db8::1", "shop.example.com"),
    ]


def test_a_crowd_of_askers_is_not_told_without_end(listener: FakeListener, told: Told) -> None:
    """Whoever asks from ever new addresses does not fill the log."""
    with Responder(listener, "0.0.0.0", 80).present([a_challenge()], told.narrator, CancelToken()):
        for number in range(100):
            listener.get("/.well-known/acme-challenge/tok-1", f"192.0.2.{number}")
    assert len(told.of(ValidatorSeen)) == 20


def test_settling_ends_when_all_were_asked_for(listener: FakeListener, told: Told) -> None:
    """Waiting for the CA's visit ends with the visit, not with the time given for it."""
    challenges = [a_challenge(), a_challenge("b.example", "tok-2")]
    with Responder(listener, "0.0.0.0", 80).present(challenges, told.narrator, CancelToken()) as presented:
        settled = threading.Thread(target=presented.settle, args=(60.0, CancelToken()))
        settled.start()
        for token in ("tok-1", "tok-2"):
            assert settled.is_alive()
            listener.get(f"/.well-known/acme-challenge/{token}")
        settled.join(10)
        assert not settled.is_alive()


def test_a_port_that_cannot_be_had_leaves_nothing_open(told: Told) -> None:
    """After a failed start the next order tries again."""

    class Busy(FakeListener):
        @contextlib.contextmanager
        def listen(self, address: str, port: int, handler: HttpHandler) -> Iterator[int]:
            self.opened += 1
            if port:
                raise PortUnavailable("busy", "nginx holds it", "stop it")
            yield port

    listener = Busy()
    responder = Responder(listener, "0.0.0.0", 80)
    for _ in range(2):
        with (
            pytest.raises(PortUnavailable),
            responder.present([a_challenge()], told.narrator, CancelToken()),
        ):
            pytest.fail("the port is busy")
    assert listener.opened == 2


@pytest.mark.parametrize(
    ("identifier", "url"),
    [
        ("shop.example.com", "http://shop.example.com/.well-known/acme-challenge/t"),
        ("192.0.2.7", "http://192.0.2.7/.well-known/acme-challenge/t"),
        ("2001:db8::7", "http://[2001:db8::7]/.well-known/acme-challenge/t"),
    ],
)
def test_the_url_is_the_one_the_ca_asks(identifier: str, url: str) -> None:
    """The CA comes to port 80 of the name, whatever port we listen on (SF-06)."""
    assert url_for(a_challenge(identifier, "t")) == url
