"""One battery for every service that is there: the real daemon, deployed to as on a box."""

from __future__ import annotations

import os
import pwd
import signal
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.model import LineageConfig, TargetConfig
from core.errors import CertdeckError, ConfigTestFailed, ProbeMismatch, ReloadFailed, StoreCorrupt
from core.events import Report, TargetSwitched
from core.operations import TargetState
from core.store import lineages
from core.system import environment
from core.targets.kinds import kind_named
from core.workflows.context import Context
from core.workflows.deploying.deploy import rollback
from core.workflows.deploying.recover import recover
from core.workflows.deploying.transaction import deploy_version
from tests.support.authority import Authority, Leaf, self_signed
from tests.support.daemons import DAEMONS
from tests.support.daemons.base import NAME, Daemon
from tests.support.daemons.web import Nginx
from tests.support.programs import NotThere, find_program
from tests.support.services import Box

pytestmark = pytest.mark.e2e

SPEC = LineageConfig(name="svc", domains=(NAME,), targets=("svc",))


class Site:
    """A certdeck home with real ports, and daemons as its targets."""

    def __init__(self, home: Path, *targets: TargetConfig) -> None:
        self.box = Box.at(home)
        self.env = environment({"PATH": os.environ["PATH"]})
        self.targets = list(targets)
        self.spec = replace(SPEC, targets=tuple(each.name for each in targets))

    @property
    def context(self) -> Context:
        config = replace(self.box.context.config, targets={each.name: each for each in self.targets})
        return replace(self.box.context, env=self.env, config=config)

    def deploy(self) -> tuple[tuple[TargetState, ...], Leaf]:
        """Store a new version and deploy it."""
        version, leaf = self.box.store(self.spec)
        return deploy_version(self.context, "svc", version, self.targets, spec=self.spec), leaf

    def refused(self) -> CertdeckError:
        """Deploy a new version and return the refusal."""
        with pytest.raises(CertdeckError) as caught:
            self.deploy()
        return caught.value


def running(kind: str, leaf: Leaf, *, same_files_as: Daemon | None = None) -> Daemon:
    """Start a daemon with a pair as installed, or with that of another one; skip the test where it cannot be."""
    made = DAEMONS[kind]
    if made.needs_root and os.geteuid() != 0:
        pytest.skip(f"{kind} is started by root")
    for program in made.programs:
        try:
            find_program(program)
        except NotThere:
            pytest.skip(f"{program} is not installed")
    try:
        pwd.getpwnam(made.account)
    except KeyError:
        pytest.skip(f"there is no account {made.account}")
    daemon = made()
    try:
        if same_files_as is None:
            daemon.install(leaf)
        else:
            daemon.certificate, daemon.key = same_files_as.certificate, same_files_as.key
        daemon.start()
    except BaseException:
        daemon.remove()
        raise
    return daemon


@pytest.fixture(scope="module", params=list(DAEMONS))
def started(request: pytest.FixtureRequest) -> Iterator[tuple[Daemon, Leaf]]:
    """One process of a service for all tests here, and the certificate that it was installed with."""
    leaf = Authority.new(now=datetime.now(UTC)).leaf([NAME])
    made = running(request.param, leaf)
    yield made, leaf
    made.remove()


@pytest.fixture
def daemon(started: tuple[Daemon, Leaf]) -> Daemon:
    """A running service whose files are as they were installed: nothing is left of the deployments of another test."""
    made, leaf = started
    made.install_again(leaf)
    return made


@pytest.fixture
def site(daemon: Daemon, tmp_path: Path) -> Site:
    """That service as the only target."""
    return Site(tmp_path / "home", daemon.target())


def _files(site: Site) -> list[bytes]:
    target = site.targets[0]
    return [Path(path).read_bytes() for path in (target.certificate, target.key, target.chain) if path]


def test_each_version_is_served_and_an_older_one_again(daemon: Daemon, site: Site) -> None:
    """Each deployment ends with the service presenting the new certificate; a rollback with the one before (ST-12, SF-15)."""
    states, first = site.deploy()
    seen = first.sha256 if site.targets[0].probe else None
    assert [(each.state, each.served_sha256) for each in states] == [("deployed", seen)]
    daemon.must_serve(first.sha256)
    _, second = site.deploy()
    daemon.must_serve(second.sha256)
    rollback(site.context, "svc")
    daemon.must_serve(first.sha256)
    key = Path(daemon.key).stat()
    assert stat.S_IMODE(key.st_mode) & 0o007 == 0
    if os.geteuid() == 0:
        assert (key.st_uid, stat.S_IMODE(key.st_mode)) == (0, 0o600 if daemon.account == "root" else 0o640)


