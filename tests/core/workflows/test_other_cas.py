"""CAs that behave as internal ones do: accounts that must be made again, contacts that are wanted, answers that say otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from core.errors import AccountError, AcmeProblem, CertdeckError, ContactRequired, EabRequired, TermsNotAgreed
from core.events import KeyUsed, Warned
from core.operations import IssueRequest
from core.ports import Response
from core.store import renewal_state
from core.store.accounts import list_accounts
from tests.support.acme_server import BASE, URN, problem
from tests.support.appliance import CONFIG, Appliance
from tests.support.transport import Asked, CannedTransport, reply

NAME = "shop.example.com"
UNAGREED = CONFIG.replace("agree_tos = true\n", "")


@pytest.fixture
def unagreed(tmp_path_factory: pytest.TempPathFactory) -> Appliance:
    """A box whose configuration agrees to nothing."""
    return Appliance(tmp_path_factory.mktemp("home") / "box", UNAGREED)


def forget_accounts(box: Appliance) -> None:
    """Let the CA lose its accounts, and everything that belonged to them."""
    for kept in (box.ca.accounts, box.ca.orders, box.ca.authorizations, box.ca.challenges):
        kept.clear()


# -- accounts that are made again --------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["forgotten", "deactivated"])
def test_consent_and_contact_outlive_the_account(unagreed: Appliance, how: str) -> None:
    """What was agreed to and given once is used when the account has to be made again while nobody is there."""
    unagreed.issue(NAME, agree_tos=True, email="admin@example.com")
    if how == "deactivated":
        unagreed.engine.deactivate_account("ca")
        assert unagreed.engine.accounts() == ()
    else:
        forget_accounts(unagreed)
    unagreed.issue(NAME, force=True)
    [account] = [each for each in unagreed.ca.accounts.values() if each["status"] == "valid"]
    assert account["contact"] == ["mailto:admin@example.com"]
    [record] = list_accounts(unagreed.paths)
    assert (record.contact, record.terms) == ("admin@example.com", f"{BASE}/terms")


def test_new_terms_are_asked_for_again(unagreed: Appliance) -> None:
    """Consent is to the terms that were shown: other terms need another answer."""
    unagreed.issue(NAME, agree_tos=True)
    forget_accounts(unagreed)
    unagreed.ca.meta["termsOfService"] = f"{BASE}/terms-of-next-year"
    with pytest.raises(TermsNotAgreed) as caught:
        unagreed.issue(NAME, force=True)
    assert "terms-of-next-year" in caught.value.why
    unagreed.ca.meta["termsOfService"] = f"{BASE}/terms"
    unagreed.issue(NAME, force=True)


def test_a_killed_deactivation_does_not_bring_the_old_key_back(appliance: Appliance) -> None:
    """Dead before the key was removed, the next order makes a new key: the old one is of no use any more at the CA."""
    appliance.issue(NAME)
    [record] = list_accounts(appliance.paths)
    vault = appliance.engine.accounts()
    from core.store.accounts import save_account

    save_account(appliance.paths, record.without_account())
    for account in appliance.ca.accounts.values():
        account["status"] = "deactivated"
    appliance.issue(NAME, force=True)
    assert appliance.engine.accounts()[0].thumbprint != vault[0].thumbprint


# -- contacts ----------------------------------------------------------------------------------------------------------


def test_a_missing_contact_is_told_as_such(appliance: Appliance) -> None:
    """A CA that wants a contact is not a bug to report: the error says which option gives it, and it works."""
    appliance.ca.wants_contact = True
    with pytest.raises(ContactRequired) as caught:
        appliance.issue(NAME)
    assert "Contact information is missing" in caught.value.why
    assert "--email" in caught.value.fix
    assert "report" not in caught.value.fix
    appliance.issue(NAME, email="admin@example.com")
    with pytest.raises(ContactRequired):
        appliance.engine.set_account_contact("ca", None)


def test_a_contact_that_the_ca_keeps_is_not_told_as_gone(appliance: Appliance) -> None:
    """The answer is compared with what was asked for; a contact that the CA keeps stays in the list."""
    appliance.issue(NAME, email="admin@example.com")
    appliance.ca.keeps_accounts_as_they_are = True
    with pytest.raises(AccountError) as caught:
        appliance.engine.set_account_contact("ca", None)
    assert "keeps admin@example.com" in caught.value.what
    assert appliance.engine.accounts()[0].contact == "admin@example.com"


def test_an_account_that_the_ca_keeps_is_not_told_as_given_up(appliance: Appliance) -> None:
    """A deactivation that is answered with a valid account is none, and nothing is forgotten here."""
    appliance.issue(NAME)
    appliance.ca.keeps_accounts_as_they_are = True
    with pytest.raises(AccountError) as caught:
        appliance.engine.deactivate_account("ca")
    assert "its status is valid" in caught.value.what
    assert len(appliance.engine.accounts()) == 1


# -- revocation --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(reply(200, b"", content_type="application/json"), id="empty-json"),
        pytest.param(reply(200, b"", content_type="text/html; charset=utf-8"), id="empty-html"),
        pytest.param(reply(204, b"<html>done</html>", content_type="text/html"), id="a-page"),
    ],
)
def test_a_revocation_that_was_done_is_done(appliance: Appliance, answer: Response) -> None:
    """A 2xx answer to a revocation is all there is to it, whatever body and type come with it (RFC 8555 §7.6)."""
    appliance.issue(NAME)
    appliance.ca.fail("/revoke-cert", answer, after=True)
    appliance.engine.revoke(NAME, reason="superseded")
    assert list(appliance.ca.revoked.values()) == [4]
    assert renewal_state.load(appliance.paths, NAME).revoked is not None


def test_without_an_account_the_certificates_own_key_revokes(appliance: Appliance) -> None:
    """No account is made for a revocation: it had not ordered the certificate, and terms or a contact could stop it."""
    appliance.issue(NAME)
    appliance.engine.deactivate_account("ca")
    made = appliance.ca.count("/new-account")
    appliance.engine.revoke(NAME, reason="keyCompromise")
    assert list(appliance.ca.revoked.values()) == [1]
    assert appliance.ca.count("/new-account") == made


@pytest.mark.parametrize(
    "refusal",
    [
        problem("unauthorized", 403, "The certificate being revoked is not associated with account http://ca/acct/7"),
        problem("unauthorized", 403, "Account has been deactivated"),
        problem("accountDoesNotExist", 400),
        problem("malformed", 400, "no such serial for this account"),
    ],
)
def test_every_refusal_to_the_account_is_tried_with_the_certificates_key(
    appliance: Appliance, refusal: Response
) -> None:
    """Whatever a CA says to an account that is lost or another one, the certificate's own key still revokes."""
    appliance.issue(NAME)
    appliance.ca.fail("/revoke-cert", refusal)
    appliance.engine.revoke(NAME, reason="keyCompromise", report=appliance.told.append)
    assert list(appliance.ca.revoked.values()) == [1]
    assert any("own certificate" in event.purpose for event in appliance.of(KeyUsed) if isinstance(event, KeyUsed))


