"""Renewal information: the identifier of RFC 9773, the window, and that nothing of it can hurt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from core.acme import renewal_info
from core.ports import TransportFailure
from core.x509.certificate import parse_der, parse_pem
from tests.support.acme_client import a_session
from tests.support.acme_server import AcmeServer
from tests.support.authority import self_signed
from tests.support.transport import reply

NAME = x509.Name([])


def with_key_identifier_and_serial(identifier: bytes, serial: int) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2026, 12, 1, tzinfo=UTC))
        .add_extension(x509.AuthorityKeyIdentifier(identifier, None, None), critical=False)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_the_identifier_is_that_of_the_rfc() -> None:
    """The example of RFC 9773 §4.1 comes out, with the leading zero of its serial number."""
    der = with_key_identifier_and_serial(bytes.fromhex("69885B6B87464041E1B37B847BA0AE2CDE01C8D4"), 0x8765432100000001)
    assert parse_der(der).renewal_id == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyEAAAAB"


def test_a_self_signed_certificate_has_no_identifier() -> None:
    """Without an authority key identifier there is nothing to ask about."""
    assert parse_pem(self_signed(["box.example.com"]).certificate_pem)[0].renewal_id is None


def test_the_window_is_read() -> None:
    """Start, end, explanation and the CA's Retry-After come back as aware times."""
    server = AcmeServer()
    server.windows["x.y"] = {
        "suggestedWindow": {"start": "2026-12-01T00:00:00Z", "end": "2026-12-02T02:00:00+02:00"},
        "explanationURL": "https://ca.test/why",
    }
    found = renewal_info.fetch(a_session(server), "x.y")
    assert found is not None
    assert (found.start, found.end) == (datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC))
    assert found.retry_after == server.clock.now() + timedelta(hours=6)
    assert found.explanation_url == "https://ca.test/why"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({}, id="empty"),
        pytest.param({"suggestedWindow": []}, id="list"),
        pytest.param({"suggestedWindow": {"start": "2026-12-01T00:00:00Z"}}, id="no-end"),
        pytest.param({"suggestedWindow": {"start": "soon", "end": "later"}}, id="words"),
        pytest.param(
            {"suggestedWindow": {"start": "2026-12-02T00:00:00Z", "end": "2026-12-01T00:00:00Z"}}, id="backwards"
        ),
    ],
)
def test_a_senseless_window_is_no_window(answer: dict[str, Any]) -> None:
    """Advice that makes no sense is no advice."""
    server = AcmeServer()
    server.windows["x.y"] = answer
    assert renewal_info.fetch(a_session(server), "x.y") is None


def test_a_failing_ca_gives_no_advice() -> None:
    """An unreachable, refusing or silent CA never makes the renewal check fail."""
    server = AcmeServer()
    session = a_session(server)
    assert renewal_info.fetch(session, "un.known") is None
    server.fail("/renewal-info", TransportFailure("timeout", "no answer"), times=99)
    assert renewal_info.fetch(session, "un.known") is None


@pytest.mark.parametrize(("seconds", "hours"), [("1", 1 / 60), ("999999", 24), ("3600", 1)])
def test_the_pause_between_questions_is_bounded(seconds: str, hours: float) -> None:
    """A Retry-After below a minute or above a day is not believed (RFC 9773 §4.3.2)."""
    server = AcmeServer()
    window = {"suggestedWindow": {"start": "2026-12-01T00:00:00Z", "end": "2026-12-02T00:00:00Z"}}
    server.fail("/renewal-info", reply(200, window, retry_after=seconds))
    found = renewal_info.fetch(a_session(server), "x.y")
    assert found is not None
    assert found.retry_after - server.clock.now() == timedelta(hours=hours)
