"""A backup and a restore that are killed, or find the disk full, at every single file operation."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from core.engine import Engine
from core.errors import CertdeckError
from core.store.home import REPLACED
from tests.support.appliance import Appliance
from tests.support.killer import deaths, full_disks, kills, leftovers

KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class Scene:
    """A box with one certificate, and a backup of it from before its last renewal."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "scene"
        self.root.mkdir()
        self.file = folder / "box.backup"
        self.box = Appliance(self.root / "home")
        self.box.issue("shop.example.com", name="shop")
        self.box.engine.backup(self.file, to_key=PUBLIC)
        self.old = self.box.live("shop")
        self.box.engine.renew(["shop"], force=True)
        self.new = self.box.live("shop")
        assert self.old != self.new

    def engine(self) -> Engine:
        """Return what another process has, with an index to be made: else its age decides whether that is one operation more."""
        self.box.paths.index.unlink(missing_ok=True)
        return self.box.reopened()

    def restore(self) -> None:
        self.engine().restore(self.file, key=PRIVATE, replace=True)

    def assert_whole(self, where: str) -> bytes:
        """Looking at the box, whoever does it first, finds one of the two whole; returns which."""
        status = self.box.reopened().status()
        assert [each.name for each in status.lineages] == ["shop"], where
        assert status.problems == (), where
        live = self.box.live("shop")
        assert live in (self.old, self.new), where
        key = self.box.paths.live / "shop" / "privkey.pem"
        assert key.stat().st_mode & 0o777 == 0o600, where
        self.box.reopened().accounts()
        return live


def test_a_restore_that_is_killed_anywhere(tmp_path: Path) -> None:
    """The box is the old or the restored one, at the next look already; the next command leaves nothing half-built behind."""
    scene = Scene(tmp_path)
    seen = []
    # Restored folders keep their inodes, and by those the index knows what it has read.
    for where in deaths(scene.root, scene.restore):
        seen.append(scene.assert_whole(where))
        scene.box.reopened().set_lineage("shop", auto_renew=True)
        assert leftovers(scene.root) == [], where
        assert not scene.box.paths.restoring.exists(), where
        aside = list(scene.root.rglob(f"{REPLACED}*"))
        assert bool(aside) == (seen[-1] == scene.old), where
    assert set(seen) == {scene.old, scene.new}
    assert len(seen) > 40


def test_a_restore_onto_a_full_disk(tmp_path: Path) -> None:
    """A disk that fills up leaves the box as it was, or restored, and is said in words."""
    scene = Scene(tmp_path)
    for where, error in full_disks(scene.root, scene.restore):
        assert error is None or isinstance(error, CertdeckError), where
        scene.assert_whole(where)


def test_a_backup_that_is_killed_anywhere(tmp_path: Path) -> None:
    """The file that stands there is the former backup or the new one, and opens."""
    scene = Scene(tmp_path)
    out = scene.root / "out" / "box.backup"
    out.parent.mkdir()
    scene.box.engine.backup(out, to_key=PUBLIC)
    for where in kills(scene.root, lambda: scene.engine().backup(out, to_key=PUBLIC)):
        assert scene.box.reopened().look_at_backup(out, key=PRIVATE).certificates == 1, where


def test_looking_while_a_restore_is_at_work(tmp_path: Path) -> None:
    """Whoever looks in the middle of a restore is told that somebody is at work, and shown nothing half-done."""
    from core.errors import LockHeld
    from core.store.lock import writers_lock

    scene = Scene(tmp_path)
    scene.box.paths.restoring.write_text("{}")
    with writers_lock(scene.box.paths, scene.box.engine.env, "restore"), pytest.raises(LockHeld):
        scene.box.reopened().status()
