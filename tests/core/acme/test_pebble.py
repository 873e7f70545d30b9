"""The whole client against a real CA: Pebble, over real sockets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from core.acme import account, renewal_info
from core.acme.account import ExternalAccountBinding
from core.acme.account_key import AccountKey
from core.acme.certificate import top_issuer
from core.acme.issuance import Obtained, obtain
from core.acme.order import OrderTerms, new_order
from core.acme.revoke import revoke
from core.acme.session import AcmeSession
from core.challenges import Solver
from core.challenges.http01 import Responder
from core.challenges.webroot import Webroot
from core.errors import AccountDeactivated, AcmeProblem, AuthorizationFailed, Cancelled, EabRequired, TermsNotAgreed
from core.events import ValidatorSeen, Warned
from core.identifiers import parse_identifiers
from core.ports import CancelToken
from core.system import environment
from core.x509.certificate import parse_pem
from tests.support.acme_client import NoProof, Told, a_csr
from tests.support.clock import FakeClock
from tests.support.pebble import PebbleServer

pytestmark = pytest.mark.e2e

Pebbles = Callable[..., PebbleServer]
Names = Callable[[str], str]


class Box:
    """A real environment with an account at a Pebble."""

    def __init__(self, pebble: PebbleServer, *, key: AccountKey | None = None, register: bool = True) -> None:
        self.pebble = pebble
        self.env = environment({})
        self.told = Told(FakeClock())
        self.session = AcmeSession(
            transport=self.env.transport(str(pebble.ca_pem)),
            clock=self.env.clock,
            random=self.env.random,
            directory_url=pebble.directory_url,
            key=key or AccountKey.generate(),
            cancel=CancelToken(),
            issuer="pebble",
        )
        if register:
            account.register(self.session, email=None, terms_agreed=True)
        self.responder = Responder(self.env.listener, "127.0.0.1", pebble.http01_port)

    def obtain(self, names: Sequence[str], *, solver: Solver | None = None, **more: Any) -> Obtained:
        terms = {key: more.pop(key) for key in ("profile", "replaces", "preferred_chain") if key in more}
        return obtain(
            self.session,
            OrderTerms(identifiers=parse_identifiers(names), **terms),
            csr=a_csr(names),
            solver=solver or self.responder,
            narrator=self.told.narrator,
            **more,
        )


def leaf_of(obtained: Obtained) -> x509.Certificate:
    return x509.load_pem_x509_certificates(obtained.fullchain_pem)[0]


def names_of(obtained: Obtained) -> list[str]:
    san = leaf_of(obtained).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(san.get_values_for_type(x509.DNSName))


def test_one_certificate_takes_nine_requests(pebble: PebbleServer, fresh_name: Names) -> None:
    """SF-01, SF-03: one name from order to certificate, with no request more than the protocol needs."""
    box = Box(pebble)
    name = fresh_name("one")
    marker = len(pebble.log)
    obtained = box.obtain([name])
    assert names_of(obtained) == [name]
    assert [event.identifier for event in box.told.of(ValidatorSeen)] == [name]
    requests = [line for line in pebble.log[marker:].splitlines() if " POST " in line or " HEAD " in line]
    assert len(requests) <= 8


def test_fifty_orders_share_one_session_and_one_port(pebble: PebbleServer, fresh_name: Names) -> None:
    """Fifty orders in eight threads go through one account, one nonce pool and one listener."""
    box = Box(pebble)
    orders = [[fresh_name("many")] for _ in range(50)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(box.obtain, orders))
    assert [names_of(each) for each in results] == orders


def test_a_hundred_names_at_once(pebble: PebbleServer, fresh_name: Names) -> None:
    """SO-03, SO-17: one certificate with a hundred names, every one validated."""
    names = [fresh_name("hundred") for _ in range(100)]
    assert names_of(Box(pebble).obtain(names)) == sorted(names)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"nonce_reject": 5}, id="default-nonces"),
        pytest.param({"nonce_reject": 50}, id="nonce-storm"),
        pytest.param({"always_valid": True, "authz_reuse": 100}, id="always-valid"),
        pytest.param({"nonce_reject": 5, "retry_after": (1, 1)}, id="retry-after"),
        pytest.param(
            {"nosleep": False, "nonce_reject": 5, "extra_env": {"PEBBLE_VA_SLEEPTIME": "1"}}, id="slow-validation"
        ),
    ],
)
def test_pebbles_own_nuisances_are_borne(pebbles: Pebbles, fresh_name: Names, options: dict[str, object]) -> None:
    """Refused nonces, Retry-After and slow validations do not keep certificates from coming."""
    box = Box(pebbles(**options))
    names = [fresh_name("nuisance") for _ in range(5)]
    assert names_of(box.obtain(names)) == sorted(names)


def test_a_ca_that_refuses_every_nonce_ends_in_words(pebbles: Pebbles) -> None:
    """The run ends soon, and says that the CA's anti-replay numbers are at fault."""
    box = Box(pebbles(nonce_reject=100), register=False)
    with pytest.raises(AcmeProblem) as caught:
        account.register(box.session, email=None, terms_agreed=True)
    assert "outdated" in caught.value.what


