from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.model import LineageConfig, TargetConfig
from core.errors import CertdeckError, ConfigTestFailed, ProbeMismatch, ReloadFailed, StoreCorrupt
from core.events import Warned
from core.operations import TargetState
from core.ports import Environment
from core.store import lineages
from core.system import environment
from core.targets.observe import observe
from core.workflows.context import Context
from core.workflows.deploying.deploy import rollback
from core.workflows.deploying.transaction import deploy_version
from tests.support.authority import Leaf, self_signed
from tests.support.nginx import NginxServer
from tests.support.programs import free_port, wait_until
from tests.support.services import Box

pytestmark = pytest.mark.e2e

SHOP = LineageConfig(name="shop", domains=("shop.example.com",), targets=("web",))


class Site:
    """A running nginx, the target for it, and a certdeck home, with the real ports."""

    def __init__(self, folder: Path, nginx: NginxServer) -> None:
        self.nginx = nginx
        self.box = Box.at(folder / "home")
        self.env: Environment = environment({"PATH": os.environ["PATH"]})
        self.target = target_for(nginx, "web")
        self.targets = [self.target]

    @property
    def context(self) -> Context:
        """What a workflow gets: the box's home, the real clock, programs and network."""
        targets = {target.name: target for target in self.targets}
        return replace(self.box.context, env=self.env, config=replace(self.box.context.config, targets=targets))

    def deploy(self, spec: LineageConfig = SHOP, leaf: Leaf | None = None) -> tuple[tuple[TargetState, ...], Leaf]:
        """Store a version and deploy it to the configured targets."""
        version, leaf = self.box.store(spec, leaf)
        return deploy_version(self.context, spec.name, version, self.targets, spec=spec), leaf

    def refused(self) -> CertdeckError:
        """Deploy a new version and return the refusal."""
        with pytest.raises(CertdeckError) as caught:
            self.deploy()
        return caught.value

    def files(self) -> tuple[bytes, bytes]:
        """Return what stands at the target's two paths."""
        return Path(self.target.certificate).read_bytes(), Path(self.target.key).read_bytes()

    def tested(self) -> bool:
        """Whether nginx itself accepts the files as they are."""
        return self.env.runner.run(self.nginx.test_command, timeout=20).returncode == 0


def target_for(nginx: NginxServer, name: str) -> TargetConfig:
    return TargetConfig(
        name=name,
        kind="nginx",
        certificate=str(nginx.certificate),
        key=str(nginx.key),
        test=tuple(nginx.test_command),
        reload=tuple(nginx.reload_command),
        probe=(nginx.address,),
    )


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[NginxServer]:
    """An nginx that runs with the pair it was installed with."""
    server = NginxServer(tmp_path / "nginx")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def site(tmp_path: Path, nginx: NginxServer) -> Site:
    """That nginx as a target."""
    return Site(tmp_path, nginx)


def test_nginx_serves_each_new_version(site: Site) -> None:
    """Each deployment ends with nginx serving the new certificate, and a rollback with the one before (ST-12, SF-15)."""
    states, first = site.deploy()
    assert [(s.state, s.served_sha256) for s in states] == [("deployed", first.sha256)]
    assert site.nginx.served_sha256() == first.sha256
    _, second = site.deploy()
    site.nginx.wait_served(second.sha256)
    rollback(site.context, "shop")
    site.nginx.wait_served(first.sha256)


def test_a_broken_configuration_rolls_back(site: Site) -> None:
    """When nginx's own test fails after the switch, the previous certificate is back in files and service (ST-41)."""
    _, first = site.deploy()
    before = site.files()
    site.nginx.break_config()
    error = site.refused()
    assert type(error) is ConfigTestFailed
    assert "unknown directive" in str(error.details["output"])
    assert error.details["live"] == "old"
    assert site.files() == before
    assert site.nginx.served_sha256() == first.sha256
    assert lineages.live_version(site.box.paths, "shop") == 1
    site.nginx.mend_config()
    assert site.tested()
    states = deploy_version(site.context, "shop", 2, site.targets, spec=SHOP)
    assert states[0].state == "deployed"


def test_the_pair_as_installed_comes_back(site: Site) -> None:
    """A failed first deployment leaves the installed files as they were: plain files, same mode, still served (ST-40)."""
    before = site.files()
    modes = [os.lstat(path).st_mode for path in (site.target.certificate, site.target.key)]
    served = site.nginx.served_sha256()
    site.nginx.break_config()
    assert type(site.refused()) is ConfigTestFailed
    assert site.files() == before
    assert [os.lstat(path).st_mode for path in (site.target.certificate, site.target.key)] == modes
    assert sorted(path.name for path in site.nginx.certificate.parent.iterdir()) == ["domain.crt", "domain.key"]
    assert site.nginx.served_sha256() == served


