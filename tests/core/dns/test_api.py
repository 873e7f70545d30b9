"""The HTTP interface of a provider: patience, and failures in words without a secret in them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from core.dns.api import PAUSES_SECONDS, SHOWN_CHARACTERS, Api, ApiResponse, StaleRead, shown
from core.dns.provider import Access, ProviderKind
from core.errors import Cancelled, DnsProviderError
from core.http import WHOLE_SECONDS
from core.ports import CancelToken, Response, Transport, TransportFailure
from core.system.transport import HttpsTransport
from tests.support.clock import NOON, FakeClock
from tests.support.dns_access import access, naps_of
from tests.support.transport import Asked, CannedTransport, reply

SECRET = "s3cr3t-t0ken"
BROKEN = TransportFailure("unreachable", "The connection to api.example broke: reset by peer.")
FINE = reply(200, {"fine": True})


def _never(access: Access) -> Any:
    raise AssertionError("nobody connects here")


KIND = ProviderKind(name="example", title="Example", fields=(), help="", connect=_never)


def api(
    *answers: Response | TransportFailure | Callable[[Asked], Response],
    cancel: CancelToken | None = None,
    settings: dict[str, str] | None = None,
    is_temporary: Callable[[ApiResponse], bool] | None = None,
) -> tuple[Api, CannedTransport]:
    transport = CannedTransport(*answers)
    given_access = access(KIND, transport, secrets={"token": SECRET}, settings=settings, cancel=cancel)
    more: dict[str, Any] = {} if is_temporary is None else {"is_temporary": is_temporary}
    return Api(given_access, "https://api.example/v1/", title="Example", **more), transport


def failure(made: tuple[Api, CannedTransport], **call: Any) -> DnsProviderError:
    with pytest.raises(DnsProviderError) as caught:
        made[0].call("POST", "/things", headers={"Authorization": SECRET}, data={"token": SECRET}, **call)
    assert SECRET not in f"{caught.value} {caught.value.details} {caught.value!r}"
    assert caught.value.details["provider"] == "office-dns"
    return caught.value


def test_what_is_sent() -> None:
    """Path, query, body and content type are as the provider says; the endpoint's final slash does not double."""
    made, transport = api(FINE)
    made.call("POST", "/things", query={"name": "a b&c", "page": 2}, data={"ä": [1]}, headers={"X": "y"})
    made.call("PUT", "/things", form={"a": "b c"})
    made.call("DELETE", "/things", body=b"raw")
    first, second, third = transport.asked
    assert first.url == "https://api.example/v1/things?name=a+b%26c&page=2"
    assert first.body == b'{"\\u00e4":[1]}'
    assert (first.headers["Content-Type"], first.headers["X"]) == ("application/json", "y")
    assert first.headers["User-Agent"].startswith("certdeck/")
    assert (second.body, second.headers["Content-Type"]) == (b"a=b+c", "application/x-www-form-urlencoded")
    assert (third.body, third.headers.get("Content-Type")) == (b"raw", None)


def test_the_entrys_endpoint_and_bundle_win() -> None:
    """Another endpoint and CA bundle of the entry are used instead of the provider's own."""
    bundles: list[str | None] = []
    transport = CannedTransport(FINE)

    def make(bundle: str | None) -> Transport:
        bundles.append(bundle)
        return transport

    entry = access(KIND, transport, settings={"endpoint": "http://127.0.0.1:1/x/", "ca_bundle": "/etc/ca.pem"})
    Api(replace(entry, env=replace(entry.env, transport=make)), "https://api.example", title="Example").call(
        "GET", "/y"
    )
    assert transport.asked[0].url == "http://127.0.0.1:1/x/y"
    assert bundles == ["/etc/ca.pem"]


@pytest.mark.parametrize("stumble", [BROKEN, reply(429), *map(reply, (500, 502, 503, 504))])
def test_a_stumble_is_asked_again(stumble: Response | TransportFailure) -> None:
    """A broken connection, a 429 and a 5xx are asked again, after growing pauses."""
    made = api(stumble, stumble, stumble, FINE)
    assert made[0].call("GET", "/").json == {"fine": True}
    naps = naps_of(made[0].access)
    assert len(naps) == 3
    assert all(0.8 * pause <= nap <= 1.2 * pause for pause, nap in zip(PAUSES_SECONDS, naps, strict=False))


