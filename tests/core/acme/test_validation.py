"""Names that fail: each CA shows it somewhere else, and everywhere the wait ends with the CA's words."""

from __future__ import annotations

from typing import Any

import pytest

from core.acme import account
from core.acme.issuance import Obtained, obtain
from core.acme.order import Order, OrderTerms
from core.acme.session import AcmeSession
from core.errors import AuthorizationFailed
from core.events import Waiting
from core.identifiers import parse_identifiers
from tests.support.acme_client import NoProof, Told, a_csr, a_session
from tests.support.acme_server import URN, AcmeServer, problem
from tests.support.transport import reply

NAMES = ("shop.example.com", "www.example.com")
CLOSED = {"type": URN + "connection", "detail": "192.0.2.7: connection refused", "status": 400}


class Case:
    """A registered session with a CA for which the second name fails."""

    def __init__(self, shows_in: str) -> None:
        self.server = AcmeServer()
        self.session: AcmeSession = a_session(self.server)
        account.register(self.session, email=None, terms_agreed=True)
        self.told = Told(self.server.clock)
        self.orders: list[Order] = []
        self.server.failure_shows_in = shows_in
        self.server.judge = lambda name, kind: CLOSED if name == "www.example.com" else None
        self.server.asked.clear()

    def obtain(self, **more: Any) -> Obtained:
        return obtain(
            self.session,
            OrderTerms(identifiers=parse_identifiers(NAMES)),
            csr=a_csr(NAMES),
            solver=NoProof(),
            narrator=self.told.narrator,
            on_order=self.orders.append,
            **more,
        )

    @property
    def waited(self) -> float:
        return sum(self.server.clock.naps)


@pytest.mark.parametrize("shows_in", ["order", "challenge", "refusal"])
def test_a_name_that_failed_ends_the_wait_at_once(shows_in: str) -> None:
    """Whether order, challenge or the refusal of the answer says it: the error names the CA's cause within a second."""
    case = Case(shows_in)
    with pytest.raises(AuthorizationFailed) as caught:
        case.obtain()
    assert "www.example.com" in caught.value.what
    assert "shop" not in caught.value.what
    assert "192.0.2.7: connection refused" in caught.value.why
    assert case.waited < 1


def test_a_cause_that_names_share_is_explained_once() -> None:
    """Names that fail for the same reason are listed together, with one explanation; the details have each of them."""
    case = Case("order")
    case.server.judge = lambda name, kind: CLOSED
    with pytest.raises(AuthorizationFailed) as caught:
        case.obtain()
    assert caught.value.why.count("connection refused") == 1
    assert caught.value.why.startswith(", ".join(NAMES))
    assert set(caught.value.details["problems"]) == set(NAMES)


def test_a_failure_that_only_the_authorization_shows_is_found() -> None:
    """A challenge that fails after its answer, in an order that stays pending, is found by looking at the authorizations."""
    case = Case("challenge")
    case.server.judge = lambda name, kind: None

    def later(asked: Any) -> Any:
        for made in case.server.authorizations.values():
            if made.more["ordered"] == "www.example.com":
                failed = case.waited > 3
                made.document["status"] = "invalid" if failed else "pending"
                made.document["challenges"][0].update(status="invalid" if failed else "processing", error=CLOSED)
        return reply(200, case.server.orders[asked.url].document)

    case.server.fail("/order", later, times=10**6)
    with pytest.raises(AuthorizationFailed) as caught:
        case.obtain()
    assert "connection refused" in caught.value.why
    assert case.waited < 12


def test_an_error_in_a_pending_challenge_is_told_at_once_and_ends_the_wait_after_a_grace() -> None:
    """A CA that leaves everything pending is not waited for to the end: the reason is shown at once, and named in the error."""
    case = Case("error")
    with pytest.raises(AuthorizationFailed) as caught:
        case.obtain()
    assert "192.0.2.7: connection refused" in caught.value.why
    assert "port 80" in caught.value.fix.lower()
    assert 30 <= case.waited <= 60
    waits = case.told.of(Waiting)
    assert [wait.why for wait in waits] == [
        "the CA validates the names; it reports www.example.com: 192.0.2.7: connection refused"
    ]


def test_a_challenge_that_passes_within_the_grace_is_no_failure() -> None:
    """The answer is sent again meanwhile (RFC 8555 §8.2), so a port that opens in time still brings the certificate."""
    case = Case("error")
    case.server.judge = lambda name, kind: CLOSED if name == "www.example.com" and case.waited < 10 else None
    assert case.obtain().fullchain_pem
    assert case.waited < 30


@pytest.mark.parametrize("shows_in", ["challenge", "error"])
def test_an_order_whose_names_have_failed_is_not_taken_up_again(shows_in: str) -> None:
    """An order that the CA still calls pending, with a name that has failed, is replaced by a new one at once."""
    case = Case(shows_in)
    with pytest.raises(AuthorizationFailed):
        case.obtain()
    for made in case.server.authorizations.values():
        if made.more["ordered"] == "www.example.com":
            made.document["status"] = "invalid"
    case.server.judge = lambda name, kind: None
    obtained = case.obtain(order_url=case.orders[0].url)
    assert obtained.order_url != case.orders[0].url
    assert len(case.orders) == 2


def test_one_wait_is_told_once() -> None:
    """While the same thing is waited for, no second line says so."""
    case = Case("order")
    case.server.judge = lambda name, kind: None
    case.server.pending_looks = 40
    case.obtain()
    assert case.waited > 100
    assert len(case.told.of(Waiting)) == 1


def test_a_retry_after_of_minutes_is_not_slept_through() -> None:
    """A CA that says 600 seconds, and is done after one, is asked again within seconds; no end is promised that is not kept."""
    case = Case("order")
    case.server.judge = lambda name, kind: None
    case.server.retry_after, case.server.processing_looks = "600", 0
    case.obtain()
    assert case.waited <= 20
    assert [wait.until for wait in case.told.of(Waiting)] == [None]


def test_authorizations_are_left_alone_while_nothing_is_wrong() -> None:
    """Names that are valid are not looked at again and again while an order is slow."""
    case = Case("order")
    case.server.judge = lambda name, kind: None
    case.server.pending_looks = 40
    case.obtain()
    assert case.server.count("/authorization") == 4


def test_later_answers_need_not_repeat_what_is_known() -> None:
    """An order that says only its status in later answers is gone on with by its first answer."""
    case = Case("order")
    case.server.judge = lambda name, kind: None

    def shorten(asked: Any) -> Any:
        url = asked.url.replace("/finalize/", "/order/")
        document = case.server.orders[url].document
        kept = {key: value for key, value in document.items() if key in ("status", "certificate")}
        return reply(200, kept)

    case.server.fail("/order", shorten, times=99, after=True)
    case.server.fail("/finalize", shorten, times=99, after=True)
    assert case.obtain().fullchain_pem


def test_a_look_that_the_ca_refuses_does_not_end_a_good_order() -> None:
    """A CA that lets nobody look at authorizations again is waited for by its order alone."""
    case = Case("order")
    case.server.judge = lambda name, kind: None
    case.server.pending_looks = 30

    def hide(asked: Any) -> Any:
        return problem("malformed", 404) if case.waited > 0.5 else None

    case.server.fail("/authorization", hide, times=99)
    assert case.obtain().fullchain_pem
