"""What single services need beyond the battery."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.model import LineageConfig
from core.system import environment
from core.targets.probe import seen_before
from core.workflows.context import Context
from core.workflows.deploying.deploy import rollback
from core.workflows.deploying.transaction import deploy_version
from tests.support.authority import Authority, Leaf, make_key, self_signed
from tests.support.daemons.base import NAME, Daemon, write
from tests.support.daemons.mail import Dovecot, Postfix
from tests.support.daemons.vpn import Strongswan
from tests.support.programs import NotThere, find_program
from tests.support.services import Box

pytestmark = pytest.mark.e2e

SPEC = LineageConfig(name="svc", domains=(NAME,), targets=("svc",))


class PostfixWithMap(Postfix):
    """A postfix whose certificate for one name comes from a compiled map, which holds copies of certificate and key."""

    def configure(self) -> None:
        super().configure()
        source = write(self.folder / "etc" / "sni", f"{NAME} {self.key} {self.certificate}\n")
        with (self.folder / "etc" / "main.cf").open("a") as main:
            main.write(f"tls_server_sni_maps = hash:{source}\nsmtpd_tls_cert_file = {self.folder}/other.crt\n")
            main.write(f"smtpd_tls_key_file = {self.folder}/other.key\n")
        self_signed(["other.example.com"]).write(self.folder / "other.crt", self.folder / "other.key")
        argv = [find_program("postmap"), "-c", str(source.parent), "-F", f"hash:{source}"]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30)


def _running(daemon: Daemon) -> Daemon:
    for program in daemon.programs:
        try:
            find_program(program)
        except NotThere:
            daemon.remove()
            pytest.skip(f"{program} is not installed")
    daemon.install(_leaf())
    daemon.start()
    return daemon


def _leaf() -> Leaf:
    return Authority.new(now=datetime.now(UTC)).leaf([NAME])


@pytest.fixture(params=[PostfixWithMap, Dovecot])
def daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    """A running service."""
    made = request.param()
    try:
        yield _running(made)
    finally:
        made.remove()


def _context(box: Box, daemon: Daemon) -> Context:
    config = replace(box.context.config, targets={"svc": daemon.target()})
    return replace(box.context, env=environment(), config=config)


@pytest.mark.parametrize("daemon", [PostfixWithMap], indirect=True)
def test_a_compiled_map_gets_the_new_certificate(daemon: Daemon, tmp_path: Path) -> None:
    """What postfix serves by its SNI map is new after each deployment, and old after a rollback: postmap -F ran before."""
    box = Box.at(tmp_path / "home")
    leaves = []
    for _ in range(2):
        version, leaf = box.store(SPEC)
        leaves.append(leaf)
        deploy_version(_context(box, daemon), "svc", version, [daemon.target()], spec=SPEC)
        assert daemon.served() == leaf.sha256
    rollback(_context(box, daemon), "svc")
    assert daemon.served() == leaves[0].sha256


@pytest.mark.parametrize("daemon", [Dovecot], indirect=True)
def test_what_somebody_else_broke_is_told_apart_and_healed(daemon: Daemon, tmp_path: Path) -> None:
    """A service that fails each handshake before a deployment is no reason to undo it, and serves afterwards."""
    daemon.key.write_bytes(self_signed(["x.example.com"]).key_pem)
    env = environment()
    assert env.runner.run(daemon.reload(), timeout=10).returncode == 0, "dovecot reports success with a torn pair"
    assert seen_before(env, daemon.target(), (NAME,)) == {daemon.address: ()}
    box = Box.at(tmp_path / "home")
    version, leaf = box.store(SPEC)
    (state,) = deploy_version(_context(box, daemon), "svc", version, [daemon.target()], spec=SPEC)
    assert state.state == "deployed"
    assert daemon.served() == leaf.sha256


@pytest.mark.parametrize("daemon", [Strongswan], indirect=True)
def test_strongswan_presents_a_new_certificate_that_has_the_old_key(daemon: Daemon, tmp_path: Path) -> None:
    """Peers get the new certificate of an unchanged key, and the old one after a rollback: the old ones were unloaded."""
    box = Box.at(tmp_path / "home")
    key = make_key()
    leaves = []
    for _ in range(2):
        version, leaf = box.store(SPEC, box.authority.leaf([NAME], key=key))
        leaves.append(leaf)
        deploy_version(_context(box, daemon), "svc", version, [daemon.target()], spec=SPEC)
        daemon.must_serve(leaf.sha256)
    rollback(_context(box, daemon), "svc")
    daemon.must_serve(leaves[0].sha256)
