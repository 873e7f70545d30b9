"""A deployment that is killed, or finds the disk full, at every single file operation."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.load import load_lineage
from core.config.model import LineageConfig
from core.errors import CertdeckError, ConfigTestFailed
from core.events import Recovered
from core.ports import Completed
from core.store import journal, lineages
from core.workflows.deploying.recover import recover
from core.workflows.deploying.transaction import deploy_version
from tests.support.authority import Leaf, self_signed
from tests.support.killer import full_disks, kills
from tests.support.nginx import NginxServer
from tests.support.services import Box, Service

SHOP = LineageConfig(name="shop", domains=("shop.example.com",), targets=("web",))
REFUSES = Completed(returncode=1, output="service: test failed\n")


class Scene:
    """A box with running services and a stored version to deploy."""

    def __init__(
        self,
        folder: Path,
        *,
        there: str,
        mode: str = "link",
        targets: int = 1,
        also: bool = False,
        in_place: bool = False,
        shared: bool = False,
    ) -> None:
        self.folder = folder / "scene"
        self.template = folder / "template"
        self.memories = folder / "memories"
        self.memories.mkdir()
        self.first_memories: dict[Path, bytes] = {}
        self.box = Box.at(self.folder / "home")
        self.services: list[Service] = []
        for name in ("web", "mail")[:targets]:
            service = self.box.services.add(self.folder / f"tls-{name}", name, mode=mode)
            # What a service does with its memory is no operation of ours.
            service.memory = self.memories / name
            # The key lies in a folder of its own, as on Debian.
            (self.folder / f"private-{name}").mkdir()
            key = str(self.folder / f"private-{name}" / "domain.key")
            service.target = replace(service.target, key=key, in_place=in_place)
            if shared and self.services:
                web = self.services[0].target
                service.target = replace(service.target, certificate=web.certificate, key=web.key, files_of="web")
            self.services.append(service)
        self.extra = self.folder / "tls-web" / "domain.cer"
        if also:
            both = self.folder / "private-web" / "both.pem"
            target = self.services[0].target
            self.services[0].target = replace(target, also=(f"fullchain:{self.extra}", f"combined:{both}"))
        self.spec = replace(SHOP, targets=tuple(service.target.name for service in self.services))
        self.old: Leaf | None = None if there == "nothing" else self_signed(["old.example.com"])
        if self.old is not None and there == "files":
            for service in self.services:
                self.install(service, self.old, linked=service.target.name == "mail")
        if self.old is not None and there == "shared files":
            self.install(self.services[0], self.old, linked=False)
            self.services[1].serves = self.old.fullchain_pem
        if self.old is not None and also:
            self.extra.write_bytes(self.old.fullchain_pem)
        if there == "ours":
            version, self.old = self.box.store(self.spec)
            self.deploy(version)
        self.version, self.new = self.box.store(self.spec)
        shutil.copytree(self.folder, self.template, symlinks=True)
        self.remember()

    def remember(self) -> None:
        """Let `afresh` begin with what the services serve now."""
        self.first_memories = {path: path.read_bytes() for path in self.memories.iterdir()}

    def afresh(self, act: Callable[[], None]) -> Callable[[], None]:
        """Return `act`, begun with services that serve what they did at first."""

        def begin() -> None:
            for path in self.memories.iterdir():
                path.unlink()
            for path, content in self.first_memories.items():
                path.write_bytes(content)
            act()

        return begin

    def install(self, service: Service, leaf: Leaf, *, linked: bool) -> None:
        places = (Path(service.target.certificate), Path(service.target.key))
        if linked:
            archive = self.folder / f"archive-{service.target.name}"
            leaf.write(archive / "cert3.pem", archive / "key3.pem")
            places[0].symlink_to(archive / "cert3.pem")
            places[1].symlink_to(archive / "key3.pem")
        else:
            leaf.write(*places)
        service.serves = leaf.fullchain_pem

    def deploy(self, version: int | None = None) -> None:
        targets = [service.target for service in self.services]
        deploy_version(self.box.context, "shop", version or self.version, targets, spec=self.spec)

    def deploy_refused(self) -> None:
        """Deploy while the first service's test fails."""
        self.services[0].test_answers = [REFUSES]
        try:
            with suppress(ConfigTestFailed):
                self.deploy()
        finally:
            self.services[0].test_answers = []

    def recover(self) -> None:
        """Do what the next run does first."""
        self.box.told.clear()
        recover(self.box.context)

    def assert_consistent(self, where: str) -> None:
        """Every service could start now, with the old pair or the new one, and live/NAME holds a pair that belongs together."""
        for service in self.services:
            if self.old is not None or service.pair() is not None:
                assert service.command("test").returncode == 0, where
                assert service.pair() in self.pairs, where
        if self.services[0].target.also:
            assert self.extra.read_bytes() == Path(self.services[0].target.certificate).read_bytes(), where
        live = self.box.paths.live / "shop"
        if live.is_symlink():
            assert ((live / "fullchain.pem").read_bytes(), (live / "privkey.pem").read_bytes()) in self.pairs, where

    def assert_settled(self, where: str) -> None:
        """All services and live/NAME have the same one of the two, and nothing is left lying about."""
        shown = {service.pair() for service in self.services}
        assert len(shown) == 1, where
        is_new = shown == {(self.new.fullchain_pem, self.new.key_pem)}
        expected = self.new if is_new else self.old
        assert shown == {None if expected is None else (expected.fullchain_pem, expected.key_pem)}, where
        for service in self.services:
            # Where nothing was, a service may keep what it read in between: there is nothing older that it could read.
            assert expected is None or service.serves in (expected.fullchain_pem, None), where
        live = lineages.live_version(self.box.paths, "shop")
        assert live == (self.version if is_new else self.version - 1 or None), where
        assert is_new or lineages.waiting_version(self.box.paths, "shop") == self.version, where
        assert journal.names(self.box.paths) == (), where
        if not is_new:
            for folder in self.folder.glob("*-*"):
                assert listing(folder) == listing(self.template / folder.name), where
        names = (".tmp-", ".new-", ".certdeck-web.", ".certdeck-mail.")
        assert [path for path in self.folder.rglob(".*") if path.name.startswith(names)] == [], where

    @property
    def pairs(self) -> list[tuple[bytes, bytes]]:
        """The pairs that may be seen."""
        return [(leaf.fullchain_pem, leaf.key_pem) for leaf in (self.old, self.new) if leaf is not None]