def test_a_wrong_answer_is_refused_with_the_cas_words(pebble: PebbleServer, fresh_name: Names) -> None:
    """When nothing answers the challenge, the error has Pebble's own words and the name."""
    name = fresh_name("refused")
    with pytest.raises(AuthorizationFailed) as caught:
        Box(pebble).obtain([name], solver=NoProof())
    assert name in caught.value.what
    assert 'The CA says: "' in caught.value.why
    assert "port 80" in caught.value.fix.lower()


def test_a_webroot_serves_as_well(pebble: PebbleServer, fresh_name: Names, tmp_path: Path) -> None:
    """SO-22: token files below the document root of another web server validate."""
    import functools
    import http.server

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", pebble.http01_port), handler) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        try:
            name = fresh_name("webroot")
            assert names_of(Box(pebble).obtain([name], solver=Webroot(tmp_path))) == [name]
        finally:
            server.shutdown()
            serving.join()
    assert list(tmp_path.iterdir()) == []


def test_an_order_is_resumed_by_another_process(pebble: PebbleServer, fresh_name: Names) -> None:
    """An order that was only placed is finished by a new session with the same key, from its URL alone."""
    first = Box(pebble)
    names = [fresh_name("resume"), fresh_name("resume")]
    order = new_order(first.session, OrderTerms(identifiers=parse_identifiers(names)))
    second = Box(pebble, key=AccountKey.from_pem(first.session.key.to_pem()))
    obtained = second.obtain(names, order_url=order.url)
    assert obtained.order_url == order.url


def test_an_unknown_order_is_replaced(pebble: PebbleServer, fresh_name: Names) -> None:
    """An order that the CA does not know any more costs nothing."""
    box = Box(pebble)
    name = fresh_name("gone")
    gone = pebble.directory_url.replace("/dir", "/my-order/never-existed")
    assert names_of(box.obtain([name], order_url=gone)) == [name]


def test_valid_authorizations_are_reused(pebbles: Pebbles, fresh_name: Names) -> None:
    """When the CA still believes the names, nothing is proven again."""
    box = Box(pebbles(authz_reuse=100))
    name = fresh_name("reuse")
    box.obtain([name])
    solver = NoProof()
    box.obtain([name], solver=solver)
    assert solver.presented == []


@pytest.mark.parametrize("kind", ["ec-256", "ec-384", "ec-521", "rsa-2048"])
def test_accounts_of_every_key_kind_work(pebble: PebbleServer, fresh_name: Names, kind: str) -> None:
    """Each kind of account key signs what Pebble accepts; the account rolls over and is given up."""
    box = Box(pebble, key=AccountKey.generate(kind))
    url = account.fetch(box.session).url
    assert names_of(box.obtain([name := fresh_name("kind")])) == [name]
    account.roll_over(box.session, AccountKey.generate())
    assert account.look_up(box.session) is not None
    assert box.session.kid == url
    account.deactivate(box.session)
    with pytest.raises(AccountDeactivated):
        account.fetch(box.session)


