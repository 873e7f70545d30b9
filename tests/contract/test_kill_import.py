"""An import that is killed, or finds the disk full, at every single file operation."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.load import load_lineage
from core.engine import Engine
from core.errors import CertdeckError
from core.upload.values import ImportRequest
from tests.support.appliance import Appliance
from tests.support.authority import Authority, Leaf
from tests.support.clock import NOON
from tests.support.killer import full_disks, kills, leftovers
from tests.support.services import Service
from tests.support.uploads import upload

NAME = "shop.example.com"


class Scene:
    """A box with a running service that shows `old`, and an upload to be applied."""

    def __init__(self, folder: Path, *, by_ca: bool) -> None:
        self.root = folder / "scene"
        self.root.mkdir()
        self.authority = Authority.new("Purchased", now=NOON)
        (folder / "roots.pem").write_bytes(self.authority.root_pem)
        self.box = Appliance(self.root / "home")
        env = replace(self.box.engine.env, variables={"SSL_CERT_FILE": str(folder / "roots.pem")})
        self.box.engine = Engine(self.box.paths, env)
        self.service: Service = self.box.add_service(self.root / "tls")
        # What a service has in its memory is no operation of ours.
        self.service.memory = folder / "memory"
        self.old: Leaf | None = None
        if by_ca:
            self.box.issue(NAME, targets=("web",))
        else:
            self.old = self.authority.leaf([NAME])
            self.apply(self.old)
        self.new = self.authority.leaf([NAME, "www.example.com"])
        self.before = self.box.live(NAME)
        self.pairs = {
            self.before: (self.box.paths.live / NAME / "privkey.pem").read_bytes(),
            self.new.fullchain_pem: self.new.key_pem,
        }
        self.memory = self.service.memory.read_bytes()

    def apply(self, leaf: Leaf) -> None:
        files = upload(leaf.fullchain_pem, leaf.key_pem)
        self.box.engine.import_upload(ImportRequest(name=NAME, upload=files, targets=("web",), replace=True))

    def act(self) -> None:
        """Import the new certificate, with a service that shows the old one at first."""
        self.service.memory.write_bytes(self.memory)
        self.apply(self.new)

    def assert_consistent(self, where: str) -> None:
        """The service could start now, and what is live belongs together: the old pair or the new one."""
        assert self.service.command("test").returncode == 0, where
        live = self.box.paths.live / NAME
        for fullchain, key in (
            ((live / "fullchain.pem").read_bytes(), (live / "privkey.pem").read_bytes()),
            self.service.pair() or (b"", b""),
        ):
            assert self.pairs.get(fullchain) == key, where

    def assert_settled(self, where: str) -> None:
        """Live, files and memory of the service are one certificate, settings say how it was had, nothing lies about."""
        self.assert_consistent(where)
        live = self.box.live(NAME)
        assert self.service.pair() == (live, self.pairs[live]), where
        assert self.service.serves == live, where
        is_new = live == self.new.fullchain_pem
        assert load_lineage(self.box.paths, NAME).issuer == ("upload" if is_new or self.old else "ca"), where
        assert leftovers(self.root) == [], where
        assert not list(self.box.paths.transactions.glob("*.json")), where


@pytest.fixture(params=[False, True], ids=["over-an-upload", "over-a-ca"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    """A box before an import."""
    return Scene(tmp_path, by_ca=request.param)


def test_killed_anywhere(scene: Scene) -> None:
    """After a kill at any operation old or new is live; the next command cleans up, and the import can be repeated."""
    places = 0
    seen = set()
    for where in kills(scene.root, scene.act, [scene.service.memory]):
        places += 1
        scene.assert_consistent(where)
        scene.box.engine.deploy(NAME)
        scene.assert_settled(where)
        seen.add(scene.box.live(NAME))
        scene.apply(scene.new)
        scene.assert_settled(where)
        assert scene.box.live(NAME) == scene.new.fullchain_pem, where
        assert scene.box.engine.status().lineages[0].waiting_version is None, where
    assert places > 60
    assert seen == {scene.before, scene.new.fullchain_pem}


def test_a_full_disk_anywhere(scene: Scene) -> None:
    """A disk that fills up at any operation leaves old or new, says so in words, and the import goes through once there is room."""
    for where, error in full_disks(scene.root, scene.act):
        assert error is None or isinstance(error, CertdeckError), where
        scene.assert_consistent(where)
        scene.apply(scene.new)
        scene.assert_settled(where)
        assert scene.box.live(NAME) == scene.new.fullchain_pem, where