def test_a_mismatched_pair_never_reaches_nginx(site: Site) -> None:
    """A key that does not match this certificate is refused before a file of nginx is touched."""
    before = site.files()
    version, _ = site.box.store(SHOP, key=self_signed(["x.example.com"]).key_pem)
    with pytest.raises(StoreCorrupt):
        deploy_version(site.context, "shop", version, site.targets, spec=SHOP)
    assert site.files() == before
    assert not Path(site.target.certificate).is_symlink()


@pytest.mark.parametrize(
    ("reload", "why"),
    [
        pytest.param((sys.executable, "-c", "import time; time.sleep(60)"), "did not finish within 1 s", id="hangs"),
        pytest.param((sys.executable, "-c", "raise SystemExit('no')"), "exited with status 1", id="fails"),
        pytest.param(("/nonexistent/nginx", "-s", "reload"), "could not be started", id="is-missing"),
    ],
)
def test_a_reload_that_fails_rolls_back(site: Site, reload: tuple[str, ...], why: str) -> None:
    """A reload that fails, hangs or is not there puts the old pair back, and it is said that nobody could confirm it."""
    before = site.files()
    served = site.nginx.served_sha256()
    site.targets = [replace(site.target, reload=reload, timeout_seconds=1)]
    error = site.refused()
    assert type(error) is ReloadFailed
    assert why in error.why
    assert error.details["live"] == "unknown"
    assert site.files() == before
    assert site.nginx.served_sha256() == served
    assert site.tested()


def test_a_service_that_shows_another_certificate_rolls_back(site: Site, tmp_path: Path) -> None:
    """When the probed service presents a different certificate after the reload, the old pair is put back and served again."""
    before, served = site.files(), site.nginx.served_sha256()
    other = NginxServer(tmp_path / "other")
    other.start()
    try:
        site.targets = [replace(site.target, probe=(other.address,), probe_timeout_seconds=1)]
        error = site.refused()
        assert type(error) is ProbeMismatch
        assert error.details["served_sha256"] == other.served_sha256()
    finally:
        other.stop()
    assert site.files() == before
    site.nginx.wait_served(served)


def test_owner_and_mode_of_nginx_files_are_kept(site: Site) -> None:
    """The files of nginx keep owner, group and mode through deployments."""
    Path(site.target.key).chmod(0o440)
    if os.geteuid() == 0:
        os.chown(site.target.key, 0, 33)
    before = Path(site.target.key).stat()
    for _ in range(2):
        site.deploy()
        after = Path(site.target.key).stat()
        assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (before.st_uid, before.st_gid, 0o440)


def test_links_of_an_administrator_are_taken_over(tmp_path: Path) -> None:
    """Files that were linked to their names by hand are served as ours, and the links come back when that fails (SO-06)."""
    store = tmp_path / "elsewhere"
    old = self_signed(["old.example.com"])
    old.write(store / "cert3.pem", store / "key3.pem")
    nginx = NginxServer(tmp_path / "nginx")
    nginx.certificate.parent.mkdir(parents=True)
    nginx.certificate.symlink_to("../../elsewhere/cert3.pem")
    nginx.key.symlink_to("../../elsewhere/key3.pem")
    nginx.start()
    try:
        site = Site(tmp_path, nginx)
        nginx.break_config()
        site.refused()
        assert str(nginx.certificate.readlink()) == "../../elsewhere/cert3.pem"
        assert str(nginx.key.readlink()) == "../../elsewhere/key3.pem"
        nginx.mend_config()
        _, leaf = site.deploy()
        assert nginx.served_sha256() == leaf.sha256
        assert (store / "cert3.pem").read_bytes() == old.fullchain_pem
    finally:
        nginx.stop()


def test_two_servers_all_or_none(site: Site, tmp_path: Path) -> None:
    """When the second of two nginx refuses, the first one serves its old certificate again (SO-41, SF-24)."""
    second = NginxServer(tmp_path / "second")
    second.start()
    try:
        site.targets.append(target_for(second, "mail"))
        spec = replace(SHOP, targets=("web", "mail"))
        _, leaf = site.deploy(spec)
        assert {site.nginx.served_sha256(), second.served_sha256()} == {leaf.sha256}
        site.targets[1] = replace(site.targets[1], reload=(sys.executable, "-c", "raise SystemExit(1)"))
        version, _ = site.box.store(spec)
        with pytest.raises(ReloadFailed) as caught:
            deploy_version(site.context, "shop", version, site.targets, spec=spec)
        assert caught.value.details["target"] == "mail"
        site.nginx.wait_served(leaf.sha256)
        second.wait_served(leaf.sha256)
    finally:
        second.stop()