def test_terms_and_contact(pebble: PebbleServer) -> None:
    """CC-05: terms come from the directory, and the contact is optional and changeable."""
    box = Box(pebble, register=False)
    with pytest.raises(TermsNotAgreed):
        account.register(box.session, email=None, terms_agreed=False)
    account.register(box.session, email="a@example.com", terms_agreed=True)
    assert account.set_contact(box.session, "b@example.com").contact == ("b@example.com",)


def test_external_account_binding(pebbles: Pebbles) -> None:
    """CC-06: a CA that wants a binding gets one that verifies."""
    hmac = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    pebble = pebbles(eab_keys={"kid-1": hmac})
    box = Box(pebble, register=False)
    with pytest.raises(EabRequired):
        account.register(box.session, email=None, terms_agreed=True)
    eab = ExternalAccountBinding.parse("kid-1", hmac)
    assert account.register(box.session, email=None, terms_agreed=True, eab=eab)[1]


def test_renewal_information_and_replaces(pebble: PebbleServer, fresh_name: Names) -> None:
    """RFC 9773: the window is read, a renewal names what it replaces, and a second one goes on without."""
    box = Box(pebble)
    name = fresh_name("ari")
    pem = box.obtain([name]).fullchain_pem
    identifier = parse_pem(pem)[0].renewal_id
    assert identifier is not None
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    pebble.set_renewal_info(pem.split(b"-----END CERTIFICATE-----")[0] + b"-----END CERTIFICATE-----\n", start, start)
    window = renewal_info.fetch(box.session, identifier)
    assert window is not None
    assert window.start == start
    box.obtain([name], replaces=identifier)
    assert box.told.of(Warned) == []
    box.obtain([name], replaces=identifier)
    assert [event.code for event in box.told.of(Warned)] == ["replaces-refused"]


def test_alternate_chains(pebbles: Pebbles, fresh_name: Names) -> None:
    """A preferred chain is found among the alternates by its last issuer."""
    box = Box(pebbles(alternate_roots=2, chain_length=2))
    name = fresh_name("chain")
    default = top_issuer(box.obtain([name]).fullchain_pem)
    roots = [x509.load_pem_x509_certificate(box.pebble.root_pem(number)) for number in range(3)]
    other = next(
        str(root.subject.rfc4514_string()).removeprefix("CN=")
        for root in roots
        if str(root.subject.rfc4514_string()).removeprefix("CN=") != default
    )
    obtained = box.obtain([name], preferred_chain=other)
    assert obtained.chain_matched
    assert top_issuer(obtained.fullchain_pem) == other


def test_profiles_reach_the_certificate(pebbles: Pebbles, fresh_name: Names) -> None:
    """A profile decides the lifetime."""
    box = Box(pebbles(profiles={"default": 90 * 86400, "shortlived": 6 * 86400}))
    assert set(box.session.directory.profiles) == {"default", "shortlived"}
    leaf = leaf_of(box.obtain([fresh_name("profile")], profile="shortlived"))
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc < timedelta(days=7)


def test_revocation(pebble: PebbleServer, fresh_name: Names) -> None:
    """A revoked certificate is revoked at the CA, and revoking again is no failure."""
    box = Box(pebble)
    leaf = leaf_of(box.obtain([fresh_name("revoke")]))
    for _ in range(2):
        revoke(box.session, leaf.public_bytes(Encoding.DER), "superseded")
    assert pebble.certificate_status(leaf.serial_number)["Status"] == "Revoked"


def test_cancelling_takes_no_time(pebbles: Pebbles, fresh_name: Names) -> None:
    """A cancelled order stops while the CA still validates, and closes the port."""
    import time

    box = Box(pebbles(nosleep=False, extra_env={"PEBBLE_VA_SLEEPTIME": "30"}))
    threading.Timer(0.5, box.session.cancel.cancel).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        box.obtain([fresh_name("cancel")])
    assert time.monotonic() - began < 20
    with box.env.listener.listen("127.0.0.1", box.pebble.http01_port, box.responder.answer):
        pass
