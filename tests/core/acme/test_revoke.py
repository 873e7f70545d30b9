"""Revocation by account and by key."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from core.acme import account
from core.acme.revoke import REASONS, revoke, revoke_with_key
from core.errors import UsageError
from core.ports import TransportFailure
from tests.support.acme_client import a_session
from tests.support.acme_server import AcmeServer


def test_a_certificate_is_revoked_with_its_reason() -> None:
    """Each reason that CAs accept arrives as its number."""
    server = AcmeServer()
    session = a_session(server)
    account.register(session, email=None, terms_agreed=True)
    for reason, code in REASONS.items():
        der = server.authority.leaf(["x.example.com"]).certificate.public_bytes(Encoding.DER)
        revoke(session, der, reason)
        assert server.revoked[der] == code


def test_revoking_twice_is_no_failure() -> None:
    """A lost reply, or a second request, ends with the certificate revoked and no error."""
    server = AcmeServer()
    session = a_session(server)
    account.register(session, email=None, terms_agreed=True)
    der = server.authority.leaf(["x.example.com"]).certificate.public_bytes(Encoding.DER)
    server.fail("/revoke-cert", TransportFailure("timeout", "no answer"), after=True)
    revoke(session, der)
    revoke(session, der)
    assert list(server.revoked) == [der]


def test_the_certificates_own_key_may_revoke() -> None:
    """Whoever has the key needs no account."""
    server = AcmeServer()
    leaf = server.authority.leaf(["x.example.com"])
    der = leaf.certificate.public_bytes(Encoding.DER)
    revoke_with_key(a_session(server), der, leaf.key_pem, "keyCompromise")
    assert server.revoked == {der: 1}
    assert server.accounts == {}


def test_other_reasons_are_refused_here() -> None:
    """A reason that CAs do not take is refused with those they do, before anything is sent."""
    server = AcmeServer()
    with pytest.raises(UsageError) as caught:
        revoke(a_session(server), b"", "certificateHold")
    assert "keyCompromise" in caught.value.why
    assert server.asked == []