@pytest.mark.parametrize(
    ("stumble", "reason"), [(BROKEN, "unreachable"), (reply(429), "rate-limited"), (reply(503), "temporary")]
)
def test_patience_has_an_end(stumble: Response | TransportFailure, reason: str) -> None:
    """What stumbles to the end is told as what it is, within a minute."""
    made = api(stumble)
    error = failure(made)
    assert error.details["reason"] == reason
    assert len(made[1].asked) == len(PAUSES_SECONDS) + 1
    assert sum(naps_of(made[0].access)) < WHOLE_SECONDS


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 501])
def test_a_refusal_is_an_answer(status: int) -> None:
    """A refusal is returned at once: what it means is for the provider's file to know."""
    made = api(reply(status, {"code": 7}))
    answer = made[0].call("GET", "/")
    assert (answer.status, answer.is_ok, answer.fields) == (status, False, {"code": 7})
    assert len(made[1].asked) == 1


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (reply(429, retry_after="17"), 17.0),
        (reply(503, retry_after="Sat, 21 Nov 2026 12:00:31 GMT"), 31.0),
        (reply(503, retry_after="Sat, 21 Nov 2026 10:00:31 GMT", date="Sat, 21 Nov 2026 10:00:00 GMT"), 31.0),
        (reply(429, {"code": "TOO_MANY_REQUESTS", "retryAfterSec": 23}), 23.0),
    ],
)
def test_retry_after_is_obeyed(said: Response, seconds: float) -> None:
    """A wait that the provider asks for, in any of its forms, is not undercut; a date counts by the provider's own clock."""
    made = api(said, FINE)
    made[0].call("GET", "/")
    assert naps_of(made[0].access) == [seconds]


@pytest.mark.parametrize("value", ["", "soon", "-5", "1.5", "Sat, 21 Nov 2026 11:00:00 GMT", "Sat, 99 Nov 2026", "²"])
def test_a_retry_after_that_says_nothing(value: str) -> None:
    """A Retry-After that is past or cannot be read leaves the usual pause."""
    made = api(reply(429, retry_after=value), FINE)
    made[0].call("GET", "/")
    assert naps_of(made[0].access)[0] < 1


@pytest.mark.parametrize(
    ("value", "words", "wait"),
    [
        ("90", "90 s", timedelta(seconds=90)),
        ("600", "10 minutes", timedelta(minutes=10)),
        ("79200", "22 hours", timedelta(hours=22)),
        ("9" * 30, "hours", timedelta(days=1)),
    ],
)
def test_a_long_wait_is_told_instead(value: str, words: str, wait: timedelta) -> None:
    """A wait of more than a minute ends the call at once, with the time from which trying again makes sense: in a day at most."""
    made = api(reply(429, retry_after=value))
    error = failure(made)
    assert words in error.why
    assert error.retry_at == NOON + wait
    assert naps_of(made[0].access) == []


@pytest.mark.parametrize("stumble", [BROKEN, *map(reply, (500, 502, 504))])
def test_what_must_not_be_done_twice_is_not_sent_twice(stumble: Response | TransportFailure) -> None:
    """With repeat=False a lost reply and a server's failure half-way are told at once."""
    made = api(stumble, FINE)
    assert failure(made, repeat=False).details["reason"] in ("unreachable", "temporary")
    assert len(made[1].asked) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_before_any_work_is_sent_again(status: int) -> None:
    """With repeat=False a 429 and a 503 are asked again all the same: nothing has been done."""
    made = api(reply(status), FINE)
    assert made[0].call("POST", "/", repeat=False).is_ok


@pytest.mark.parametrize("stumble", [BROKEN, reply(500), reply(429, retry_after="30")])
def test_what_has_become_old_is_not_sent_again(stumble: Response | TransportFailure) -> None:
    """A perishable request is waited for and then given back, to be made anew."""
    made = api(stumble, FINE)
    with pytest.raises(StaleRead) as caught:
        made[0].call("PUT", "/", must_be_fresh=True)
    assert caught.value.error.details["reason"] in ("unreachable", "temporary", "rate-limited")
    assert len(made[1].asked) == 1
    assert len(naps_of(made[0].access)) == 1


def test_a_server_that_is_not_trusted_is_not_asked_again() -> None:
    """A certificate that does not verify is told at once, with what to check."""
    made = api(TransportFailure("untrusted", "The certificate of api.example does not verify: expired."))
    error = failure(made)
    assert "clock, ca_bundle and endpoint" in error.fix
    assert len(made[1].asked) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    """A redirect, which would take the token elsewhere, is told."""
    made = api(reply(status, location="https://login.example/"))
    error = failure(made)
    assert "redirects" in error.why
    assert len(made[1].asked) == 1


def test_an_answer_without_end() -> None:
    """An answer that was cut off because it is too long is no answer."""
    made = api(Response(status=200, headers={}, body=b"[" * 4_194_304, truncated=True))
    assert "larger" in failure(made).why


