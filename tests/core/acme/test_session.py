"""Requests to a CA: nonces, patience, and answers that are no ACME."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from core.acme import account
from core.errors import (
    AcmeProblem,
    Cancelled,
    CertdeckError,
    DirectoryInvalid,
    DirectoryUnreachable,
    DirectoryUntrusted,
    RateLimited,
)
from core.ports import Response, TransportFailure
from tests.support.acme_client import a_session
from tests.support.acme_server import AcmeServer, problem
from tests.support.transport import CannedTransport, reply

LOST = TransportFailure("unreachable", "The connection to ca.test broke: connection reset by peer.")


def registered(server: AcmeServer) -> Any:
    """Return a session that has its account."""
    session = a_session(server)
    account.register(session, email=None, terms_agreed=True)
    return session


def test_a_nonce_is_fetched_once_and_then_taken_from_replies() -> None:
    """After the first nonce, every request uses the one that the last reply brought."""
    server = AcmeServer()
    session = registered(server)
    for _ in range(5):
        account.fetch(session)
    assert server.count("/new-nonce", "HEAD") == 1
    assert server.count("/new-nonce", "GET") == 0


def test_a_storm_of_bad_nonces_is_survived() -> None:
    """With 40 % of good nonces refused, sixty requests in a row succeed, and nobody waits for it."""
    server = AcmeServer()
    session = registered(server)
    server.nonce_reject_percent = 40
    for _ in range(60):
        account.fetch(session)
    assert server.clock.naps == []


def test_nonces_that_are_never_accepted_end_in_words() -> None:
    """A CA that refuses every nonce is given up after a bounded number of tries."""
    server = AcmeServer()
    session = registered(server)
    server.nonce_reject_percent = 100
    with pytest.raises(AcmeProblem) as caught:
        account.fetch(session)
    assert "outdated" in caught.value.what
    assert server.count("/account") == 21


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_stumbling_ca_is_asked_again(status: int) -> None:
    """Server errors that go away within a minute are not noticed by anybody."""
    server = AcmeServer()
    session = registered(server)
    server.fail("/account", reply(status, "<html>oops</html>", content_type="text/html"), times=4)
    assert account.fetch(session).status == "valid"
    assert 8 < sum(server.clock.naps) < 60


def test_a_ca_that_stays_down_is_unreachable() -> None:
    """Server errors that do not go away end within a minute, with the CA's words and its Retry-After."""
    server = AcmeServer()
    session = registered(server)
    server.fail("/account", problem("serverInternal", 503, "in maintenance", headers={"retry-after": "7200"}), times=99)
    with pytest.raises(DirectoryUnreachable) as caught:
        account.fetch(session)
    assert "in maintenance" in caught.value.why
    assert caught.value.retry_at == server.clock.now() + timedelta(hours=2)
    assert server.clock.naps == []


def test_a_lost_reply_is_asked_for_again() -> None:
    """A connection that breaks after the request arrived costs a retry, not the operation."""
    server = AcmeServer()
    session = registered(server)
    server.fail("/account", LOST, after=True, times=2)
    assert account.fetch(session).status == "valid"


def test_an_unreachable_ca_says_what_to_check() -> None:
    """Without any connection the error names the reason, and comes within a minute."""
    server = AcmeServer()
    session = a_session(server, transport=CannedTransport(LOST))
    with pytest.raises(DirectoryUnreachable) as caught:
        _ = session.directory
    assert "reset by peer" in caught.value.why
    assert sum(server.clock.naps) < 60


def test_a_hanging_ca_is_not_asked_for_ever() -> None:
    """Requests that time out after 30 s each are not repeated beyond the minute."""
    server = AcmeServer()

    def hang(asked: Any) -> Response:
        server.clock.advance(seconds=30)
        raise TransportFailure("timeout", "ca.test did not respond within 30 s.")

    transport = CannedTransport(hang)
    with pytest.raises(DirectoryUnreachable) as caught:
        _ = a_session(server, transport=transport).directory
    assert "did not respond" in caught.value.why
    assert len(transport.asked) == 2


def test_an_untrusted_ca_is_not_asked_again() -> None:
    """A certificate that does not verify is an error at once."""
    transport = CannedTransport(TransportFailure("untrusted", "The certificate of ca.test does not verify: expired."))
    with pytest.raises(DirectoryUntrusted):
        _ = a_session(AcmeServer(), transport=transport).directory
    assert len(transport.asked) == 1