def listing(folder: Path) -> dict[str, str]:
    found = {}
    for path in folder.rglob("*"):
        kind = f"-> {path.readlink()}" if path.is_symlink() else f"{path.stat().st_mode:o}"
        found[str(path.relative_to(folder))] = kind if path.is_dir() else f"{kind} {path.read_bytes()!r}"
    return found


SCENES = {
    "first": {"there": "files", "targets": 2},
    "nothing": {"there": "nothing"},
    "later": {"there": "ours"},
    "with further files": {"there": "files", "also": True},
    "shared files": {"there": "shared files", "targets": 2, "shared": True},
    "shared files later": {"there": "ours", "targets": 2, "shared": True},
}


@pytest.mark.parametrize("which", list(SCENES))
def test_killed_anywhere_every_service_can_start(tmp_path: Path, which: str) -> None:
    """Killed at any operation, files and live/NAME hold a whole pair, and the next run settles on one of the two."""
    scene = Scene(tmp_path, **SCENES[which])
    ends = set()
    for where in kills(scene.folder, scene.afresh(scene.deploy), [scene.memories]):
        scene.assert_consistent(where)
        was_in_flight = bool(journal.names(scene.box.paths))
        scene.recover()
        scene.assert_settled(where)
        assert ("Recovered" in scene.box.events(Recovered)) == was_in_flight, where
        ends.add(lineages.live_version(scene.box.paths, "shop"))
    assert ends == {scene.version, scene.version - 1 or None}
    assert load_lineage(scene.box.paths, "shop") == scene.spec