# -- words for the request, not for the type alone ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "refusal",
    [
        problem("rejectedIdentifier", 501, "key change is not implemented"),
        problem("unauthorized", 403, "keyChange not offered"),
        reply(405, b"", content_type="text/plain"),
    ],
)
def test_a_key_change_that_is_not_offered_says_so(appliance: Appliance, refusal: Response) -> None:
    """It is not told as a name that was refused, and the way out is named."""
    appliance.issue(NAME)
    appliance.ca.fail("/key-change", refusal)
    with pytest.raises(AcmeProblem) as caught:
        appliance.engine.roll_over_account("ca")
    assert "does not support changing the key" in caught.value.what
    assert "account deactivate" in caught.value.fix
    assert "well-known" not in caught.value.fix


def test_a_revocation_that_is_not_offered_says_so(appliance: Appliance) -> None:
    """A CA that offers the address and not the thing is not told as a wrong web server."""
    appliance.issue(NAME)
    appliance.ca.fail("/revoke-cert", problem("unauthorized", 403, "revocation not offered"), times=2)
    with pytest.raises(AcmeProblem) as caught:
        appliance.engine.revoke(NAME, reason="superseded")
    assert "does not support revocation" in caught.value.what


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("rejectedIdentifier", "identifier limit exceeded"),
        ("malformed", "Order cannot contain more than 100 identifiers"),
        ("malformed", "too many domain names in the order"),
    ],
)
def test_too_many_names_are_told_as_such(appliance: Appliance, word: str, said: str) -> None:
    """The advice is to order fewer names, not to remove one that the CA would not dislike."""
    appliance.ca.fail("/new-order", problem(word, 403, said))
    with pytest.raises(AcmeProblem) as caught:
        appliance.issue(NAME)
    assert "this many names" in caught.value.what
    assert "fewer names" in caught.value.fix


