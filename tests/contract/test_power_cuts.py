"""A power cut at every file operation: what was promised by then is there after the next start, whatever was not flushed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.x509 import load_pem_x509_certificate

from core.config.load import load_config, load_lineage
from core.config.model import LineageConfig
from core.errors import CertdeckError
from core.events import Narrator
from core.ports import CancelToken
from core.store import journal, lineages
from core.store.history import History
from core.store.orders import load_order, load_order_key
from core.store.vault import Vault
from core.workflows.context import Context
from core.workflows.deploying.recover import recover
from core.workflows.deploying.transaction import deploy_version
from core.x509.key_reader import load_key
from tests.contract.test_kill_deploy import SCENES, Scene
from tests.support.appliance import Appliance
from tests.support.boxes import belong_together
from tests.support.power import power_cuts
from tests.support.services import Service

NAME = "shop.example.com"


class Seen(NamedTuple):
    """What the world has seen of a command when the power goes."""

    issued: tuple[bytes, ...]
    """Certificates that the CA has signed, PEM."""
    is_done: bool
    """It has reported success."""


class Home:
    """A box on which a command is cut off, and started again."""

    def __init__(self, folder: Path, *, targets: int) -> None:
        self.folder = folder / "scene"
        self.folder.mkdir()
        self.box = Appliance(self.folder / "home")
        self.paths = self.box.paths
        self.services: list[Service] = []
        for name in ("web", "mail")[:targets]:
            service = self.box.add_service(self.folder / f"tls-{name}", name)
            service.memory = folder / f"memory-{name}"
            self.services.append(service)
        self.names = tuple(service.target.name for service in self.services)
        self.is_done = False
        self.box.issue("other.example.com")

    def issue(self) -> None:
        self.box.issue(NAME, targets=self.names)
        self.is_done = True

    def renew(self) -> None:
        assert self.box.engine.renew([NAME], force=True).renewed == (NAME,)
        self.is_done = True

    def seen(self) -> Seen:
        every = tuple(chain for chain in self.box.ca.certificates.values())
        return Seen(every, self.is_done)

    def started(self) -> None:
        """Start the services, and do what the next command does first."""
        for service in self.services:
            start(service)
        context = Context(
            paths=self.paths,
            env=self.box.engine.env,
            config=load_config(self.paths),
            narrator=Narrator(report=self.box.told.append, now=self.box.clock.now, run="00000000"),
            cancel=CancelToken(),
        )
        recover(context)

    def keys(self) -> Iterator[bytes]:
        """Yield the public key of each private key that is kept with its certificate, or with the order that brings it."""
        vault = Vault(self.paths, self.box.engine.env)
        for name in (NAME, "other.example.com"):
            with suppress(CertdeckError):
                order, kept = load_order(self.paths, name), load_order_key(self.paths, vault, name)
                if order is not None and order.order_url and kept is not None:
                    yield load_key(kept).spki
            for version in lineages.versions(self.paths, name):
                yield load_key(lineages.read_key(self.paths, vault, name, version)).spki

    def assert_kept(self, where: str, seen: Seen) -> None:
        """Every certificate can be used, the log accuses nobody, and what is live is whole."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        keys = set(self.keys())
        for chain in seen.issued:
            public = load_pem_x509_certificate(chain).public_key()
            assert public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) in keys, where
        problem = History(self.paths).verify()[1] or ""
        assert "removed" not in problem, (where, problem)
        assert "altered" not in problem, (where, problem)
        self.assert_live(where)

    def assert_live(self, where: str) -> None:
        live = lineages.live_version(self.paths, NAME)
        if live is None:
            return
        pair = lineages.read_pair(self.paths, NAME, live)
        assert belong_together(pair.cert, pair.privkey), where
        assert pair.fullchain == pair.cert + pair.chain, where
        assert lineages.read_version(self.paths, NAME, live).method == "http-01", where
        assert lineages.read_version(self.paths, NAME, live).spec["domains"] == [NAME], where


def start(service: Service) -> None:
    """Let a service read its files, as when the box starts."""
    service.memory.unlink(missing_ok=True)
    service.command("reload")


@pytest.mark.parametrize("targets", [0, 1])
def test_an_issuance_keeps_what_it_had(tmp_path: Path, targets: int) -> None:
    """The key is there from before the CA signs; what is live is whole and has its settings; after success all of it is there."""
    home = Home(tmp_path, targets=targets)
    for where, seen in power_cuts(home.folder, home.issue, home.seen):
        home.assert_kept(where, seen)
        home.started()
        home.assert_kept(where, seen)
        live = lineages.live_version(home.paths, NAME)
        assert live in ({1} if seen.is_done else {None, 1}), where
        if live:
            assert load_lineage(home.paths, NAME).domains == (NAME,), where
        for service in home.services:
            pair = service.pair()
            assert (None if pair is None else pair[0]) == (home.box.live(NAME) if live else None), where
        assert journal.names(home.paths) == (), where


