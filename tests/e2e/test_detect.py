"""Services that really run are found: which, with which files, on which ports, and what they present."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from core.config.load import load_config
from core.config.model import LineageConfig
from core.detect.find import detect
from core.detected import DetectedService
from core.system import environment
from core.workflows.deploying.transaction import deploy_version
from core.workflows.detecting.take_over import take_over
from tests.support.authority import Authority
from tests.support.command import process
from tests.support.daemons import DAEMONS
from tests.support.daemons.base import NAME, Daemon
from tests.support.nginx import NginxServer
from tests.support.programs import NotThere, find_program
from tests.support.services import Box
from tests.support.web_servers import WebServer

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        os.geteuid() != 0, reason="services drop to accounts of their own, and root alone sees them all"
    ),
]

ENV = environment({"PATH": os.environ["PATH"]})
KINDS = {"haproxy-runtime": "haproxy"}
"""Ways to deploy to a service that is found as another kind."""
TOLD = "a separate configuration"
"""In what is said of an instance whose commands cannot be known."""

Start = Callable[[str], Daemon]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start services; they are ended behind the test, or the test is skipped where one is not installed."""
    with ExitStack() as stack:

        def begin(kind: str) -> Daemon:
            for program in DAEMONS[kind].programs:
                try:
                    find_program(program)
                except NotThere:
                    pytest.skip(f"{program} is not installed")
            daemon = DAEMONS[kind]()
            stack.callback(daemon.remove)
            daemon.install(Authority.new().leaf([NAME]))  # with a chain: some refuse an empty file
            daemon.start()
            return daemon

        yield begin


def look() -> tuple[DetectedService, ...]:
    return detect(ENV, own=frozenset(), targets={}, now=ENV.clock.now())


def found(certificate: Path, services: Sequence[DetectedService]) -> DetectedService:
    """Return the one with this certificate file: others may run on this machine."""
    (only,) = [each for each in services if each.certificate == str(certificate)]
    return only


ELSEWHERE = {
    "cockpit": "its certificates are looked for in /etc/cockpit/ws-certs.d alone",
    "openvpn": "it takes no TCP connections",
    "strongswan": "its files are looked for in /etc/swanctl alone",
    "cups": "its key chain is looked for in /etc/cups/ssl alone",
    "freeradius": "a module in a folder of its own is not read",
    "knot-resolver": "its configuration is a program in Lua",
    "proftpd": "it replaces its command line, which named the configuration",
    "pure-ftpd": "its file is a setting of the build",
}
"""Services that are found, but not their files where the configuration lies in a folder of its own."""


@pytest.mark.parametrize("kind", [kind for kind in DAEMONS if kind not in ELSEWHERE])
def test_each_kind(kind: str, start: Start) -> None:
    """Each service is found with the files that its configuration names, and what its port presents is what it serves."""
    daemon = start(kind)
    seen = found(daemon.certificate, look())
    assert (seen.kind, seen.running, seen.key) == (KINDS.get(kind, kind), True, str(daemon.key))
    assert (daemon.address, daemon.served(), "unmanaged") in [
        (each.address, each.sha256, each.state) for each in seen.listeners
    ]
    assert [each for each in seen.problems if TOLD not in each] == []
    assert seen.suggest is not None
    assert seen.suggest.kind == KINDS.get(kind, kind)
    assert daemon.address in seen.suggest.probe


def test_a_service_that_takes_datagrams_is_found(start: Start) -> None:
    """OpenVPN over UDP is found with its files; what it serves cannot be asked, so its target has no probe."""
    daemon = start("openvpn")
    seen = found(daemon.certificate, look())
    assert (seen.kind, seen.running, seen.key, seen.listeners) == ("openvpn", True, str(daemon.key), ())
    assert seen.suggest is not None
    assert (seen.suggest.kind, seen.suggest.probe) == ("openvpn", ())


