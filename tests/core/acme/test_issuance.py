"""One certificate from order to download, with everything that goes wrong on the way."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509

from core.acme import account
from core.acme.issuance import Obtained, obtain
from core.acme.order import Order, OrderTerms, new_order
from core.acme.session import AcmeSession
from core.errors import (
    AcmeProblem,
    AuthorizationFailed,
    Cancelled,
    CertificateUnusable,
    DirectoryInvalid,
    DirectoryUnreachable,
    IssuerError,
    OrderTimeout,
    RateLimited,
)
from core.events import AuthorizationReused, ChallengeFailed, ChallengeValidated, OrderCreated, Waiting, Warned
from core.identifiers import parse_identifiers
from core.ports import TransportFailure
from tests.support.acme_client import NoProof, Told, a_csr, a_session
from tests.support.acme_server import BASE, URN, AcmeServer, problem
from tests.support.authority import Authority
from tests.support.transport import Asked, reply

NAMES = ("shop.example.com", "www.example.com", "mail.example.com")
LOST = TransportFailure("unreachable", "The connection to ca.test broke: connection reset by peer.")


class Case:
    """A registered session with a scripted CA."""

    def __init__(self) -> None:
        self.server = AcmeServer()
        self.session: AcmeSession = a_session(self.server)
        account.register(self.session, email=None, terms_agreed=True)
        self.told = Told(self.server.clock)
        self.solver = NoProof()
        self.orders: list[Order] = []
        self.server.asked.clear()

    def obtain(self, names: tuple[str, ...] = NAMES, **more: Any) -> Obtained:
        terms = {key: more.pop(key) for key in ("profile", "replaces", "preferred_chain") if key in more}
        arguments: dict[str, Any] = {
            "csr": a_csr(names),
            "solver": self.solver,
            "narrator": self.told.narrator,
            "on_order": self.orders.append,
            **more,
        }
        return obtain(self.session, OrderTerms(identifiers=parse_identifiers(names), **terms), **arguments)


@pytest.fixture
def case() -> Case:
    return Case()


def names_in(obtained: Obtained) -> list[str]:
    leaf = x509.load_pem_x509_certificates(obtained.fullchain_pem)[0]
    return leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)


def test_a_certificate_is_obtained(case: Case) -> None:
    """Order, proof, CSR, download: the chain comes back as sent, and each step was told (CC-08)."""
    obtained = case.obtain()
    assert names_in(obtained) == list(NAMES)
    assert obtained.fullchain_pem.count(b"BEGIN CERTIFICATE") == 2
    assert [order.url for order in case.orders] == [obtained.order_url]
    assert [event.identifier for event in case.told.of(ChallengeValidated)] == list(NAMES)
    assert case.solver.presented == list(NAMES)
    assert case.solver.open == 0


def test_no_authorization_is_read_twice(case: Case) -> None:
    """A name costs two requests, its authorization and its challenge: the order alone is polled."""
    case.obtain()
    assert case.server.count("/authorization") == 3
    assert case.server.count("/challenge") == 3
    assert case.server.count("/order") == 2


def test_the_csr_is_made_once_and_only_when_needed(case: Case) -> None:
    """The CSR, and with it the key, is made while the CA validates, never twice."""
    made: list[int] = []
    make = a_csr(NAMES)

    def csr() -> bytes:
        made.append(case.server.count("/challenge"))
        return make()

    case.obtain(csr=csr)
    assert made == [3]


def test_reused_authorizations_need_no_proof(case: Case) -> None:
    """An order that is ready at once presents nothing and says that earlier validations count."""
    case.obtain()
    case.server.reuses_authorizations = True
    case.solver.presented.clear()
    case.obtain()
    assert case.solver.presented == []
    assert len(case.told.of(AuthorizationReused)) == 3


def test_a_mixed_order_proves_only_what_is_open(case: Case) -> None:
    """Of a name that is valid already and a new one, only the new one is proven."""
    case.obtain(("shop.example.com",))
    case.server.reuses_authorizations = True
    case.solver.presented.clear()
    case.obtain(("shop.example.com", "new.example.com"))
    assert case.solver.presented == ["new.example.com"]
    assert [event.identifier for event in case.told.of(AuthorizationReused)] == ["shop.example.com"]


def test_polling_is_quick_and_then_slows_down(case: Case) -> None:
    """Waiting starts with milliseconds and ends with seconds, without a fixed pause."""
    case.server.pending_looks = 30
    case.obtain()
    naps = case.server.clock.naps
    assert naps[0] == pytest.approx(0.005)
    assert naps == sorted(naps[:-1]) + naps[-1:]
    assert max(naps) == 5.0


def test_retry_after_is_never_undercut(case: Case) -> None:
    """While the CA asks for three seconds between looks, it gets them, and the wait is told."""
    case.server.retry_after, case.server.processing_looks = "3", 2
    case.obtain()
    assert [nap for nap in case.server.clock.naps if nap >= 1] == pytest.approx([3.0, 3.0, 3.0])
    assert case.told.of(Waiting)


def test_an_absurd_retry_after_does_not_hold_us(case: Case) -> None:
    """A Retry-After of a year ends at our own deadline, and the order can be gone on with."""
    case.server.retry_after, case.server.processing_looks = "31536000", 99
    with pytest.raises(OrderTimeout) as caught:
        case.obtain(timeout_seconds=400)
    assert sum(case.server.clock.naps) <= 401
    assert caught.value.details["order"] == case.orders[0].url
    case.server.retry_after, case.server.processing_looks = None, 0
    assert names_in(case.obtain(order_url=case.orders[0].url)) == list(NAMES)
    assert len(case.orders) == 1


def test_an_unknown_order_status_is_an_invalid_response(case: Case) -> None:
    """A status that ACME does not have ends the order at once, with its name, and is not waited for to the deadline."""
    case.server.processing_status, case.server.processing_looks = "contemplating", 99
    with pytest.raises(DirectoryInvalid) as caught:
        case.obtain(timeout_seconds=400)
    assert "contemplating" in caught.value.why
    assert sum(case.server.clock.naps) < 10


@pytest.mark.parametrize("status", ["expired", "deactivated", "revoked"])
def test_a_dead_order_is_not_waited_for(case: Case, status: str) -> None:
    """An order that a CA calls expired, deactivated or revoked is at its end."""
    case.server.processing_status, case.server.processing_looks = status, 99
    with pytest.raises(IssuerError):
        case.obtain(timeout_seconds=400)
    assert sum(case.server.clock.naps) < 10


def test_an_unknown_authorization_status_is_an_invalid_response(case: Case) -> None:
    """An authorization of a status that ACME does not have is refused at once."""
    case.server.authorization_status = "contemplating"
    with pytest.raises(DirectoryInvalid) as caught:
        case.obtain(timeout_seconds=400)
    assert "contemplating" in caught.value.why
    assert sum(case.server.clock.naps) < 10


def test_unknown_challenge_types_are_passed_over(case: Case) -> None:
    """Challenges of unknown types, without token or with a strange one, do not disturb."""
    case.server.extra_challenges = [
        {"type": "dns-persist-01", "url": f"{BASE}/x", "status": "pending"},
        {"type": "http-01", "url": f"{BASE}/x", "token": "../../etc/passwd", "status": "pending"},
        {"type": 7, "token": "abc"},
    ]
    assert names_in(case.obtain()) == list(NAMES)


def test_a_refused_validation_shows_the_cas_words(case: Case) -> None:
    """The failing names are told apart, each with what the CA said, made harmless, and with what to do (SO-44)."""
    words = "1.2.3.4: Fetching http://mail.example.com/: Timeout during connect (likely firewall problem)\x1b]0;pwn\x07"
    case.server.judge = lambda name, kind: (
        {"type": URN + "connection", "detail": words, "status": 400} if name.startswith("mail") else None
    )
    with pytest.raises(AuthorizationFailed) as caught:
        case.obtain()
    error = caught.value
    assert "mail.example.com" in error.what
    assert "shop" not in error.what
    assert "likely firewall problem" in error.why
    assert "\x1b" not in error.why
    assert "port 80" in error.fix.lower()
    assert list(json.loads(json.dumps(error.details["problems"]))) == ["mail.example.com"]
    assert [event.identifier for event in case.told.of(ChallengeFailed)] == ["mail.example.com"]
    assert case.solver.open == 0


def test_a_challenge_type_that_is_not_offered_is_said(case: Case) -> None:
    """A wildcard by HTTP-01 names what the CA offers for it instead."""
    with pytest.raises(AuthorizationFailed) as caught:
        case.obtain(("*.example.com",))
    assert "*.example.com" in caught.value.what
    assert "dns-01" in caught.value.why


def test_names_are_proven_in_the_order_in_which_they_were_given(case: Case) -> None:
    """A CA that lists authorizations in another order, or another one each time, does not move the records of a person."""
    names = ("www.example.com", "example.com", "api.example.com")
    case.obtain(names)
    assert case.solver.presented == list(names)
    case.server.shuffles = True
    case.solver.presented.clear()
    case.obtain(names)
    assert case.solver.presented == list(names)


def test_a_resumed_order_goes_on_where_it_was(case: Case) -> None:
    """An order whose proofs were in place when the process died is finished, not placed again."""
    order = new_order(case.session, OrderTerms(identifiers=parse_identifiers(NAMES)))
    obtained = case.obtain(order_url=order.url)
    assert obtained.order_url == order.url
    assert case.server.count("/new-order") == 1
    assert [event.resumed for event in case.told.of(OrderCreated)] == [True]


def test_a_finished_order_is_only_fetched(case: Case) -> None:
    """When the process died before storing the certificate, it is downloaded again from the same order."""
    first = case.obtain()
    case.server.asked.clear()
    again = case.obtain(order_url=first.order_url)
    assert again.fullchain_pem == first.fullchain_pem
    assert len(case.server.asked) == 2


@pytest.mark.parametrize("fate", ["invalid", "expired", "gone"])
def test_an_order_that_came_to_nothing_is_replaced(case: Case, fate: str) -> None:
    """A remembered order that is invalid, too old or unknown costs nothing but a look."""
    order = new_order(case.session, OrderTerms(identifiers=parse_identifiers(NAMES)))
    if fate == "invalid":
        case.server.orders[order.url].document["status"] = "invalid"
    elif fate == "expired":
        case.server.clock.advance(days=8)
    else:
        del case.server.orders[order.url]
    obtained = case.obtain(order_url=order.url)
    assert obtained.order_url != order.url
    assert [each.url for each in case.orders] == [obtained.order_url]


@pytest.mark.parametrize("path", ["/new-order", "/order", "/authorization", "/challenge", "/finalize", "/certificate"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_broken_connection_at_any_request_costs_nothing(case: Case, path: str, after: bool) -> None:
    """Whether the request or the reply was lost, and wherever: the certificate comes."""
    case.server.fail(path, LOST, after=after)
    assert names_in(case.obtain()) == list(NAMES)
    assert len(case.server.certificates) == 1


@pytest.mark.parametrize("path", ["/new-order", "/order", "/authorization", "/challenge", "/finalize", "/certificate"])
def test_a_server_error_at_any_request_costs_nothing(case: Case, path: str) -> None:
    """A 500 in the middle is asked again, or, for finalize, looked up in the order."""
    case.server.fail(path, reply(500))
    assert names_in(case.obtain()) == list(NAMES)


def test_finalize_is_not_repeated_for_ever(case: Case) -> None:
    """A CA that never takes the CSR is given up."""
    case.server.fail("/finalize", LOST, times=99)
    with pytest.raises(DirectoryUnreachable):
        case.obtain()
    assert case.server.count("/finalize") == 3


def test_a_refused_csr_is_the_cas_word(case: Case) -> None:
    """badCSR comes through with its words (CC-25)."""
    case.server.fail("/finalize", problem("badCSR", 400, "key too small"))
    with pytest.raises(AcmeProblem) as caught:
        case.obtain()
    assert "key too small" in caught.value.why
    assert "key type" in caught.value.fix


def test_forty_per_cent_bad_nonces_do_not_matter(case: Case) -> None:
    """A whole order with twenty names goes through a nonce storm."""
    case.server.nonce_reject_percent = 40
    names = tuple(f"n{number}.example.com" for number in range(20))
    assert len(names_in(case.obtain(names))) == 20


def test_replaces_is_dropped_when_the_ca_objects(case: Case) -> None:
    """A refused `replaces` never stops a renewal: it is ordered without, and said."""
    case.server.replaced.add("aki.serial")
    assert names_in(case.obtain(replaces="aki.serial")) == list(NAMES)
    assert [event.code for event in case.told.of(Warned)] == ["replaces-refused"]
    bodies = [each for each in case.server.asked if each.url.endswith("/new-order")]
    assert len(bodies) == 2


def test_a_rate_limited_renewal_is_not_ordered_twice(case: Case) -> None:
    """A rate limit is no reason to order again without `replaces`."""
    case.server.fail("/new-order", problem("rateLimited", 429, headers={"retry-after": "86400"}))
    with pytest.raises(RateLimited) as caught:
        case.obtain(replaces="aki.serial")
    assert caught.value.retry_at == case.server.clock.now() + timedelta(days=1)
    assert case.server.count("/new-order") == 1


def test_a_profile_reaches_the_order(case: Case) -> None:
    """The profile is sent, and an unknown one is refused in words."""
    case.server.meta["profiles"] = {"shortlived": "six days"}
    case.obtain(profile="shortlived")
    assert case.orders[0].profile == "shortlived"
    with pytest.raises(AcmeProblem) as caught:
        case.obtain(profile="nope")
    assert "profile" in caught.value.what


def test_the_preferred_chain_is_chosen(case: Case) -> None:
    """Of several chains the one whose last issuer has the wanted name is taken; a missing one is said."""
    other = Authority.new("Other", now=case.server.clock.now())
    names = ("shop.example.com",)
    case.server.issue = lambda csr: case.server.chain_for(csr)
    case.server.alternates = [b"not a certificate", b""]
    case.obtain(names)
    leaf = case.server.certificates[next(iter(case.server.certificates))].split(b"-----END CERTIFICATE-----")[0]
    case.server.alternates.append(leaf + b"-----END CERTIFICATE-----\n" + other.chain_pem)
    obtained = case.obtain(names, preferred_chain="Other Root")
    assert obtained.chain_matched
    assert obtained.fullchain_pem.endswith(other.chain_pem)
    missing = case.obtain(names, preferred_chain="Nobody Root")
    assert not missing.chain_matched
    assert [event.code for event in case.told.of(Warned)] == ["chain-not-offered"]


@pytest.mark.parametrize("body", [b"", b"<html>busy</html>", b"-----BEGIN NONSENSE-----"])
def test_something_else_than_a_certificate_is_refused(case: Case, body: bytes) -> None:
    """A download that is no PEM ends in words, and the order stays to be fetched from again."""
    case.server.issue = lambda csr: body
    with pytest.raises((CertificateUnusable, DirectoryInvalid)):
        case.obtain()


def test_what_the_ca_issued_is_handed_on_unjudged(case: Case) -> None:
    """A wrong certificate is for the caller to find: it comes back byte for byte."""
    wrong = case.server.authority.leaf(["other.example.org"]).fullchain_pem
    case.server.issue = lambda csr: wrong
    assert case.obtain().fullchain_pem == wrong


def test_an_order_without_its_fields_is_no_order(case: Case) -> None:
    """An order without status or finalize is refused instead of guessed."""
    case.server.fail("/new-order", reply(201, {"status": "pending"}, location=f"{BASE}/order/1"))
    with pytest.raises(DirectoryInvalid):
        case.obtain()


@pytest.mark.parametrize("authorizations", [None, "https://ca.test/authz/1", [], [5]])
def test_a_pending_order_without_authorizations_is_not_waited_for(case: Case, authorizations: object) -> None:
    """Nothing can be proved for it, so it never becomes ready: the order is refused at once."""
    order = {"status": "pending", "finalize": f"{BASE}/finalize/1", "authorizations": authorizations}
    case.server.fail("/new-order", reply(201, order, location=f"{BASE}/order/1"))
    with pytest.raises(DirectoryInvalid) as caught:
        case.obtain()
    assert "authorization" in caught.value.why
    assert case.server.clock.naps == []


def test_cancelling_ends_an_order_at_once(case: Case) -> None:
    """A run that is cancelled while the CA works stops, takes its proofs away, and the order can be resumed."""
    case.server.pending_looks = 99

    def stop(asked: Asked) -> None:
        case.session.cancel.cancel()

    case.server.fail("/order", stop)
    with pytest.raises(Cancelled):
        case.obtain()
    assert case.solver.open == 0


def test_a_far_ca_is_asked_in_parallel(case: Case) -> None:
    """When a request takes a tenth of a second, authorizations are worked on by several threads at once."""
    import threading

    meeting = threading.Barrier(2, timeout=10)
    entered: list[str] = []

    class Far:
        def request(self, method: str, url: str, **more: Any) -> Any:
            if "/authorization/" in url:
                entered.append(url)
                case.server.clock.advance(milliseconds=100)
                if 2 <= len(entered) <= 3:
                    meeting.wait()  # the second and third arrive only together
            return case.server.request(method, url, **more)

        def close(self) -> None:
            """Have nothing to close."""

    case.session = a_session(case.server, transport=Far())
    account.register(case.session, email=None, terms_agreed=True)
    assert names_in(case.obtain()) == list(NAMES)


@pytest.mark.parametrize("path", ["/new-order", "/authorization", "/certificate"])
def test_an_answer_that_lacks_everything_is_quoted(case: Case, path: str) -> None:
    """Text in the place of an order, an authorization or a certificate is shown with its status."""
    case.server.fail(path, reply(200, "Service busy, ask later", content_type="text/plain", location=f"{BASE}/x"))
    with pytest.raises((DirectoryInvalid, CertificateUnusable)) as caught:
        case.obtain()
    assert 'HTTP 200: "Service busy, ask later"' in caught.value.why