@pytest.mark.parametrize("in_place", [False, True], ids=["copy", "in-place"])
def test_copies_are_whole_again_after_the_next_run(tmp_path: Path, in_place: bool) -> None:
    """A kill between two copied files, or within one written in place, tears the pair; the next run makes it whole."""
    scene = Scene(tmp_path, there="files", mode="copy", in_place=in_place)
    for where in kills(scene.folder, scene.afresh(scene.deploy), [scene.memories]):
        scene.recover()
        scene.assert_settled(where)
    scene.assert_settled("alive")


def test_killed_while_going_back(tmp_path: Path) -> None:
    """Killed at any operation of a deployment whose test fails, the old pair is whole, and the next run ends the way back."""
    scene = Scene(tmp_path, there="files")
    for where in kills(scene.folder, scene.afresh(scene.deploy_refused), [scene.memories]):
        scene.assert_consistent(where)
        scene.recover()
        scene.assert_settled(where)
        assert lineages.live_version(scene.box.paths, "shop") != scene.version, where
    scene.assert_settled("alive")


@pytest.mark.parametrize(("phase", "there"), [("switching", "files"), ("committing", "ours")])
def test_killed_while_recovering(tmp_path: Path, phase: str, there: str) -> None:
    """A recovery that is itself killed at any operation is simply done again."""
    scene = Scene(tmp_path, there=there)
    died = tmp_path / "died"
    for _ in kills(scene.folder, scene.afresh(scene.deploy), [scene.memories]):
        record = journal.read(scene.box.paths, "shop")
        if record is None or record["phase"] != phase:
            continue
        shutil.rmtree(died, ignore_errors=True)
        shutil.copytree(scene.folder, died, symlinks=True)
        scene.remember()
        if phase == "committing":
            break  # the first death after the commit: all of the book-keeping is still to be done
    shutil.rmtree(scene.folder)
    died.rename(scene.folder)
    for where in kills(scene.folder, scene.afresh(scene.recover), [scene.memories]):
        scene.assert_consistent(where)
        scene.recover()
        scene.assert_settled(where)
    scene.assert_settled("alive")
    assert (lineages.live_version(scene.box.paths, "shop") == scene.version) == (phase == "committing")


@pytest.mark.parametrize("which", list(SCENES))
def test_full_disk_anywhere(tmp_path: Path, which: str) -> None:
    """From any operation on the disk is full: what is seen stays whole, what is told is true, and space heals the rest."""
    scene = Scene(tmp_path, **SCENES[which])
    for where, error in full_disks(scene.folder, scene.afresh(scene.deploy)):
        if error is None:
            assert lineages.live_version(scene.box.paths, "shop") == scene.version, where
        else:
            assert isinstance(error, CertdeckError), where
            assert "full" in f"{error.what} {error.why}", where
        scene.assert_consistent(where)
        scene.recover()
        scene.assert_settled(where)


@pytest.mark.e2e
def test_nginx_accepts_the_files_at_every_kill(tmp_path: Path) -> None:
    """`nginx -t` passes on the files as they are after a kill at any operation of a first deployment."""
    scene = Scene(tmp_path, there="nothing")
    nginx = NginxServer(scene.folder / "nginx")
    nginx.start()  # writes its configuration
    nginx.stop()
    target = scene.services[0].target
    scene.services[0].target = replace(target, certificate=str(nginx.certificate), key=str(nginx.key), probe=())
    for where in kills(scene.folder, scene.afresh(scene.deploy), [scene.memories]):
        done = subprocess.run(nginx.test_command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"{where}: {done.stderr}"
    assert nginx.certificate.read_bytes() == scene.new.fullchain_pem
