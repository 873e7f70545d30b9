"""A change of web settings that is killed, or finds the disk full, at every single file operation."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from core.errors import CertdeckError, WebNotPossible
from core.ports import CancelToken, Response, TransportFailure
from core.store import web
from core.web.blocks import holds
from tests.support.appliance import Appliance
from tests.support.clock import NOON
from tests.support.killer import full_disks, kills, leftovers

NAME = "haproxy"


class Pages:
    """The port `WebReader`: a server that answers HTTPS, and nothing on port 80."""

    def get(self, url: str, *, address: str, timeout: float = 10.0, cancel: CancelToken | None = None) -> Response:
        if url.startswith("http:"):
            raise TransportFailure("unreachable", "Nothing listens.")
        return Response(status=200, headers={}, body=b"")


class Scene:
    """A box whose HAProxy had settings once; its configuration lies in the folder that is restored for each kill."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "scene"
        self.root.mkdir()
        self.box = Appliance(self.root / "home")
        self.box.engine.env = replace(self.box.engine.env, web_reader=Pages())
        service = self.box.add_service(self.root / "tls", NAME)
        self.memory = service.memory = folder / "memory"
        self.box.issue("shop.example.com", targets=(NAME,))
        self.file = self.root / "haproxy.cfg"
        certificate = self.box.engine.config().targets[NAME].certificate
        self.before = f"frontend web\n    bind :443 ssl crt {certificate}\n    mode http\n"
        self.file.write_text(self.before)
        web.save(self.box.paths, NAME, web.Applied(since=NOON, files=(str(self.file),)))

    def act(self) -> None:
        """Apply the settings."""
        self.box.engine.apply_web(NAME)

    def assert_whole(self, where: str) -> None:
        """The configuration is what it was, or has the whole block."""
        text = self.file.read_text()
        assert text == self.before or (holds(text, NAME) and text.count(" end\n") >= 1), where


class Editor(Pages):
    """Pages at whose first HTTPS request somebody saves the configuration."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.edited = False

    def get(self, url: str, *, address: str, timeout: float = 10.0, cancel: CancelToken | None = None) -> Response:
        if url.startswith("https:") and not self.edited:
            self.edited = True
            self.file.write_text(f"{self.file.read_text()}# mine\n")
        return super().get(url, address=address, timeout=timeout, cancel=cancel)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A box before the change."""
    return Scene(tmp_path)


def test_a_killed_change_is_undone_or_done(scene: Scene) -> None:
    """Whoever takes the lock next finds the configuration as it was, or complete; and it can be applied again."""
    places, seen = 0, set()
    for where in kills(scene.root, scene.act, [scene.memory]):
        places += 1
        scene.assert_whole(where)
        scene.box.engine.add_target(scene.box.engine.config().targets[NAME])  # takes the lock
        scene.assert_whole(where)
        assert not web.is_changing(scene.box.paths), where
        assert leftovers(scene.root) == [], where
        seen.add(holds(scene.file.read_text(), NAME))
        scene.act()
        assert holds(scene.file.read_text(), NAME), where
    assert places > 20
    assert seen == {False, True}


def test_a_file_that_somebody_edits_meanwhile_is_left_alone(scene: Scene) -> None:
    """What was saved between reading and writing is not overwritten: nothing changes, and a second try succeeds."""
    engine = scene.box.engine
    engine.add_target(replace(engine.config().targets[NAME], probe=("127.0.0.1:443",)))
    engine.env = replace(engine.env, web_reader=Editor(scene.file))
    with pytest.raises(WebNotPossible, match="changed by another program at the same time"):
        scene.act()
    assert scene.file.read_text() == f"{scene.before}# mine\n"
    assert not web.is_changing(scene.box.paths)
    scene.act()
    assert holds(scene.file.read_text(), NAME)


def test_a_full_disk_leaves_the_configuration_whole(scene: Scene) -> None:
    """A disk that fills up is told in words, and the change goes through once there is room."""
    for where, error in full_disks(scene.root, scene.act):
        assert error is None or isinstance(error, CertdeckError), where
        scene.assert_whole(where)
        scene.act()
        assert holds(scene.file.read_text(), NAME), where