def test_four_services_are_taken_over_and_get_one_certificate(start: Start, tmp_path: Path) -> None:
    """What was found is taken over with the commands of these very instances, and one deployment reaches all four."""
    box = Box.at(tmp_path / "box")
    kinds = ["nginx", "postfix", "dovecot", "postgresql"]
    daemons = [start(kind) for kind in kinds]
    every = look()
    targets = [each.suggest for each in (found(daemon.certificate, every) for daemon in daemons) if each.suggest]
    assert [each.kind for each in targets] == kinds
    spec = LineageConfig(name="all", domains=(NAME,), targets=tuple(each.name for each in targets))
    version, leaf = box.store(spec, None)
    config = replace(box.context.config, targets={each.name: each for each in targets})
    states = deploy_version(replace(box.context, env=ENV, config=config), spec.name, version, targets, spec=spec)
    assert [(each.state, each.why) for each in states] == [("deployed", "")] * 4
    again = detect(ENV, own=frozenset({leaf.sha256}), targets=config.targets, now=ENV.clock.now())
    for daemon, target in zip(daemons, targets, strict=True):
        seen = found(daemon.certificate, again)
        assert (seen.target, seen.suggest) == (target.name, None)
        assert {each.state for each in seen.listeners} == {"managed"}


def test_two_services_of_the_same_files_are_taken_over_together(start: Start, tmp_path: Path) -> None:
    """Services that read the same files become targets that share them, and one deployment reaches both."""
    box = Box.at(tmp_path / "box")
    context = replace(box.context, env=ENV)
    nginx = start("nginx")
    dovecot = DAEMONS["dovecot"]()
    try:
        dovecot.certificate, dovecot.key = nginx.certificate, nginx.key
        dovecot.start()
        ids = {each.kind: each.id for each in look() if each.certificate == str(nginx.certificate)}
        first, second = take_over(context, [ids["nginx"], ids["dovecot"]])
        assert (first.files_of, second.files_of) == (None, first.name)
        context = replace(context, config=load_config(box.paths))
        spec = LineageConfig(name="all", domains=(NAME,), targets=(first.name,))
        version, leaf = box.store(spec, None)
        states = deploy_version(context, "all", version, [context.config.targets[first.name]], spec=spec)
        assert [(each.state, each.served_sha256) for each in states] == [("deployed", leaf.sha256)] * 2
        seen = detect(ENV, own=frozenset(), targets=context.config.targets, now=ENV.clock.now())
        assert {each.kind: each.target for each in seen if each.certificate == str(nginx.certificate)} == {
            "nginx": first.name,
            "dovecot": second.name,
        }
    finally:
        dovecot.remove()


def test_by_command(nginx: NginxServer, home: Path) -> None:
    """Found, listed in the status as not managed, taken over, and served from then on with a certificate of certdeck's."""

    def done(*argv: str) -> dict[str, Any]:
        answer = process(*argv, "--json", home=home)
        assert answer.status == 0, answer.out + answer.err
        return answer.json

    (service,) = [
        each for each in done("target", "detect")["services"] if each["certificate"] == str(nginx.certificate)
    ]
    (listener,) = service["listeners"]
    assert (listener["address"], listener["sha256"]) == (nginx.address, nginx.served_sha256())
    assert (listener["dialect"], listener["subject"], listener["state"]) == ("tls", "As Installed", "unmanaged")
    assert nginx.address in [each["address"] for each in done("status")["unmanaged"]]
    (added,) = done("target", "detect", "--add", service["id"])["added"]
    # The number in a name depends on which other servers ran at either moment.
    assert {**added, "name": ""} == {**service["suggest"], "name": ""}
    done("first-boot", "--hostname", "box.example.com")
    done("deploy", "default", "--target", added["name"])
    assert nginx.served_sha256() == done("status", "default")["certificates"][0]["sha256"]
    assert nginx.address not in [each["address"] for each in done("status")["unmanaged"]]
    again = process("target", "detect", "--add", service["id"], "--json", home=home)
    assert (again.status, again.error["code"]) == (2, "usage")


def test_what_is_left_to_do_is_said_when_it_is_taken_over(tmp_path: Path, home: Path) -> None:
    """A target without the commands of its own instance is no silent success: the result says that they are missing."""
    server = WebServer("haproxy", tmp_path / "haproxy")
    try:
        found = process("target", "detect", "--json", home=home).json["services"]
        (service,) = [each for each in found if each["certificate"] == str(server.certificate)]
        answer = process("target", "detect", "--add", service["id"], "--json", home=home)
    finally:
        server.stop()
    assert answer.status == 0
    (added,) = answer.json["added"]
    warned = [each for each in answer.json["warnings"] if each["code"] == "detected-problem"]
    assert any("test and reload commands" in each["what"] and added["name"] in each["fix"] for each in warned)