@pytest.mark.parametrize("value", ["3600", "date"])
def test_a_rate_limit_carries_its_end(value: str) -> None:
    """A 429 with seconds or a date becomes RateLimited with `retry_at`, without waiting."""
    server = AcmeServer()
    session = registered(server)
    end = server.clock.now() + timedelta(hours=1)
    after = format_datetime(end, usegmt=True) if value == "date" else value
    server.fail("/account", problem("rateLimited", 429, "too many certificates", headers={"retry-after": after}))
    with pytest.raises(RateLimited) as caught:
        account.fetch(session)
    assert caught.value.retry_at == end
    assert "too many certificates" in caught.value.why
    assert server.clock.naps == []


def test_a_rate_limit_of_seconds_is_waited_for() -> None:
    """A 429 that ends in three seconds is waited for, and not shortened."""
    server = AcmeServer()
    session = registered(server)
    server.fail("/account", problem("rateLimited", 429, headers={"retry-after": "3"}))
    account.fetch(session)
    assert sum(server.clock.naps) >= 3


def test_a_retry_date_is_measured_by_the_servers_clock() -> None:
    """With our clock an hour wrong, a date ten minutes ahead is still ten minutes ahead."""
    server = AcmeServer()
    session = registered(server)
    theirs = server.clock.now() + timedelta(hours=1)
    headers = {
        "retry-after": format_datetime(theirs + timedelta(minutes=10), usegmt=True),
        "date": format_datetime(theirs, usegmt=True),
    }
    server.fail("/account", problem("rateLimited", 429, headers=headers))
    with pytest.raises(RateLimited) as caught:
        account.fetch(session)
    assert caught.value.retry_at == server.clock.now() + timedelta(minutes=10)
    assert session.clock_skew == -timedelta(hours=1)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(
            reply(200, "<html>Please log in</html>", content_type="text/html"), "web page", id="captive-portal"
        ),
        pytest.param(reply(200, "  <!DOCTYPE html>", content_type="application/json"), "web page", id="html-as-json"),
        pytest.param(reply(200, b'{"newNonce": ', content_type="application/json"), "not valid JSON", id="half-json"),
        pytest.param(
            reply(200, b'{"a": "\xff\xfe"}', content_type="application/json"), "not valid JSON", id="not-utf8"
        ),
        pytest.param(reply(200, b"[" * 100000, content_type="application/json"), "not valid JSON", id="deep-json"),
        pytest.param(reply(200, ["a"]), "not valid JSON", id="json-list"),
        pytest.param(reply(200, b"hello"), 'not a JSON object. It returned HTTP 200: "hello"', id="text"),
        pytest.param(reply(200, {"newNonce": "https://ca.test/n"}), "without newAccount, newOrder", id="incomplete"),
        pytest.param(reply(301, b"", location="https://elsewhere.test/dir"), "elsewhere.test", id="redirect"),
        pytest.param(
            reply(302, b"", content_type="application/json", location="http://portal.test/login"),
            "redirects to http://portal.test/login",
            id="redirect-that-claims-json",
        ),
        pytest.param(Response(status=200, headers={}, body=b"{" * 9, truncated=True), "larger than", id="huge"),
    ],
)
def test_what_is_no_directory_says_so(answer: Response, why: str) -> None:
    """Whatever answers instead of an ACME server becomes DirectoryInvalid with the reason."""
    with pytest.raises(DirectoryInvalid) as caught:
        _ = a_session(AcmeServer(), transport=CannedTransport(answer)).directory
    assert why in caught.value.why


def test_addresses_without_tls_are_refused() -> None:
    """A directory or a resource on plain HTTP is never asked (RFC 8555 §6.1)."""
    transport = CannedTransport(reply(200, {}))
    session = a_session(AcmeServer(), transport=transport)
    with pytest.raises(DirectoryInvalid):
        session.get("http://ca.test/directory")
    assert transport.asked == []


@pytest.mark.parametrize("address", ["https://[", "https://ca.test:99999/x", "https://ca.test/\ud800", "https:///x"])
def test_an_address_that_is_none_is_never_asked(address: str) -> None:
    """What a CA sends in the place of an address, where no request can go, is an invalid answer and not a mistake of ours."""
    transport = CannedTransport(reply(200, {}))
    session = a_session(AcmeServer(), transport=transport)
    with pytest.raises(DirectoryInvalid) as caught:
        session.get(address)
    assert "invalid URL" in caught.value.what
    assert transport.asked == []


