"""`state/live/NAME/` switches in one step; a reader never sees a key beside another certificate."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from core.paths import paths_for
from core.store import lineages
from core.store.vault import Vault
from tests.support.authority import Authority
from tests.support.boxes import store, the_environment

SWITCHES = 200


def test_a_reader_in_a_tight_loop_never_sees_a_mixed_pair(tmp_path: Path, authority: Authority) -> None:
    """A program that finds the folder once reads a whole pair, through 200 switches; the link itself is always there."""
    paths = paths_for({"CERTDECK_HOME": str(tmp_path / "box")}, 0)
    for number in range(2):
        store(paths, "shop", authority.leaf([f"v{number}.example.com"]))
    lineages.switch(paths, "shop", 1)
    link = str(paths.live / "shop")
    reading, writing = os.pipe()
    reader = os.fork()
    if reader == 0:
        status = 1
        try:
            status = _read_until_told(link, reading, writing)
        finally:
            os._exit(status)
    os.close(reading)
    for number in range(SWITCHES):
        lineages.switch(paths, "shop", 1 + (number + 1) % 2)
    os.write(writing, b"done")
    os.close(writing)
    _, status = os.waitpid(reader, 0)
    assert os.WEXITSTATUS(status) == 0, {1: "it raised", 2: "a mixed pair", 3: "it hardly read"}[os.WEXITSTATUS(status)]


def test_a_reader_on_the_way_keeps_its_version(tmp_path: Path, authority: Authority) -> None:
    """A folder opened before a switch goes on showing the whole old pair; only its key is sealed when the deployment ends."""
    paths = paths_for({"CERTDECK_HOME": str(tmp_path / "box")}, 0)
    old = authority.leaf(["old.example.com"])
    store(paths, "shop", old)
    store(paths, "shop", authority.leaf(["new.example.com"]))
    lineages.switch(paths, "shop", 1)
    folder = os.open(paths.live / "shop", os.O_RDONLY)
    key = os.open("privkey.pem", os.O_RDONLY, dir_fd=folder)
    lineages.switch(paths, "shop", 2)
    assert _content("fullchain.pem", folder) == old.fullchain_pem
    lineages.seal_old_keys(paths, Vault(paths, the_environment()), "shop")
    with os.fdopen(key, "rb") as file:
        assert file.read() == old.key_pem
    os.close(folder)


def _read_until_told(link: str, reading: int, writing: int) -> int:
    os.close(writing)
    os.set_blocking(reading, False)
    seen: set[bytes] = set()
    known: dict[tuple[bytes, bytes], bool] = {}
    rounds = 0
    while True:
        rounds += 1
        resolved = Path(os.path.realpath(link))
        pairs = [((resolved / "privkey.pem").read_bytes(), (resolved / "fullchain.pem").read_bytes())]
        folder = os.open(link, os.O_RDONLY | os.O_DIRECTORY)
        pairs.append((_content("privkey.pem", folder), _content("fullchain.pem", folder)))
        os.close(folder)
        for pair in pairs:
            if pair not in known:
                known[pair] = _belongs(*pair)
            if not known[pair]:
                return 2
            seen.add(pair[0])
        try:
            if os.read(reading, 4):
                return 0 if len(seen) == 2 and rounds > 50 else 3
        except BlockingIOError:
            pass


def _content(name: str, folder: int) -> bytes:
    with os.fdopen(os.open(name, os.O_RDONLY, dir_fd=folder), "rb") as file:
        return file.read()


def _belongs(key: bytes, fullchain: bytes) -> bool:
    own, theirs = load_pem_private_key(key, None).public_key(), x509.load_pem_x509_certificate(fullchain).public_key()
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return own.public_bytes(*form) == theirs.public_bytes(*form)
