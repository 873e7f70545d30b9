"""STARTTLS in each protocol: certificates are seen, refusals are said, and nothing is waited for beyond the deadline."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from core.probe_address import DIALECTS, broken, parse
from core.system.prober import TlsProber
from core.system.starttls import DIALECTS as FUNCTIONS
from tests.support.authority import Authority
from tests.support.dialects import GOOD, REFUSING, saying
from tests.support.tls_service import serving

PROBER = TlsProber()


def linger(connection: socket.socket) -> None:
    """Wait for the other side to go."""
    while connection.recv(1000):
        pass


def test_each_dialect_has_a_row() -> None:
    """What the configuration knows, what is spoken and what is tested are the same protocols."""
    assert set(DIALECTS) == set(FUNCTIONS) == set(GOOD) == set(REFUSING)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_certificate_behind_starttls_is_seen(authority: Authority, tmp_path: Path, dialect: str, host: str) -> None:
    """Each protocol changes to TLS, and the leaf comes back."""
    leaf = authority.leaf(["box.example.com"])
    with serving(linger, leaf, tmp_path, host=host.strip("[]"), before=saying(*GOOD[dialect])) as service:
        served = PROBER.served(f"{dialect}://{host}:{service.port}", server_name="box.example.com", timeout=5)
    assert served.failure is None
    assert served.certificate == leaf.certificate.public_bytes(Encoding.DER)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_refusal_of_tls_is_said(dialect: str) -> None:
    """A service that speaks the protocol and offers no TLS, or cannot begin it, is told with its own words."""
    steps, words = REFUSING[dialect]
    with serving(linger, before=saying(*steps)) as service:
        address = f"{dialect}://127.0.0.1:{service.port}"
        served = PROBER.served(address, server_name="box.example.com", timeout=5)
    assert (served.certificate, served.closed) == (None, False)
    assert served.failure == f"{address} {words}"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_silence_is_a_time_out(dialect: str) -> None:
    """A service that connects and stays silent costs the deadline and no more, in every protocol."""
    began = time.monotonic()
    with serving(linger) as service:
        served = PROBER.served(f"{dialect}://127.0.0.1:{service.port}", server_name=None, timeout=0.3)
    assert "did not answer within 0.3 s" in (served.failure or "")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("rubbish", [b"x" * 300_000, b"220-a\r\n" * 60_000, b"\x1b[2J\xff\x00\n", b""], ids=len)
def test_rubbish_is_bounded(dialect: str, rubbish: bytes) -> None:
    """Whatever a service says, the answer is a short sentence without terminal codes; what is read is bounded."""
    with serving(lambda connection: None, before=saying(rubbish)) as service:
        served = PROBER.served(f"{dialect}://127.0.0.1:{service.port}", server_name=None, timeout=5)
    assert served.failure
    assert served.failure.isprintable()
    assert len(served.failure) < 300


def test_a_drip_of_bytes_does_not_stretch_the_deadline() -> None:
    """One deadline covers everything: a byte now and then does not begin it anew."""

    def drip(connection: socket.socket) -> None:
        connection.settimeout(0.05)
        while True:
            connection.sendall(b"2")
            try:
                if not connection.recv(10):
                    return
            except TimeoutError:
                continue

    began = time.monotonic()
    with serving(drip) as service:
        served = PROBER.served(f"smtp://127.0.0.1:{service.port}", server_name=None, timeout=0.4)
    assert "did not answer" in (served.failure or "")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("127.0.0.1:443", ("", "127.0.0.1", 443)),
        ("tls://127.0.0.1:443", ("", "127.0.0.1", 443)),
        ("[2001:db8::1]:8443", ("", "2001:db8::1", 8443)),
        ("[fe80::1%eth0]:443", ("", "fe80::1%eth0", 443)),
        ("smtp://[::1]:25", ("smtp", "::1", 25)),
        ("imap://mail.example.com:143", ("imap", "mail.example.com", 143)),
    ],
)
def test_addresses_are_parsed(text: str, parts: tuple[str, str, int]) -> None:
    """Dialect, host and port come apart, and together again."""
    found = parse(text)
    assert found == parts
    assert str(found) == text.removeprefix("tls://")
    assert broken(text) is None


@pytest.mark.parametrize(
    "text", ["2001:db8::1:443", "host:", ":443", "host:0", "host:²", "host:99999", "a@b:1", "h/x:1", "http://h:80", ""]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """Anything else is no address, and the refusal says how to write one."""
    assert parse(text) is None
    problem, fix = broken(text) or ("", "")
    assert problem
    assert "127.0.0.1:443" in fix or "smtp" in fix
