"""Looking at what a TLS service presents."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from core.system.prober import TlsProber
from tests.support.authority import Authority, self_signed
from tests.support.programs import free_port
from tests.support.tls_service import TlsService, serving

PROBER = TlsProber()


def linger(connection: socket.socket) -> None:
    """Wait for the other side to go."""
    while connection.recv(1000):
        pass


@pytest.mark.parametrize("kind", ["good", "expired", "self-signed", "rsa-1024"])
def test_any_certificate_is_seen(authority: Authority, tmp_path: Path, kind: str) -> None:
    """The leaf comes back whatever is wrong with it: seeing it is the point."""
    leaf = {
        "good": lambda: authority.leaf(["box.example.com"]),
        "expired": lambda: authority.leaf(["box.example.com"], days_left=-5),
        "self-signed": lambda: self_signed(["box"]),
        "rsa-1024": lambda: authority.leaf(["box.example.com"], key="rsa-1024"),
    }[kind]()
    with serving(linger, leaf, tmp_path) as service:
        served = PROBER.served(f"127.0.0.1:{service.port}", server_name="box.example.com", timeout=5)
    assert served.certificate == leaf.certificate.public_bytes(Encoding.DER)
    assert served.failure is None


@pytest.mark.parametrize(
    ("asked", "indicated"),
    [("box.example.com", "box.example.com"), ("192.0.2.1", None), (None, None)],
)
def test_the_server_name_is_indicated(
    authority: Authority, tmp_path: Path, asked: str | None, indicated: str | None
) -> None:
    """SNI carries a host name and nothing else."""
    with serving(linger, authority.leaf(["box.example.com"]), tmp_path) as service:
        PROBER.served(f"127.0.0.1:{service.port}", server_name=asked, timeout=5)
    assert service.names == [indicated]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_of_tls_are_spoken(authority: Authority, tmp_path: Path, version: ssl.TLSVersion) -> None:
    """A service that speaks only TLS 1.2, or only 1.3, is seen (ST-07)."""
    leaf = authority.leaf(["box.example.com"])
    with serving(linger, leaf, tmp_path, version=version) as service:
        served = PROBER.served(f"127.0.0.1:{service.port}", server_name=None, timeout=5)
    assert served.certificate == leaf.certificate.public_bytes(Encoding.DER)


def test_ipv6_addresses_are_probed(authority: Authority, tmp_path: Path) -> None:
    """`[::1]:PORT` is understood."""
    leaf = authority.leaf(["box.example.com"])
    with serving(linger, leaf, tmp_path, host="::1") as service:
        served = PROBER.served(f"[::1]:{service.port}", server_name=None, timeout=5)
    assert served.certificate == leaf.certificate.public_bytes(Encoding.DER)


def test_what_cannot_be_seen_is_said() -> None:
    """No service, no TLS, no name, no address: a sentence each, never an exception."""
    with serving(lambda connection: connection.sendall(b"220 mail ESMTP\r\n")) as service:
        not_tls = PROBER.served(f"127.0.0.1:{service.port}", server_name=None, timeout=5)
    assert "TLS" in (not_tls.failure or "")
    for address, word in {
        f"127.0.0.1:{free_port()}": "Nothing listens",
        "no-such-name.invalid:443": "does not resolve",
        "nonsense": "HOST:PORT",
        "host:99999": "HOST:PORT",
    }.items():
        served = PROBER.served(address, server_name=None, timeout=5)
        assert served.certificate is None
        assert word in (served.failure or "")


def test_a_silent_service_is_not_waited_for() -> None:
    """A service that accepts and says nothing costs the timeout and no more."""
    began = time.monotonic()
    with serving(linger) as service:
        served = PROBER.served(f"127.0.0.1:{service.port}", server_name=None, timeout=0.2)
        assert "did not respond" in (served.failure or "")
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("key", ["rsa", "ec"])
def test_two_certificates_on_one_listener_are_told_apart(authority: Authority, tmp_path: Path, key: str) -> None:
    """Of an RSA certificate beside an EC one, the one with the wanted kind of key is seen."""
    leaves = {
        "rsa": authority.leaf(["box.example.com"], key="rsa-2048"),
        "ec": authority.leaf(["box.example.com"], key="ec-256"),
    }
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for name, leaf in leaves.items():
        leaf.write(tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
        context.load_cert_chain(tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
    service = TlsService(linger, context, "127.0.0.1", 0, None)
    try:
        served = PROBER.served(f"127.0.0.1:{service.port}", server_name="box.example.com", timeout=5, key=key)
    finally:
        service.close()
    assert served.certificate == leaves[key].certificate.public_bytes(Encoding.DER)
