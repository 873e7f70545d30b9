"""Every file operation of a command fails once: what is told is true, and the next run leaves nothing behind."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.config.load import load_lineage
from core.engine import Engine
from core.store import journal, lineages
from tests.support.appliance import Appliance
from tests.support.authority import Authority
from tests.support.boxes import belong_together
from tests.support.clock import NOON
from tests.support.command import Answer, command
from tests.support.killer import failures, leftovers

CONFIG = '[defaults]\nissuer = "appliance-ca"\n'
NAME = "shop"
ISSUE = ("issue", "-d", "shop.example.com", "--name", NAME, "--target", "web", "--force", "--json")


class Box:
    """A box with one service, driven by commands."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "box"
        self.root.mkdir()
        self.appliance = Appliance(self.root / "home", CONFIG)
        self.service = self.appliance.add_service(self.root / "tls")
        self.service.memory = folder / "memory"
        self.paths = self.appliance.paths
        authority = Authority.new(now=NOON)
        leaf = authority.leaf(["shop.example.com"])
        (folder / "upload.pem").write_bytes(leaf.fullchain_pem + leaf.key_pem)
        self.upload = str(folder / "upload.pem")
        self.name = NAME
        self._memory: bytes | None = None

    def run(self, *argv: str) -> Answer:
        """Run a command as a process of its own would."""
        engine: Any = self.appliance.reopened()
        assert isinstance(engine, Engine)
        return command(*argv, engine=engine)

    def done(self, *argv: str) -> None:
        answer = self.run(*argv)
        assert answer.status == 0, answer

    def remember(self) -> None:
        self._memory = self.service.serves

    def afresh(self, *argv: str) -> Callable[[], Answer]:
        """Return the command, begun while the service shows what it did at first."""

        def begin() -> Answer:
            if self._memory is None:
                self.service.memory.unlink(missing_ok=True)
            else:
                self.service.serves = self._memory
            return self.run(*argv)

        return begin

    @property
    def live(self) -> int | None:
        return lineages.live_version(self.paths, self.name)

    @property
    def is_whole(self) -> bool:
        """Tell whether the live version, if there is one, has a certificate, and the key of it."""
        version = self.live
        if version is None:
            return True
        folder = lineages.folder(self.paths, self.name, version)
        return belong_together((folder / "fullchain.pem").read_bytes(), (folder / "privkey.pem").read_bytes())

    def shows(self, version: int | None) -> bool:
        """Tell whether service, files and live/NAME all show a version."""
        pair = self.service.pair()
        if version is None:
            return self.live is None and pair is None
        folder = lineages.folder(self.paths, self.name, version)
        cert, key = (folder / "fullchain.pem").read_bytes(), folder / "privkey.pem"
        return (
            self.live == version and key.exists() and pair == (cert, key.read_bytes()) and self.service.serves == cert
        )


def first(box: Box) -> tuple[str, ...]:
    return ISSUE


def again(box: Box) -> tuple[str, ...]:
    box.done(*ISSUE)
    return ISSUE


def renewed(box: Box) -> tuple[str, ...]:
    box.done(*ISSUE)
    return ("--renew", NAME, "--force", "--json")


def imported(box: Box) -> tuple[str, ...]:
    box.done(*ISSUE)
    return ("import", NAME, "--cert", box.upload, "--replace", "--json")


def rolled_back(box: Box) -> tuple[str, ...]:
    box.done(*ISSUE)
    box.done(*ISSUE)
    return ("rollback", NAME, "--json")


def untargeted(box: Box) -> tuple[str, ...]:
    return ("issue", "-d", "shop.example.com", "--name", NAME, "--json")


def booted(box: Box) -> tuple[str, ...]:
    box.name = "default"
    return ("first-boot", "--hostname", "box.example.com", "--json")


SCENES = (first, again, renewed, imported, rolled_back, untargeted, booted)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_one_failing_call_leaves_one_truth(tmp_path: Path, scene: Callable[[Box], tuple[str, ...]]) -> None:
    """Whichever call fails, 0 means that the new certificate is live, 1 that the old one is, and the next run is clean.

    What is live then has its settings.
    """
    box = Box(tmp_path)
    argv = scene(box)
    old = box.live
    box.remember()
    ends = {"done": 0, "warned": 0, "failed": 0}
    for where, answer in failures(box.root, box.afresh(*argv), every=int(os.environ.get("CERTDECK_TEST_EVERY", 3))):
        assert isinstance(answer, Answer), (where, answer)
        said = answer.json
        if answer.status == 0:
            assert box.live != old, where
            assert box.is_whole, where
            assert scene is untargeted or box.shows(box.live), where
            ends["warned" if "warnings" in said else "done"] += 1
        else:
            assert answer.status == 1, (where, answer)
            error = said["failed"][0]["error"] if "failed" in said else said["error"]
            assert error["code"] != "internal", (where, error)
            assert box.live == old, (where, error)
            assert scene is untargeted or box.shows(old) or old is None, (where, error)
            ends["failed"] += 1
        again = box.run("--renew", "--json")
        assert again.status == 0, (where, answer, again)
        assert box.live is None or load_lineage(box.paths, box.name).domains, (where, answer)
        assert leftovers(box.root) == [], (where, answer)
        assert journal.names(box.paths) == (), (where, answer)
    assert ends["failed"] > 20, ends
    assert ends["warned"] > 5, ends


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC], ids=errno.errorcode.get)
def test_a_disk_that_refuses_everything_from_then_on(tmp_path: Path, code: int) -> None:
    """From any call on nothing can be changed any more: 0 means new, 1 means old or says that it is not known; it heals later."""
    box = Box(tmp_path)
    argv = again(box)
    old = box.live
    box.remember()
    warned = 0
    for where, answer in failures(box.root, box.afresh(*argv), (code,), for_good=True):
        assert isinstance(answer, Answer), (where, answer)
        if answer.status == 0:
            assert box.shows(box.live), where
            assert box.live != old, where
            warned += "warnings" in answer.json
        else:
            assert answer.status == 1, (where, answer)
            assert answer.error["code"] != "internal", (where, answer)
            is_unknown = answer.error.get("details", {}).get("live") == "unknown"
            assert is_unknown or box.shows(old), (where, answer)
        healed = box.run("--renew", "--json")
        assert healed.status == 0, (where, healed)
        assert box.shows(box.live), (where, answer, healed)
        assert leftovers(box.root) == [], (where, answer)
        assert journal.names(box.paths) == (), (where, answer)
    assert warned > 5