def test_a_ca_without_nonces_is_named() -> None:
    """A proxy that strips Replay-Nonce is recognised instead of a loop."""
    names = {name: f"https://ca.test/{name}" for name in ("newNonce", "newAccount", "newOrder")}
    session = a_session(AcmeServer(), transport=CannedTransport(reply(200, {**names})))
    with pytest.raises(DirectoryInvalid) as caught:
        session.post("https://ca.test/newOrder", {})
    assert "Replay-Nonce" in caught.value.why


def test_cancelling_ends_a_wait_for_the_ca() -> None:
    """A cancelled run does not wait for a stumbling CA."""
    server = AcmeServer()
    session = registered(server)

    def stumble(asked: Any) -> Response:
        session.cancel.cancel()
        return reply(500)

    server.fail("/account", stumble, times=9)
    with pytest.raises(Cancelled):
        account.fetch(session)


@pytest.mark.parametrize(
    "body", [b"", b"nope", b"[]", b'{"type": 5, "detail": [], "identifier": "x", "subproblems": {}}']
)
def test_refusals_without_a_problem_document_are_shown(body: bytes) -> None:
    """A 403 with nothing, or nonsense, in it becomes an error of ours with the status."""
    server = AcmeServer()
    session = registered(server)
    server.fail("/account", reply(403, body))
    with pytest.raises(CertdeckError) as caught:
        account.fetch(session)
    assert caught.value.code in ("acme-problem", "directory-invalid")


def test_the_key_is_not_in_any_representation() -> None:
    """Neither the session nor its key shows a secret."""
    session = a_session(AcmeServer())
    assert "PRIVATE" not in f"{session!r}{session.key!r}"
    assert session.key.thumbprint in repr(session.key)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(
            reply(403, "\n  Blocked by policy 17\x1b[31m.\nSecond line", content_type="text/plain"),
            ("HTTP status 403", '"Blocked by policy 17 [31m."'),
            id="plain-text",
        ),
        pytest.param(
            reply(
                403,
                "<html><head><title>Access &amp; identity\n gateway</title></head><body>x</body></html>",
                content_type="text/html",
            ),
            ("HTTP 403", "Access & identity gateway"),
            id="page",
        ),
        pytest.param(reply(401, {"message": "token missing"}), ("HTTP status 401", "token missing"), id="other-json"),
        pytest.param(reply(400, b"\x00\xff\xfe\x01"), ("HTTP status 400", "gave no reason"), id="binary"),
    ],
)
def test_a_refusal_that_is_no_problem_document_keeps_status_and_reason(
    answer: Response, words: tuple[str, str]
) -> None:
    """What a proxy or firewall says reaches the person who has to find it: the status, and a first line or a title."""
    server = AcmeServer()
    session = registered(server)
    server.fail("/account", answer)
    with pytest.raises(CertdeckError) as caught:
        account.fetch(session)
    said = f"{caught.value.what} {caught.value.why}".replace("not an ACME error document", "gave no reason")
    for each in words:
        assert each in said
    assert "Second line" not in said
    assert "\x1b" not in said


@pytest.mark.parametrize("content_type", ["text/plain", "text/html"])
@pytest.mark.parametrize(
    ("after", "until"), [("7200", "Wait until 21 Nov 2026 14:00 UTC"), (None, "Wait until 21 Nov 2026 13:00 UTC")]
)
def test_a_limit_in_plain_text_says_until_when(content_type: str, after: str | None, until: str) -> None:
    """A 429 of a proxy is a rate limit like one of the CA, and says until when: an hour where it names no time."""
    server = AcmeServer()
    session = registered(server)
    headers = {"content_type": content_type} | ({"retry_after": after} if after else {})
    server.fail(
        "/account", reply(429, "<title>Slow down</title>" if "html" in content_type else "Slow down", **headers)
    )
    with pytest.raises(RateLimited) as caught:
        account.fetch(session)
    assert until in caught.value.fix
    assert "Slow down" in caught.value.why


def test_a_page_in_place_of_a_working_server_is_quoted() -> None:
    """A 503 of a load balancer says what stands in its title."""
    server = AcmeServer()
    session = registered(server)
    page = "<html><title>Planned maintenance</title></html>"
    server.fail("/account", reply(503, page, content_type="text/html", retry_after="7200"))
    with pytest.raises(DirectoryUnreachable) as caught:
        account.fetch(session)
    assert "HTTP 503" in caught.value.what
    assert "Planned maintenance" in caught.value.why
