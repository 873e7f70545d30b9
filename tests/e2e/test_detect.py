"""Services that really run are found: which, with which files, on which ports, and what they present."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.detect.find import detect
from core.detected import DetectedService
from core.system import environment
from tests.support import installed, installed_more
from tests.support.installed import Installed, open_folder
from tests.support.nginx import NginxServer

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        os.geteuid() != 0, reason="services drop to accounts of their own, and root alone sees them all"
    ),
]

Start = Callable[[Callable[[Path], Installed]], Installed]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start services; they are ended, and their folder is removed, behind the test."""
    with ExitStack() as stack:
        folder = stack.enter_context(open_folder())

        def begin(make: Callable[[Path], Installed]) -> Installed:
            service = make(folder)
            stack.callback(service.stop)
            return service

        yield begin


def found(certificate: Path, services: Sequence[DetectedService] | None = None) -> DetectedService:
    """Look for services, and return the one with this certificate file: others may run on this machine."""
    env = environment({"PATH": os.environ["PATH"]})
    every = detect(env, own=frozenset(), targets={}, now=env.clock.now()) if services is None else services
    (only,) = [each for each in every if each.certificate == str(certificate)]
    return only


def check(service: DetectedService, kind: str, addresses: Sequence[str], key: Path, sha256: str) -> None:
    """Fail unless a service was found running, serving its own certificate on these addresses."""
    assert (service.kind, service.running, service.key) == (kind, True, str(key))
    assert {each.address: each.sha256 for each in service.listeners} == dict.fromkeys(addresses, sha256)
    assert {each.state for each in service.listeners} == {"unmanaged"}
    assert service.problems == ()
    assert service.suggest is not None
    assert (service.suggest.kind, tuple(sorted(service.suggest.probe))) == (kind, tuple(sorted(addresses)))


def test_nginx(nginx: NginxServer) -> None:
    """nginx is found by the configuration that it was started with, and its listener presents what is in its file."""
    check(found(nginx.certificate), "nginx", [nginx.address], nginx.key, nginx.served_sha256())


def test_postfix(start: Start) -> None:
    """Postfix is found with parameters expanded, on its port with STARTTLS and on the one with TLS from the first byte."""
    service = start(installed.postfix)
    wrapped = f"127.0.0.1:{service.more[0]}"
    seen = found(service.certificate)
    check(seen, "postfix", [f"smtp://127.0.0.1:{service.port}", wrapped], service.key, service.leaf.sha256)


def test_dovecot(start: Start) -> None:
    """Dovecot is found, and of its ports the one that speaks IMAP."""
    service = start(installed.dovecot)
    seen = found(service.certificate)
    check(seen, "dovecot", [f"imap://127.0.0.1:{service.port}"], service.key, service.leaf.sha256)


def test_postgresql(start: Start) -> None:
    """PostgreSQL is found, and its target gives new keys to the account that reads them."""
    service = start(installed.postgresql)
    seen = found(service.certificate)
    check(seen, "postgresql", [f"postgres://127.0.0.1:{service.port}"], service.key, service.leaf.sha256)
    assert seen.suggest is not None
    assert (seen.suggest.owner, seen.suggest.group) == ("postgres", "postgres")


@pytest.mark.parametrize(
    ("make", "dialects"),
    [
        (installed_more.haproxy, ("",)),
        (installed_more.apache, ("",)),
        (installed_more.lighttpd, ("",)),
        (installed_more.hitch, ("",)),
        (installed_more.stunnel, ("",)),
        (installed_more.mariadb, ("mysql://",)),
        (installed_more.redis, ("",)),
        (installed_more.mosquitto, ("",)),
        (installed_more.slapd, ("ldap://", "")),
        (installed_more.bind9, ("",)),
        (installed_more.vsftpd, ("ftp://",)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_other_services(start: Start, make: Callable[[Path], Installed], dialects: tuple[str, ...]) -> None:
    """Each is found with the files that its configuration names, and with the dialects that its ports speak."""
    service = start(make)
    seen = found(service.certificate)
    ports = (service.port, *service.more)
    addresses = [f"{dialect}127.0.0.1:{port}" for dialect, port in zip(dialects, ports, strict=True)]
    check(seen, service.name, addresses, service.key, service.leaf.sha256)
