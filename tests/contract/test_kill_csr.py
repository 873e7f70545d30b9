"""A signing request that is killed, or finds the disk full, at every single file operation: made, replaced, removed, answered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from msgspec.structs import replace

from core.engine import Engine
from core.errors import CertdeckError
from core.store import requests
from core.store.vault import Vault
from core.upload.values import CsrRequest, ImportRequest, Upload
from core.x509.key_reader import load_key
from tests.support.appliance import Appliance
from tests.support.authority import Authority
from tests.support.clock import NOON
from tests.support.killer import full_disks, kills, leftovers
from tests.support.uploads import answer_to, upload

FIRST, SECOND = ["shop.example.com"], ["other.example.com"]


class Scene:
    """A box that has made its master key, and a request for FIRST where it is wanted."""

    def __init__(self, folder: Path, *, has_request: bool) -> None:
        self.root = folder / "scene"
        self.root.mkdir()
        self.authority = Authority.new("Purchased", now=NOON)
        (folder / "roots.pem").write_bytes(self.authority.root_pem)
        self.box = Appliance(self.root / "home")
        env = replace(self.box.engine.env, variables={"SSL_CERT_FILE": str(folder / "roots.pem")})
        self.box.engine = Engine(self.box.paths, env)
        self.box.engine.make_csr(CsrRequest("kept", ["kept.example.com"]))
        if has_request:
            self.box.engine.make_csr(CsrRequest("shop", FIRST))

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of the request `shop`; its key opens and is the one that signed it."""
        found = requests.find_request(self.box.paths, "shop")
        for record in requests.list_requests(self.box.paths):
            key = requests.open_key(self.box.paths, Vault(self.box.paths, self.box.engine.env), record)
            csr = x509.load_pem_x509_csr(record.csr.encode())
            assert load_key(key).native.public_key() == csr.public_key()
        return () if found is None else found.names

    @property
    def answer(self) -> Upload:
        return upload(answer_to(self.box.engine.csr("shop").pem, self.authority))

    def assert_tidy(self, where: str) -> None:
        """No key lies about that no request names."""
        assert leftovers(self.root) == [], where
        for folder in self.box.paths.requests.iterdir():
            assert len(list(folder.iterdir())) == 2, where


Act = Callable[[Scene], object]


@pytest.mark.parametrize(
    ("had", "act", "outcomes"),
    [
        ((), lambda scene: scene.box.engine.make_csr(CsrRequest("shop", FIRST)), {(), ("shop.example.com",)}),
        (
            FIRST,
            lambda scene: scene.box.engine.make_csr(CsrRequest("shop", SECOND, replace=True)),
            {("shop.example.com",), ("other.example.com",)},
        ),
        (FIRST, lambda scene: scene.box.engine.remove_csr("shop"), {("shop.example.com",), ()}),
    ],
    ids=["made", "replaced", "removed"],
)
def test_killed_anywhere(tmp_path: Path, had: list[str], act: Act, outcomes: set[tuple[str, ...]]) -> None:
    """There is the old request with its key or the new one with its own, and the next command clears up."""
    scene = Scene(tmp_path, has_request=bool(had))
    seen = set()
    for where in kills(scene.root, lambda: act(scene)):
        assert scene.asked in outcomes, where
        seen.add(scene.asked)
        scene.box.engine.make_csr(CsrRequest("shop", SECOND, replace=True))
        assert scene.asked == tuple(SECOND), where
        scene.assert_tidy(where)
    assert seen == outcomes


def test_an_answer_that_is_killed_anywhere(tmp_path: Path) -> None:
    """Until the certificate is live its request is there, so the import can be repeated without a key; then it is forgotten."""
    scene = Scene(tmp_path, has_request=True)
    answer = scene.answer
    places = 0
    for where in kills(scene.root, lambda: scene.box.engine.import_upload(ImportRequest(name="shop", upload=answer))):
        places += 1
        is_live = (scene.box.paths.live / "shop").exists()
        assert is_live or scene.asked == tuple(FIRST), where
        scene.box.engine.import_upload(ImportRequest(name="shop", upload=answer))
        assert scene.asked == (), where
        assert [each.name for each in scene.box.engine.csrs()] == ["kept"], where
        assert scene.box.engine.status().lineages[0].version == 1, where
        scene.assert_tidy(where)
    assert places > 20


def test_a_full_disk_anywhere(tmp_path: Path) -> None:
    """A disk that fills up keeps the old request and says so in words; with room again the new one is made."""
    scene = Scene(tmp_path, has_request=True)
    act = lambda: scene.box.engine.make_csr(CsrRequest("shop", SECOND, replace=True))  # noqa: E731
    for where, error in full_disks(scene.root, act):
        assert error is None or isinstance(error, CertdeckError), where
        assert scene.asked in (tuple(FIRST), tuple(SECOND)), where
        act()
        assert scene.asked == tuple(SECOND), where
        scene.assert_tidy(where)
