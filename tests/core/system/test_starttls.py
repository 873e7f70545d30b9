"""STARTTLS in each protocol: certificates are seen, refusals are said, and nothing is waited for beyond the deadline."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from core.probe_address import DIALECTS, broken, parse
from core.system.prober import TlsProber
from core.system.starttls import DIALECTS as FUNCTIONS
from tests.support.authority import Authority
from tests.support.dialects import GOOD, REFUSING, saying
from tests.support.programs import wait_until
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
    assert "did not respond within 0.3 s" in (served.failure or "")
    assert time.monotonic() - began < 20


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
    assert "did not respond" in (served.failure or "")
    assert time.monotonic() - began < 20


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


def test_mysql_is_left_by_a_login_that_is_refused(authority: Authority, tmp_path: Path) -> None:
    """MariaDB counts connections that end before a login, and shuts the address out after 100: so one is made, as nobody."""
    heard: list[bytes] = []

    def refuse(connection: socket.socket) -> None:
        heard.append(connection.recv(1000))
        connection.sendall(b"\x01\0\0\x03\xfe")  # AuthSwitchRequest
        heard.append(connection.recv(1000))
        connection.sendall(b"\x09\0\0\x05\xff\x15\x04#28000")
        linger(connection)

    leaf = authority.leaf(["box.example.com"])
    with serving(refuse, leaf, tmp_path, before=saying(*GOOD["mysql"])) as service:
        served = PROBER.served(f"mysql://127.0.0.1:{service.port}", server_name=None, timeout=5)
    assert served.certificate is not None
    login, answer = heard
    assert login[3] == 2, "the packet after the request for TLS"
    assert b"certdeck-probe\0" in login
    assert answer == b"\0\0\0\x04"


def test_no_session_is_resumed(authority: Authority, tmp_path: Path) -> None:
    """Each look is a full handshake: a resumed session would show what was served before."""
    resumed: list[bool] = []

    def note(connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        resumed.append(bool(connection.session_reused))
        linger(connection)

    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with serving(note, authority.leaf(["box.example.com"]), tmp_path, version=version) as service:
            for _ in range(3):
                PROBER.served(f"127.0.0.1:{service.port}", server_name="box.example.com", timeout=5)
            wait_until(lambda: len(resumed) >= 3, "three handshakes")
        assert not any(resumed)
        resumed.clear()


def test_a_name_is_looked_up_for_both_families() -> None:
    """A host name gives all its addresses, in the form that it was given in; what does not resolve stays as it is."""
    assert PROBER.listeners("[::1]:443", timeout=3) == ("[::1]:443",)
    found = PROBER.listeners("smtp://localhost:25", timeout=3)
    assert "smtp://127.0.0.1:25" in found
    assert set(found) <= {"smtp://127.0.0.1:25", "smtp://[::1]:25"}
    assert PROBER.listeners("no-such-name.invalid:443", timeout=3) == ("no-such-name.invalid:443",)
