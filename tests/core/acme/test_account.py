"""Accounts: made once, found again, bound, rolled over, given up."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from core.acme import account
from core.acme.account import ExternalAccountBinding
from core.acme.account_key import AccountKey
from core.errors import AccountDeactivated, AccountError, DirectoryUnreachable, EabRequired, TermsNotAgreed
from core.ports import TransportFailure
from tests.support.acme_client import a_session
from tests.support.acme_server import AcmeServer
from tests.support.authority import key_pem, make_key

LOST = TransportFailure("timeout", "ca.test did not respond within 30 s.")
MAC_KEY = bytes(range(32))
MAC_TEXT = urlsafe_b64encode(MAC_KEY).decode().rstrip("=")


def test_an_account_is_made_once() -> None:
    """The key is the identity: registering again finds the account there is (SF-17)."""
    server = AcmeServer()
    first, created = account.register(a_session(server), email="a@example.com", terms_agreed=True)
    session = a_session(server)
    second, again = account.register(session, email="b@example.com", terms_agreed=True)
    assert (created, again) == (True, False)
    assert first.url == second.url == session.kid
    assert len(server.accounts) == 1


def test_terms_are_asked_for_first() -> None:
    """Without agreement nothing is made, and the error carries the address of the terms (CC-05)."""
    server = AcmeServer()
    with pytest.raises(TermsNotAgreed) as caught:
        account.register(a_session(server), email=None, terms_agreed=False)
    assert caught.value.details["terms_of_service"] == "https://ca.test/terms"
    assert server.accounts == {}


def test_an_existing_account_needs_no_agreement() -> None:
    """Whoever has an account already is not asked again."""
    server = AcmeServer()
    account.register(a_session(server), email=None, terms_agreed=True)
    _, created = account.register(a_session(server), email=None, terms_agreed=False)
    assert not created


def test_no_contact_is_sent_when_there_is_none() -> None:
    """An e-mail address is optional (CL-17)."""
    server = AcmeServer()
    found, _ = account.register(a_session(server), email=None, terms_agreed=True)
    assert found.contact == ()


def test_a_binding_is_asked_for_and_used() -> None:
    """A CA that wants an EAB gets one, signed over the account's key; without one the error says where to get it."""
    server = AcmeServer()
    server.meta["externalAccountRequired"] = True
    server.eab_keys = {"kid-1": MAC_KEY}
    with pytest.raises(EabRequired):
        account.register(a_session(server), email=None, terms_agreed=True)
    eab = ExternalAccountBinding.parse("kid-1", MAC_TEXT)
    _, created = account.register(a_session(server), email=None, terms_agreed=True, eab=eab)
    assert created


def test_a_refused_binding_says_what_to_do() -> None:
    """A wrong HMAC key is told from other refusals, and never shown."""
    server = AcmeServer()
    server.eab_keys = {"kid-1": MAC_KEY}
    eab = ExternalAccountBinding.parse("kid-1", MAC_TEXT[::-1])
    with pytest.raises(AccountError) as caught:
        account.register(a_session(server), email=None, terms_agreed=True, eab=eab)
    assert "external account binding" in caught.value.what
    assert MAC_TEXT[::-1] not in str(caught.value)
    assert "hmac_key" not in repr(eab)


@pytest.mark.parametrize("text", ["", "has space in it", "ünïcode", "abc", '"quoted-quoted-quoted-quoted"', "A" * 25])
def test_rubbish_is_no_hmac_key(text: str) -> None:
    """What is no base64url of a decent length is refused before anything is sent."""
    with pytest.raises(AccountError) as caught:
        ExternalAccountBinding.parse("kid-1", text)
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize("text", [MAC_TEXT, MAC_TEXT + "=", f"  {MAC_TEXT}\n", MAC_TEXT.encode()])
def test_hmac_keys_are_read_as_cas_show_them(text: str | bytes) -> None:
    """Padding and white space around the key do not matter."""
    assert ExternalAccountBinding.parse(" kid-1\n", text) == ExternalAccountBinding("kid-1", MAC_KEY)


def test_looking_up_makes_nothing() -> None:
    """An unknown key has no account, and asking does not make one."""
    server = AcmeServer()
    assert account.look_up(a_session(server)) is None
    assert server.accounts == {}


def test_contact_is_replaced_and_removed() -> None:
    """The contact follows the configuration, the account stays."""
    server = AcmeServer()
    session = a_session(server)
    account.register(session, email="a@example.com", terms_agreed=True)
    assert account.set_contact(session, "b@example.com").contact == ("b@example.com",)
    assert account.set_contact(session, None).contact == ()


def test_a_deactivated_account_is_recognised() -> None:
    """Afterwards every request says that the account is deactivated and what to do."""
    server = AcmeServer()
    session = a_session(server)
    account.register(session, email=None, terms_agreed=True)
    account.deactivate(session)
    for attempt in (lambda: account.fetch(session), lambda: account.register(session, email=None, terms_agreed=True)):
        with pytest.raises(AccountDeactivated):
            attempt()


@pytest.mark.parametrize("kind", ["ec-256", "ec-384", "ec-521", "rsa-2048"])
def test_the_key_rolls_over_to_any_kind(kind: str) -> None:
    """After a rollover the new key signs, the old one has no account."""
    server = AcmeServer()
    session = a_session(server)
    before, _ = account.register(session, email=None, terms_agreed=True)
    new = AccountKey.generate(kind)
    account.roll_over(session, new)
    assert account.fetch(session).url == before.url
    assert session.key is new
    assert account.look_up(a_session(server)) is None


@pytest.mark.parametrize("after", [True, False])
def test_a_rollover_with_a_lost_reply_is_settled_by_asking(after: bool) -> None:
    """Whether the change arrived is found out with the new key, never guessed."""
    server = AcmeServer()
    session = a_session(server)
    account.register(session, email=None, terms_agreed=True)
    old, new = session.key, AccountKey.generate()
    server.fail("/key-change", LOST, after=after)
    if after:
        account.roll_over(session, new)
        assert session.key is new
    else:
        with pytest.raises(DirectoryUnreachable):
            account.roll_over(session, new)
        assert session.key is old
    assert account.fetch(session).status == "valid"


@pytest.mark.parametrize("kind", ["ec-256", "ec-384", "ec-521", "rsa-2048", "rsa-3072"])
def test_keys_come_back_from_pem(kind: str) -> None:
    """A key of each kind survives storing, with the same thumbprint."""
    key = AccountKey.generate(kind)
    again = AccountKey.from_pem(key.to_pem())
    assert (again.kind, again.thumbprint) == (kind, key.thumbprint)


@pytest.mark.parametrize(
    "pem",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", id="damaged"),
        pytest.param(key_pem(ed25519.Ed25519PrivateKey.generate()), id="ed25519"),
        pytest.param(key_pem(make_key("rsa-1024")), id="rsa-1024"),
        pytest.param(key_pem(ec.generate_private_key(ec.SECP256K1())), id="secp256k1"),
        pytest.param(key_pem(ec.generate_private_key(ec.SECP256R1()), b"secret"), id="encrypted"),
    ],
)
def test_unusable_keys_are_refused(pem: bytes) -> None:
    """Keys that no CA takes are refused with a sentence, not with a traceback."""
    with pytest.raises(AccountError) as caught:
        AccountKey.from_pem(pem)
    assert caught.value.fix


def test_traditional_pem_is_read() -> None:
    """A PKCS#1 or SEC1 file, as other clients leave them, is read too (SF-18)."""
    raw = ec.generate_private_key(ec.SECP384R1())
    pem = raw.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    assert AccountKey.from_pem(pem).kind == "ec-384"
