from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from msgspec.structs import replace

from core.config.model import LineageConfig, TargetConfig
from core.errors import CertdeckError, ConfigError, ReloadFailed
from core.store import journal
from core.targets.check import refuse
from core.targets.remote import check
from core.workflows.context import Context
from core.workflows.deploying.recover import recover
from core.workflows.deploying.transaction import deploy_version
from tests.support.authority import Leaf
from tests.support.services import Box
from tests.support.sshd import PROGRAM, BreakingRunner, Server, running

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs openssh-server")
SHOP = LineageConfig(name="shop", domains=("shop.example.com",), targets=("web",))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real sshd on loopback."""
    with running(tmp_path_factory.mktemp("sshd") / "etc") as started:
        yield started


class Remote:
    """A box, and another machine, which is a folder that is reached over SSH."""

    def __init__(self, home: Path, server: Server) -> None:
        self.box = Box.at(home / "home")
        self.runner = BreakingRunner()
        self.folder = home / "there"
        self.target = server.target(home / "here", self.folder)
        self.told = self.folder / "told"

    @property
    def context(self) -> Context:
        context = self.box.context
        env = SimpleNamespace(**{**vars(context.env), "runner": self.runner})
        return replace(context, env=cast("object", env), config=replace(context.config, targets={"web": self.target}))

    def deploy(self) -> Leaf:
        version, leaf = self.box.store(SHOP)
        deploy_version(self.context, "shop", version, [self.target], spec=SHOP)
        return leaf

    def served(self) -> tuple[str, str] | None:
        """Return the pair on the other machine."""
        places = [Path(self.target.remote_certificate or ""), Path(self.target.remote_key or "")]
        if not any(place.exists() for place in places):
            return None
        return places[0].read_text(), places[1].read_text()


@pytest.fixture
def remote(tmp_path: Path, server: Server) -> Remote:
    return Remote(tmp_path, server)


def pair_of(leaf: Leaf) -> tuple[str, str]:
    return leaf.fullchain_pem.decode(), leaf.key_pem.decode()


def test_the_pair_switches_on_the_other_machine(remote: Remote) -> None:
    """Two deployments in a row reach the other machine, the key is for its owner alone, and the service there is told."""
    remote.target = replace(remote.target, remote_reload=("touch", str(remote.told)))
    assert remote.deploy() is not None
    leaf = remote.deploy()
    assert remote.served() == pair_of(leaf)
    assert (remote.folder / "site.key").stat().st_mode & 0o777 == 0o600
    assert remote.told.exists()
    assert journal.names(remote.box.paths) == ()


def test_no_key_is_in_an_argument(remote: Remote) -> None:
    """What is secret travels on the standard input, never among the arguments."""
    leaf = remote.deploy()
    body = leaf.key_pem.decode().splitlines()[1]
    assert remote.runner.steps
    assert not any(body in word for argv in remote.runner.steps for word in argv)


@pytest.mark.parametrize("setting", ["remote_test", "remote_reload"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_failure_there_puts_the_old_files_back(remote: Remote, setting: str, is_first: bool) -> None:
    """Where the test or the reload fails on the other machine, it has its old files again, foreign ones too."""
    if is_first:
        (remote.folder / "site.key").write_text("foreign key")
        Path(remote.target.remote_certificate or "").write_text("foreign certificate")
    else:
        remote.deploy()
    before = remote.served()
    sound = remote.target
    remote.target = replace(sound, **{setting: ("sh", "-c", "echo it is wrong; exit 3")})
    with pytest.raises(ReloadFailed, match="it is wrong"):
        remote.deploy()
    assert remote.served() == before
    assert journal.names(remote.box.paths) == ()
    remote.target = sound
    leaf = remote.deploy()
    assert remote.served() == pair_of(leaf)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_connection_that_breaks_is_repaired(remote: Remote, at: int, when: str, is_first: bool) -> None:
    """Wherever the connection breaks for good, the old pair is there, or it is there after the next run."""
    if not is_first:
        remote.deploy()
    before = remote.served()
    remote.runner.steps.clear()
    remote.runner.at, remote.runner.when = at, when
    with pytest.raises(ReloadFailed):
        remote.deploy()
    is_open = bool(journal.names(remote.box.paths))
    assert is_open == (at == 2)
    if not is_open:
        assert remote.served() == before
    remote.runner.at, remote.runner.is_down = None, False
    recover(remote.context)
    assert remote.served() == before
    assert journal.names(remote.box.paths) == ()
    leaf = remote.deploy()
    assert remote.served() == pair_of(leaf)


def test_an_unknown_host_key_is_refused(remote: Remote, tmp_path: Path) -> None:
    """A host whose key is not known gets nothing, and the message says what to do."""
    (tmp_path / "none").write_text("")
    remote.target = replace(remote.target, known_hosts=str(tmp_path / "none"))
    with pytest.raises(CertdeckError, match="known_hosts"):
        remote.deploy()
    assert list(remote.folder.iterdir()) == []


def test_the_check_changes_nothing(remote: Remote) -> None:
    """The check passes where a deployment would, names a folder that is missing, and leaves no file behind."""
    env = remote.context.env
    assert check(env, remote.target).ok
    missing = replace(remote.target, remote_key=str(remote.folder / "missing/site.key"))
    assert "missing" in check(env, missing).why
    assert "port" in check(env, replace(remote.target, port=1)).why
    assert list(remote.folder.iterdir()) == []


def test_what_a_target_lacks_is_named() -> None:
    """A target of kind ssh without a host, or with a local reload, is refused before anything is touched."""
    target = TargetConfig(name="web", kind="ssh", certificate="/a/c", key="/a/k", reload=("true",))
    with pytest.raises(ConfigError) as caught:
        refuse([target])
    assert len(caught.value.details["problems"]) == 4
