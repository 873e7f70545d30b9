"""Taking over another client's certificate, killed, or with a full disk, at every single file operation."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.adoption import AdoptRequest
from core.config.load import load_config, load_lineage
from core.errors import CertdeckError
from core.store import adopted_record, lineages
from core.store.accounts import load_account
from core.x509.pair import pair_problem
from tests.support.appliance import Appliance
from tests.support.killer import full_disks, kills, leftovers
from tests.support.other_clients import unpack

NAME = "multi.example.org"
DIRECTORY = "https://acme-v02.api.letsencrypt.org/directory"


class Scene:
    """A box with nothing set up, and what acme.sh keeps beside it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "scene"
        self.root.mkdir()
        self.box = Appliance(self.root / "home", config="")
        self.box.clock.set(datetime(2026, 11, 29, tzinfo=UTC))
        self.box.root = unpack("acme.sh", folder / "theirs")
        self.box.engine = self.box.reopened()
        # One certificate is enough, and what it needs is loaded once.
        for folder in (self.box.root / "root/.acme.sh").glob("*example.org*"):
            if folder.name != f"{NAME}_ecc":
                shutil.rmtree(folder)
        self.box.engine.adopt(AdoptRequest([NAME], dry_run=True))
        self.theirs = self.seen()

    def seen(self) -> list[tuple[str, int]]:
        return sorted((str(path), os.lstat(path).st_mtime_ns) for path in self.box.root.rglob("*"))

    def act(self) -> None:
        self.box.engine.adopt(AdoptRequest([NAME]))

    def assert_consistent(self, where: str) -> None:
        """What is live is a pair, with its settings; nothing of theirs has changed."""
        version = lineages.live_version(self.box.paths, NAME)
        if version is not None:
            pair = lineages.read_pair(self.box.paths, NAME, version)
            assert pair_problem(pair.fullchain, pair.privkey) == "", where
        assert self.seen() == self.theirs, where

    def assert_repeated(self, where: str) -> None:
        """The same command once more brings it to its end."""
        done = self.box.engine.adopt(AdoptRequest([NAME]))
        assert done.failed == (), where
        paths = self.box.paths
        assert lineages.live_version(paths, NAME) == 1, where
        assert lineages.versions(paths, NAME) == (1,), where
        assert load_lineage(paths, NAME).targets == ("nginx",), where
        assert list(load_config(paths).targets) == ["nginx"], where
        account = load_account(paths, "letsencrypt", DIRECTORY)
        assert account is not None, where
        assert self.box.engine.accounts(), where
        assert adopted_record.load(paths) == {NAME: "acme.sh"}, where
        assert leftovers(self.root) == [], where


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A box before anything is taken over."""
    return Scene(tmp_path)


@pytest.mark.timeout(600)
def test_killed_anywhere(scene: Scene) -> None:
    """After a kill at any operation nothing or all of a certificate is there, and the command can be repeated."""
    places = 0
    for where in kills(scene.root, scene.act):
        places += 1
        scene.assert_consistent(where)
        scene.assert_repeated(where)
    assert places > 40


@pytest.mark.timeout(600)
def test_a_full_disk_anywhere(scene: Scene) -> None:
    """A disk that fills up at any operation is said in words, and the command goes through once there is room."""
    for where, error in full_disks(scene.root, scene.act):
        assert error is None or isinstance(error, CertdeckError), where
        scene.assert_consistent(where)
        scene.assert_repeated(where)