@pytest.mark.parametrize("targets", [0, 1])
def test_a_renewal_keeps_what_it_had(tmp_path: Path, targets: int) -> None:
    """The old pair is live and whole, or the new one; no key is lost, not that of the old version either."""
    home = Home(tmp_path, targets=targets)
    home.issue()
    home.is_done = False
    old = lineages.read_pair(home.paths, NAME, 1)
    for where, seen in power_cuts(home.folder, home.renew, home.seen):
        home.assert_kept(where, seen)
        home.started()
        home.assert_kept(where, seen)
        live = lineages.live_version(home.paths, NAME)
        assert live in ({2} if seen.is_done else {1, 2}), where
        assert lineages.read_key(home.paths, Vault(home.paths, home.box.engine.env), NAME, 1) == old.privkey, where
        assert load_lineage(home.paths, NAME).domains == (NAME,), where
        for service in home.services:
            pair = service.pair()
            assert pair is not None
            assert pair[0] == home.box.live(NAME) == service.serves, where
        assert journal.names(home.paths) == (), where


def reboot(scene: Scene) -> None:
    """Start the services with what their files show, and recover."""
    for service in scene.services:
        start(service)
    scene.recover()
    for doomed in scene.folder.glob("*/.certdeck-*/.gone-*"):
        shutil.rmtree(doomed)  # the next deployment does it: nothing leads there any more


@pytest.mark.parametrize("which", list(SCENES))
@pytest.mark.parametrize("mode", ["link", "copy"])
def test_a_deployment_ends_with_one_pair(tmp_path: Path, which: str, mode: str) -> None:
    """Every service can start with the old pair or the new one, and the next run settles all of them on one."""
    scene = Scene(tmp_path, mode=mode, **SCENES[which])
    done: list[bool] = []

    def act() -> None:
        scene.afresh(scene.deploy)()
        done.append(True)

    for where, is_done in power_cuts(scene.folder, act, lambda: bool(done)):
        if mode == "link":
            scene.assert_consistent(where)
        reboot(scene)
        scene.assert_settled(where)
        assert not is_done or lineages.live_version(scene.box.paths, "shop") == scene.version, where


@pytest.mark.parametrize("which", list(SCENES))
@pytest.mark.parametrize("mode", ["link", "copy"])
def test_a_refused_deployment_ends_with_the_old_pair(tmp_path: Path, which: str, mode: str) -> None:
    """While a deployment is undone, every service can start, and the next run undoes the rest."""
    scene = Scene(tmp_path, mode=mode, **SCENES[which])
    for where, _ in power_cuts(scene.folder, scene.afresh(scene.deploy_refused), lambda: None):
        if mode == "link":
            scene.assert_consistent(where)
        reboot(scene)
        scene.assert_settled(where)
        assert lineages.live_version(scene.box.paths, "shop") != scene.version, where


def test_a_deployment_that_has_ended_stays_ended(tmp_path: Path) -> None:
    """The record of a deployment does not come back to undo a later one, which has none of its own."""
    scene = Scene(tmp_path, there="ours")
    alone = LineageConfig(name="shop", domains=("shop.example.com",))

    def act() -> None:
        scene.afresh(scene.deploy)()
        deploy_version(scene.box.context, "shop", scene.version, [], spec=alone)
        version, _ = scene.box.store(alone)
        deploy_version(scene.box.context, "shop", version, [], spec=alone)
        done.append(version)

    done: list[int] = []
    for where, ended in power_cuts(scene.folder, act, lambda: tuple(done)):
        reboot(scene)
        if ended:
            assert lineages.live_version(scene.box.paths, "shop") == ended[0], where
            assert load_lineage(scene.box.paths, "shop") == alone, where


def test_a_key_that_is_opened_again_is_not_lost(tmp_path: Path) -> None:
    """Going back to an older version opens its key and seals the newer one: both are there in one form or the other."""
    home = Home(tmp_path, targets=0)
    home.issue()
    home.renew()
    vault = Vault(home.paths, home.box.engine.env)
    had = [lineages.read_key(home.paths, vault, NAME, version) for version in (1, 2)]
    home.is_done = False

    def act() -> None:
        home.box.engine.rollback(NAME)
        home.is_done = True

    for where, seen in power_cuts(home.folder, act, home.seen):
        home.started()
        home.assert_kept(where, seen)
        assert [lineages.read_key(home.paths, vault, NAME, version) for version in (1, 2)] == had, where
        live = lineages.live_version(home.paths, NAME)
        assert live in ({1} if seen.is_done else {1, 2}), where
        assert not seen.is_done or lineages.waiting_version(home.paths, NAME) is None, where