def test_what_fails_is_undone_and_the_old_certificate_served(daemon: Daemon, site: Site) -> None:
    """A torn pair never reaches the service; a dead action, or another certificate at a probe, puts the old one back (ST-41)."""
    _, first = site.deploy()
    before = _files(site)
    version, _ = site.box.store(site.spec, key=self_signed(["x.example.com"]).key_pem)
    with pytest.raises(StoreCorrupt):
        deploy_version(site.context, "svc", version, site.targets, spec=site.spec)
    assert _files(site) == before

    good = site.targets[0]
    site.targets = [replace(good, reload=(sys.executable, "-c", "raise SystemExit(3)"), timeout_seconds=5)]
    assert type(site.refused()) is ReloadFailed
    assert _files(site) == before
    daemon.must_serve(first.sha256)

    other = Nginx()
    other.install(self_signed(["other.example.com"]))
    try:
        other.start()
        site.targets = [replace(good, probe=(*good.probe, other.address), probe_timeout_seconds=2)]
        assert type(site.refused()) is ProbeMismatch
    finally:
        other.remove()
    assert _files(site) == before
    daemon.wait_served(first.sha256)


def test_killed_during_the_switch_it_starts_and_comes_back(daemon: Daemon, site: Site) -> None:
    """After kill -9 right behind the switch the service starts with a whole pair, and the next run brings the old one back."""
    _, first = site.deploy()
    version, second = site.box.store(site.spec)
    child = os.fork()
    if child == 0:  # pragma: no cover - it ends by its own hand

        def die(report: Report) -> None:
            if isinstance(report.event, TargetSwitched):
                os.kill(os.getpid(), signal.SIGKILL)

        context = site.context
        context = replace(context, narrator=replace(context.narrator, report=die))
        try:
            deploy_version(context, "svc", version, site.targets, spec=site.spec)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    daemon.stop()
    daemon.start()
    daemon.must_serve(second.sha256)
    recover(site.context)
    daemon.wait_served(first.sha256)
    assert lineages.live_version(site.box.paths, "svc") == 1


def test_a_key_that_only_root_can_read_is_opened_to_its_service(daemon: Daemon, site: Site) -> None:
    """Where the service reads the key as its own account, mode 0600 of an administrator becomes 0640 of its group (SO-12)."""
    kind = kind_named(daemon.kind)
    if kind is None or not kind.key.accounts or os.geteuid() != 0:
        pytest.skip("root reads the key")
    daemon.key.chmod(0o600)
    os.chown(daemon.key, 0, 0)
    _, leaf = site.deploy()
    daemon.must_serve(leaf.sha256)
    assert stat.S_IMODE(daemon.key.stat().st_mode) == 0o640


def test_a_copied_key_is_opened_to_its_service_as_well(tmp_path: Path) -> None:
    """With plain files in the place of links, a key of mode 0600 becomes 0640 of the group of its service, too."""
    if os.geteuid() != 0:
        pytest.skip("root reads the key")
    daemon = running("mosquitto", self_signed([NAME]))
    try:
        daemon.key.chmod(0o600)
        os.chown(daemon.key, 0, 0)
        _, leaf = Site(tmp_path / "home", replace(daemon.target(), mode="copy")).deploy()
        daemon.must_serve(leaf.sha256)
        assert (stat.S_IMODE(daemon.key.stat().st_mode), daemon.key.is_symlink()) == (0o640, False)
    finally:
        daemon.remove()


def test_one_certificate_goes_to_several_services_or_to_none(tmp_path: Path) -> None:
    """nginx, postfix, dovecot and postgresql get one certificate in one transaction, and keep the old one together (SO-41)."""
    names = ("nginx", "postfix", "dovecot", "postgresql")
    daemons: list[Daemon] = []
    try:
        for name in names:
            daemons.append(running(name, self_signed([NAME])))
        site = Site(tmp_path / "home", *(each.target(each.kind) for each in daemons))
        states, leaf = site.deploy()
        assert {each.served_sha256 for each in states} == {leaf.sha256}
        site.targets[3] = replace(site.targets[3], test=(sys.executable, "-c", "raise SystemExit(1)"))
        assert type(site.refused()) is ConfigTestFailed
        site.targets[3] = replace(site.targets[3], test=(), reload=(sys.executable, "-c", "raise SystemExit(1)"))
        assert type(site.refused()) is ReloadFailed
        for each in daemons:
            each.wait_served(leaf.sha256)
    finally:
        for each in daemons:
            each.remove()


def test_services_that_read_the_same_files_are_all_told(tmp_path: Path) -> None:
    """nginx and dovecot with one certificate file both serve each new certificate, and the old one when dovecot's reload fails."""
    daemons = [running("nginx", self_signed([NAME]))]
    try:
        daemons.append(running("dovecot", self_signed([NAME]), same_files_as=daemons[0]))
        nginx, dovecot = (each.target(each.kind) for each in daemons)
        site = Site(tmp_path / "home", nginx, replace(dovecot, files_of="nginx"))
        states, leaf = site.deploy()
        assert {each.served_sha256 for each in states} == {leaf.sha256}
        site.targets[1] = replace(site.targets[1], reload=(sys.executable, "-c", "raise SystemExit(1)"))
        assert type(site.refused()) is ReloadFailed
        for each in daemons:
            each.wait_served(leaf.sha256)
    finally:
        for each in daemons:
            each.remove()