def test_nginx_that_could_not_start_without_a_certificate(tmp_path: Path) -> None:
    """A first deployment to an nginx that is down, for want of a certificate, leaves it able to start (SF-08)."""
    nginx = NginxServer(tmp_path / "nginx")
    nginx.start()  # writes its configuration
    nginx.stop()
    nginx.certificate.unlink()
    nginx.key.unlink()
    site = Site(tmp_path, nginx)
    assert not site.tested()
    states, leaf = site.deploy()
    assert states[0].state == "unknown"
    assert [r.event.code for r in site.box.told if isinstance(r.event, Warned)] == ["service-not-running"]
    try:
        nginx.start()
        assert nginx.served_sha256() == leaf.sha256
    finally:
        nginx.stop()


def test_an_outside_change_shows_as_stale(site: Site) -> None:
    """A file that somebody edited, and a service that serves something else, show as stale."""
    _, leaf = site.deploy()
    live = site.box.paths.live / "shop"

    def state(*, probe: bool) -> TargetState:
        return observe(site.target, live=live, prober=site.env.prober if probe else None)

    assert (state(probe=True).state, state(probe=True).served_sha256) == ("deployed", leaf.sha256)
    other = self_signed(["other.example.com"])
    other.write(Path(site.target.certificate), Path(site.target.key))
    assert state(probe=False).state == "stale"
    site.env.runner.run(site.nginx.reload_command, timeout=20)
    # Old and new workers answer in turns for a moment.
    wait_until(lambda: state(probe=True).served_sha256 == other.sha256, "nginx serving the other certificate")
    assert state(probe=True).state == "stale"


class TwoAddresses(NginxServer):
    """An nginx that serves the target's pair on 127.0.0.1, and another pair on ::1 at the same port."""

    @property
    def six(self) -> str:
        """Its IPv6 address and port."""
        return f"[::1]:{self.port}"

    def _text(self) -> str:
        for_six = (
            f"  server {{\n    listen {self.six} ssl;\n    ssl_certificate {self.folder}/six.crt;\n"
            f"    ssl_certificate_key {self.folder}/six.key;\n  }}\n"
        )
        return super()._text().removesuffix("}\n") + for_six + "}\n"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Site]:
    """A target that is looked at on both of nginx's addresses, which serve different certificates."""
    server = TwoAddresses(tmp_path / "nginx")
    self_signed(["six.example.com"]).write(server.folder / "six.crt", server.folder / "six.key")
    server.start()
    site = Site(tmp_path, server)
    site.target = replace(site.target, probe=(server.address, server.six), probe_timeout_seconds=2)
    site.targets = [site.target]
    yield site
    server.stop()


def test_another_certificate_on_the_other_address_is_noticed(two: Site) -> None:
    """While 127.0.0.1 serves this certificate, `::1` serving another one undoes the deployment, and is named."""
    before, served = two.files(), two.nginx.served_sha256()
    error = two.refused()
    assert type(error) is ProbeMismatch
    assert f"[::1]:{two.nginx.port} presents a different certificate" in error.why
    assert error.details["live"] == "old"
    assert two.files() == before
    two.nginx.wait_served(served)


def test_the_status_tells_each_address(two: Site) -> None:
    """Each listener has a line of its own, and one with another certificate makes the target stale."""
    six = two.target.probe[1]
    two.targets = [replace(two.target, probe=two.target.probe[:1])]
    _, leaf = two.deploy()
    state = observe(two.target, live=two.box.paths.live / "shop", prober=two.env.prober, names=["shop.example.com"])
    assert [(each.address, each.state) for each in state.listeners] == [
        (two.nginx.address, "deployed"),
        (six, "stale"),
    ]
    assert state.listeners[0].served_sha256 == leaf.sha256
    assert state.state == "stale"
    assert six in state.why


def test_an_address_that_was_dead_before_undoes_nothing(site: Site) -> None:
    """Where nothing listened before the deployment either, the new certificate stays and the address is reported."""
    dead = f"127.0.0.1:{free_port()}"
    site.targets = [replace(site.target, probe=(site.nginx.address, dead))]
    (state,), leaf = site.deploy()
    assert site.nginx.served_sha256() == leaf.sha256
    assert state.state == "unknown"
    assert dead in state.why
    assert [(each.address, each.state) for each in state.listeners] == [
        (site.nginx.address, "deployed"),
        (dead, "unknown"),
    ]
    (warned,) = [report.event for report in site.box.told if isinstance(report.event, Warned)]
    assert (warned.code, dead in warned.what) == ("listener-not-seen", True)
