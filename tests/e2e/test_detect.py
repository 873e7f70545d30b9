"""Services that really run are found: which, with which files, on which ports, and what they present."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.model import LineageConfig
from core.detect.find import detect
from core.detected import DetectedService
from core.system import environment
from core.workflows.deploying.transaction import deploy_version
from tests.support import installed, installed_more
from tests.support.installed import Installed, open_folder
from tests.support.nginx import NginxServer
from tests.support.services import Box

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        os.geteuid() != 0, reason="services drop to accounts of their own, and root alone sees them all"
    ),
]

ENV = environment({"PATH": os.environ["PATH"]})
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
    every = detect(ENV, own=frozenset(), targets={}, now=ENV.clock.now()) if services is None else services
    (only,) = [each for each in every if each.certificate == str(certificate)]
    return only


def check(service: DetectedService, kind: str, addresses: Sequence[str], key: Path, sha256: str) -> None:
    """Fail unless a service was found running, serving its own certificate on these addresses."""
    assert (service.kind, service.running, service.key) == (kind, True, str(key))
    assert {each.address: each.sha256 for each in service.listeners} == dict.fromkeys(addresses, sha256)
    assert {each.state for each in service.listeners} == {"unmanaged"}
    assert [each for each in service.problems if "a configuration of its own" not in each] == []
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


def test_four_services_are_taken_over_and_get_one_certificate(start: Start, nginx: NginxServer) -> None:
    """What was found is taken over with the commands of these very instances, and one deployment reaches all four."""
    box = Box.at(nginx.folder / "box")
    services = [start(make) for make in (installed.postfix, installed.dovecot, installed.postgresql)]
    certificates = [nginx.certificate, *(each.certificate for each in services)]
    every = detect(ENV, own=frozenset(), targets={}, now=ENV.clock.now())
    targets = [each.suggest for each in (found(path, every) for path in certificates) if each.suggest is not None]
    assert [each.kind for each in targets] == ["nginx", "postfix", "dovecot", "postgresql"]
    spec = LineageConfig(name="all", domains=("all.example.com",), targets=tuple(each.name for each in targets))
    version, leaf = box.store(spec, None)
    config = replace(box.context.config, targets={each.name: each for each in targets})
    states = deploy_version(replace(box.context, env=ENV, config=config), spec.name, version, targets, spec=spec)
    assert [(each.state, each.why) for each in states] == [("deployed", "")] * 4
    again = detect(ENV, own=frozenset({leaf.sha256}), targets=config.targets, now=ENV.clock.now())
    for path, target in zip(certificates, targets, strict=True):
        seen = found(path, again)
        assert (seen.target, seen.suggest) == (target.name, None)
        assert {each.state for each in seen.listeners} == {"managed"}