def test_a_stumble_that_is_none() -> None:
    """A provider may know better what is temporary: Dynu refuses with 503."""
    made = api(reply(503, {"message": "No."}), is_temporary=lambda answer: not answer.fields)
    assert made[0].call("GET", "/").status == 503


@pytest.mark.parametrize("body", [b"<html>", b"\xff\xfe", b"", b"[" * 100_000, b'"text"', b"[1]", b"null"])
def test_a_body_that_is_no_object(body: bytes) -> None:
    """HTML, junk, too deep or other JSON gives no fields, and nothing breaks."""
    answer = ApiResponse(status=200, headers={}, body=body)
    assert answer.fields == {}
    assert isinstance(answer.text, str)


def test_cancelled_while_waiting() -> None:
    """Somebody who cancels while a pause lasts is obeyed then, not at its end."""
    cancel = CancelToken()

    def busy(_asked: Asked) -> Response:
        cancel.cancel()
        return reply(503)

    made = api(busy, cancel=cancel)
    with pytest.raises(Cancelled):
        made[0].call("GET", "/")
    assert len(made[1].asked) == 1


def test_cancelled_while_nothing_answers() -> None:
    """Somebody who cancels while the provider keeps silent is obeyed within a second, not when the request's time is over."""
    cancel = CancelToken()
    threading.Timer(0.05, cancel.cancel).start()
    made, _ = api(FINE, cancel=cancel)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        made._transport, made._places = HttpsTransport(None, {}), [f"http://127.0.0.1:{silent.getsockname()[1]}"]
        began = time.monotonic()
        with pytest.raises(Cancelled):
            made.call("GET", "/zones")
    assert time.monotonic() - began < 1.0 + 10.0, "and a busy machine"
    made.close()


def test_cancelled_before() -> None:
    """After a cancel nothing is sent any more."""
    cancel = CancelToken()
    cancel.cancel()
    made = api(FINE, cancel=cancel)
    with pytest.raises(Cancelled):
        made[0].call("GET", "/")
    assert made[1].asked == []


def test_no_secret_is_said_back() -> None:
    """A secret that a provider says back, and one that came by the way, are taken out of every error."""
    made, _ = api(FINE)
    made.conceal("by-the-way")
    for error in (
        made.credentials(f"bad token {SECRET} and by-the-way", "Mend it."),
        made.refused("It failed.", 400, f"{SECRET}{SECRET}", "Mend it."),
        made.nonsense(f"It says {SECRET}."),
    ):
        assert SECRET not in str(error)
        assert "by-the-way" not in str(error)


def test_an_endpoint_with_a_password() -> None:
    """What stands before the host in an endpoint is not shown."""
    made, _ = api(FINE, settings={"endpoint": "https://user:hidden@api.example:8443/v1"})
    error = made.nonsense("It is not.")
    assert "hidden" not in str(error)
    assert "api.example:8443" in error.what


@given(st.text())
def test_words_fit_into_a_sentence(said: str) -> None:
    """Whatever a provider says becomes one line of printable text, bounded, with an end."""
    words = shown(said)
    assert words.isprintable()
    assert len(words) <= SHOWN_CHARACTERS + 1
    assert words.endswith((".", "!", "?", "…"))


def test_the_minute_counts_slow_answers() -> None:
    """The time that requests take is part of the minute."""
    clock = FakeClock()

    def slow(_asked: Asked) -> Response:
        clock.advance(seconds=25)
        return reply(503)

    transport = CannedTransport(slow)
    with pytest.raises(DnsProviderError):
        Api(access(KIND, transport, clock=clock), "https://api.example", title="Example").call("GET", "/")
    assert len(transport.asked) == 3


class Silent:
    """A server that accepts a connection and never answers."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeout: float = 30.0,
        cancel: CancelToken | None = None,
    ) -> Response:
        self.clock.advance(seconds=timeout)
        raise TransportFailure("timeout", "It did not respond in time.")

    def close(self) -> None:
        pass


def test_a_server_that_never_answers_is_waited_for_a_minute_in_all() -> None:
    """Looking, writing and removing records at a server that says nothing take a minute together, not each."""
    made, _ = api(FINE)
    clock = made.access.env.clock
    assert isinstance(clock, FakeClock)
    made._transport = Silent(clock)
    started = clock.monotonic()
    for _ in range(4):
        with pytest.raises(DnsProviderError, match="cannot be reached"):
            made.call("GET", "/zones")
    assert clock.monotonic() - started <= WHOLE_SECONDS + 0.001
    made._transport = CannedTransport(FINE)
    clock.advance(seconds=2 * WHOLE_SECONDS)
    assert made.call("GET", "/zones").is_ok