def test_a_refused_binding_is_not_told_as_a_refused_name(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The binding is what is wrong, and the words do not speak of names and web servers."""
    box = Appliance(tmp_path_factory.mktemp("home") / "box")
    box.ca.eab_keys = {"kid-1": b"k" * 32}
    box.engine.set_eab("ca", kid="kid-1", hmac=b"d3JvbmctYnV0LWxvbmctZW5vdWdoLWhlcmU")
    with pytest.raises(AccountError) as caught:
        box.issue(NAME)
    assert "external account binding" in caught.value.what
    assert "control over the name" not in caught.value.why


# -- renewals ----------------------------------------------------------------------------------------------------------


def test_replaces_goes_only_to_cas_with_renewal_information(appliance: Appliance) -> None:
    """A CA without ARI gets no `replaces` (RFC 9773 §5), so none refuses it and none is asked twice."""
    appliance.ca.has_renewal_info = False
    appliance.issue(NAME)
    orders = appliance.ca.count("/new-order")
    report = appliance.engine.renew((NAME,), force=True, report=appliance.told.append)
    assert report.renewed == (NAME,)
    assert appliance.ca.count("/new-order") == orders + 1
    assert appliance.ca.replaced == set()
    assert [event for event in appliance.of(Warned) if getattr(event, "code", "") == "replaces-refused"] == []


# -- what doctor says --------------------------------------------------------------------------------------------------


def test_a_directory_behind_a_proxy_that_hides_https_is_named(appliance: Appliance) -> None:
    """Addresses on plain HTTP are said by the first look at the directory, with the header that the CA's proxy lacks."""
    names = {name: f"http://ca.test/{name}" for name in ("newNonce", "newAccount", "newOrder")}
    appliance.ca.fail("/directory", reply(200, names), times=9)
    for ask in (lambda: appliance.engine.test_issuer("ca"), lambda: appliance.issue(NAME)):
        with pytest.raises(CertdeckError) as caught:
            ask()
        assert "X-Forwarded-Proto" in caught.value.fix


def test_a_binding_that_is_wanted_and_not_set_is_asked_for_by_name(appliance: Appliance) -> None:
    """The fix is a command that can be copied."""
    appliance.ca.meta["externalAccountRequired"] = True
    with pytest.raises(EabRequired) as caught:
        appliance.issue(NAME)
    assert "certdeck account eab ca" in caught.value.fix


@pytest.mark.parametrize(
    ("meta", "config", "found"),
    [
        ({"termsOfService": f"{BASE}/terms"}, UNAGREED, "terms"),
        ({"externalAccountRequired": True}, CONFIG, "eab"),
    ],
)
def test_the_doctor_says_what_an_account_would_lack(
    tmp_path_factory: pytest.TempPathFactory, meta: dict[str, object], config: str, found: str
) -> None:
    """What the directory asks for and is not set here is found before the order, by doctor and by the test of the issuer."""
    box = Appliance(tmp_path_factory.mktemp("home") / "box", config)
    box.ca.meta = meta
    request = IssueRequest(domains=(NAME,))
    assert [each.id for each in box.engine.test_issuer("ca").missing] == [found]
    failed = [each for each in box.engine.doctor(request) if each.status == "fail"]
    assert [each.id for each in failed] == [found]
    assert "certdeck" in failed[0].fix
    assert found not in [each.id for each in box.engine.doctor() if each.status == "fail"]


def test_the_doctor_is_content_with_what_the_request_says(unagreed: Appliance) -> None:
    """Agreement in the request, or an account that is there, is enough."""
    agreeing = IssueRequest(domains=(NAME,), agree_tos=True)
    assert [each for each in unagreed.engine.doctor(agreeing) if each.status == "fail"] == []
    unagreed.issue(NAME, agree_tos=True)
    assert unagreed.engine.test_issuer("ca").missing == ()


def test_an_issuer_that_needs_an_address_is_not_asked_without_one(appliance: Appliance) -> None:
    """For an issuer that is known to need a contact the refusal comes from here, with the option that gives it."""
    appliance.configure("[issuers.sslcom]\nagree_tos = true\n")
    appliance.vendors["acme.ssl.com"] = CannedTransport(reply(200, appliance.ca._directory()))
    with pytest.raises(ContactRequired) as caught:
        appliance.issue(NAME, issuer="sslcom", key_type="ec-256")
    assert "--email" in caught.value.fix


# -- requests and names ------------------------------------------------------------------------------------------------


def test_a_common_name_is_sent_where_the_issuer_is_set_to_get_one(appliance: Appliance) -> None:
    """A CA that refuses a request without a common name names the setting in its advice, and with it the order goes through."""
    subjects: list[str] = []

    def issue(csr: x509.CertificateSigningRequest) -> bytes:
        subjects.append(csr.subject.rfc4514_string())
        return appliance.ca.chain_for(csr)

    appliance.ca.issue = issue
    appliance.ca.fail("/finalize", problem("badCSR", 400, "CSR has no common name"))
    with pytest.raises(AcmeProblem) as caught:
        appliance.issue(NAME)
    assert "common_name = true" in caught.value.fix
    appliance.paths.config.write_text(CONFIG.replace("agree_tos", "common_name = true\nagree_tos"))
    long = f"{'a' * 60}.example.com"
    appliance.reopened().issue(IssueRequest(domains=(long, NAME), name="named"))
    assert subjects == [f"CN={NAME}"]


def test_one_dead_name_of_several_has_a_way_on(appliance: Appliance) -> None:
    """The error has the CA's cause and the very command that orders the other names, and that command works."""
    dead = {"type": URN + "dns", "detail": "NXDOMAIN looking up A for gone.example.com", "status": 400}
    appliance.ca.judge = lambda name, kind: dead if name.startswith("gone") else None
    with pytest.raises(CertdeckError) as caught:
        appliance.issue("gone.example.com", NAME, "www.example.com")
    assert "NXDOMAIN" in caught.value.why
    command = f"certdeck issue --name gone.example.com -d {NAME} -d www.example.com"
    assert f"`{command}`" in caught.value.fix
    appliance.issue(NAME, "www.example.com", name="gone.example.com")


def test_the_way_on_keeps_the_settings_of_a_first_order(appliance: Appliance, tmp_path: Path) -> None:
    """Nothing is stored of an order that failed, so the command itself has the key type and the targets; later it need not."""
    appliance.add_service(tmp_path / "tls")
    dead = {"type": URN + "dns", "detail": "NXDOMAIN looking up A for gone.example.com", "status": 400}
    appliance.ca.judge = lambda name, kind: dead if name.startswith("gone") else None
    names, settings = (NAME, "gone.example.com"), {"key_type": "ec-384", "targets": ("web",), "name": "shop"}
    with pytest.raises(CertdeckError) as caught:
        appliance.issue(*names, **settings)
    assert f"`certdeck issue --name shop -d {NAME} --key-type ec-384 --target web`" in caught.value.fix
    appliance.issue(NAME, **settings)
    with pytest.raises(CertdeckError) as caught:
        appliance.issue(*names, name="shop")
    assert f"`certdeck issue --name shop -d {NAME}`" in caught.value.fix


def test_a_name_that_is_refused_before_it_is_looked_at_has_a_way_on_too(appliance: Appliance) -> None:
    """Subproblems of a refused order name the dead names as well; where every name is refused, no command is offered."""
    subs = [{"type": URN + "caa", "detail": "CAA forbids", "identifier": {"type": "dns", "value": "gone.example.com"}}]
    appliance.ca.fail("/new-order", problem("compound", 403, "some names failed", subproblems=subs), times=2)
    with pytest.raises(AcmeProblem) as caught:
        appliance.issue("gone.example.com", NAME)
    assert f"certdeck issue --name gone.example.com -d {NAME}`" in caught.value.fix
    with pytest.raises(AcmeProblem) as caught:
        appliance.issue("gone.example.com")
    assert "continue without" not in caught.value.fix


@pytest.mark.parametrize(
    "answer",
    [
        Response(status=200, headers={}, body=b""),
        Response(status=200, headers={"content-type": "text/html"}, body=b"<html>busy</html>"),
        problem("malformed", 404),
        problem("unauthorized", 403),
        problem("serverInternal", 500),
    ],
    ids=["empty", "html", "404", "403", "500"],
)
def test_an_order_that_never_hands_out_its_certificate_is_replaced(appliance: Appliance, answer: Response) -> None:
    """Scheduled runs ask once more, after a server error until the order expires, and then place a new one: none is stuck."""
    appliance.issue(NAME, name=NAME)
    old = appliance.live(NAME)
    appliance.clock.advance(days=70)
    orders = len(appliance.ca.orders)
    lost: list[str] = []

    def withheld(asked: Asked) -> Response | None:
        lost[:] = lost or [asked.url]
        return answer if asked.url == lost[0] else None

    appliance.ca.fail("/certificate", withheld, times=10_000)
    runs = 0
    while appliance.live(NAME) == old:
        assert runs < 12, "it is still stuck"
        report = appliance.engine.renew()
        runs += 1
        if report.failed:
            assert report.failed[0].error.code in ("certificate-unusable", "directory-unreachable")
        appliance.clock.advance(days=1, minutes=5)
    assert len(appliance.ca.orders) - orders == 2
    assert runs <= (3 if answer.status != 500 else 12)
