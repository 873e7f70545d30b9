"""Backups that were made to do harm, by somebody who has the key. With a passphrase each would cost three times scrypt."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from core.errors import BackupInvalid, CertdeckError
from core.store import sealed_stream
from core.store.sealed_stream import CHUNK, Lock, Opener, Sealer
from core.workflows.keeping.backup_manifest import Manifest, to_bytes
from tests.support.appliance import Appliance
from tests.support.clock import NOON, FakeRandom

KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
SEALS = Lock(key_pem=KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
OPENS = Lock(key_pem=PRIVATE)
MANIFEST = Manifest(version="1", made=NOON, hostname="evil", key_source="file")
DIR = {"kind": "dir", "mode": 0o700}
ETC, STATE = {**DIR, "path": "etc"}, {**DIR, "path": "state"}
LIVE = {**DIR, "path": "state/live"}


def a_file(path: str, size: object = 0, mode: object = 0o600) -> dict[str, object]:
    return {"kind": "file", "path": path, "size": size, "mode": mode}


def a_link(path: str, target: object) -> dict[str, object]:
    return {"kind": "link", "path": path, "target": target}


def sealed(records: Sequence[object], *, count: int | None = None, manifest: bytes | None = None) -> bytes:
    """Return a backup of these records; a file's content is zeros."""
    out = io.BytesIO()
    sealer = Sealer(lambda piece: out.write(piece) and None, SEALS, FakeRandom())
    end = {"kind": "end", "members": len(records) if count is None else count}
    for record in [to_bytes(MANIFEST) if manifest is None else manifest, *records, end]:
        text = record if isinstance(record, bytes) else json.dumps(record).encode()
        sealer.add(len(text).to_bytes(4, "big") + text)
        size = record.get("size", 0) if isinstance(record, dict) else 0
        sealer.add(bytes(size) if isinstance(size, int) and 0 <= size < 1_000_000 else b"")
    sealer.close()
    return out.getvalue()


HOSTILE = {
    "absolute": [ETC, a_file("/etc/cron.d/evil")],
    "up": [ETC, a_file("etc/../../evil")],
    "dot": [ETC, a_file("etc/./evil")],
    "empty part": [ETC, a_file("etc//evil")],
    "NUL": [ETC, a_file("etc/a\0b")],
    "long part": [ETC, a_file("etc/" + "a" * 256)],
    "other root": [{**DIR, "path": "run"}],
    "root as a file": [a_file("etc")],
    "no folder": [ETC, a_file("etc/missing/evil")],
    "a file as folder": [ETC, a_file("etc/a"), a_file("etc/a/b")],
    "twice": [ETC, a_file("etc/a"), a_file("etc/a")],
    "not in order": [ETC, a_file("etc/b"), a_file("etc/a")],
    "link in etc": [ETC, a_link("etc/certdeck.toml", "/etc/shadow")],
    "link out": [STATE, LIVE, a_link("state/live/shop", "/etc")],
    "link up": [STATE, LIVE, a_link("state/live/shop", "../lineages/../../../x/1")],
    "link to another": [STATE, LIVE, a_link("state/live/shop", "../lineages/mail/1")],
    "link without target": [STATE, LIVE, a_link("state/live/shop", 7)],
    "through a link": [STATE, LIVE, a_link("state/live/shop", "../lineages/shop/1"), a_file("state/live/shop/privkey.pem")],
    "device": [ETC, {"kind": "device", "path": "etc/null"}],
    "huge file": [ETC, a_file("etc/a", 1 << 40)],
    "negative": [ETC, a_file("etc/a", -1)],
    "size is text": [ETC, a_file("etc/a", "1")],
    "mode is text": [ETC, a_file("etc/a", 0, "0600")],
    "journal": [STATE, a_file("state/restoring.json")],
    "history": [STATE, a_file("state/history.sqlite")],
    "aside": [STATE, {**DIR, "path": "state/replaced-1"}],
    "temporary": [STATE, a_file("state/.tmp-1-1")],
    "not an object": [[]],
    "no JSON": [b"\xff\xfe"],
    "deep JSON": [b"[" * 60_000],
    "deep": [ETC, *({**DIR, "path": "etc" + "/a" * depth} for depth in range(1, 20))],
}  # fmt: skip


@pytest.mark.parametrize("which", list(HOSTILE))
def test_nothing_hostile_is_unpacked(tmp_path: Path, which: str) -> None:
    """Paths and links that lead out, files that no backup holds, and sizes beyond reason are refused; nothing is left of them."""
    file = tmp_path / "evil.backup"
    file.write_bytes(sealed(HOSTILE[which]))
    box = Appliance(tmp_path / "home")
    box.paths.config.unlink()
    for act in (box.engine.look_at_backup, box.engine.restore):
        with pytest.raises(BackupInvalid):
            act(file, key=PRIVATE)
    assert list(box.paths.etc.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.backup", "home"]
    assert [path for path in box.paths.state.rglob("*") if path.is_dir() or path.is_symlink()] == []


@pytest.mark.parametrize(
    "content",
    [
        sealed([ETC], count=2),
        sealed([ETC], manifest=b"{}"),
        sealed([ETC], manifest=json.dumps({"kind": "manifest", "version": 1}).encode()),
        sealed([ETC], manifest=to_bytes(MANIFEST).replace(b'"certificates": []', b'"certificates": [["a"]]')),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, content: bytes) -> None:
    """A wrong count and a manifest with holes are no traceback but one clear error."""
    file = tmp_path / "evil.backup"
    file.write_bytes(content)
    with pytest.raises(BackupInvalid):
        Appliance(tmp_path / "home").engine.look_at_backup(file, key=PRIVATE)


def test_modes_are_never_more_than_they_should_be(tmp_path: Path) -> None:
    """Neither set-ID bits nor writing for all come out of a backup."""
    file = tmp_path / "evil.backup"
    file.write_bytes(sealed([ETC, a_file("etc/a", 0, 0o6777)]))
    box = Appliance(tmp_path / "home")
    box.engine.restore(file, key=PRIVATE, replace=True)
    assert (box.paths.etc / "a").stat().st_mode & 0o7777 == 0o775


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 4000,
        json.dumps({"lock": "scrypt", "n": 1 << 40, "r": 8, "p": 1, "salt": "", "key": ""}).encode(),
        json.dumps({"lock": "scrypt", "n": 3, "r": 8, "p": 1, "salt": "", "key": ""}).encode(),
        json.dumps({"lock": "scrypt", "n": "2", "r": 8, "p": 1, "salt": "", "key": ""}).encode(),
        json.dumps({"lock": "scrypt", "n": 2, "r": 8, "p": 1, "salt": "§", "key": ""}).encode(),
        json.dumps({"lock": "enigma"}).encode(),
    ],
)
def test_a_head_asks_for_nothing_absurd(header: bytes) -> None:
    """A head that is damaged, or that would make scrypt take all memory, is refused before anything is derived."""
    content = sealed_stream.MAGIC + bytes([1]) + len(header).to_bytes(2, "big") + header
    with pytest.raises(CertdeckError) as caught:
        Opener(io.BytesIO(content).read, Lock(passphrase=b"known"))
    assert caught.value.code == "backup-invalid"


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_any_length_comes_back(size: int) -> None:
    """What was sealed is opened again, at every length around the size of a chunk, and never more than a chunk is held."""
    out = io.BytesIO()
    sealer = Sealer(lambda piece: out.write(piece) and None, SEALS, FakeRandom())
    plain = bytes(range(256)) * (size // 256 + 1)
    sealer.add(plain[:size])
    sealer.close()
    opener = Opener(io.BytesIO(out.getvalue()).read, OPENS)
    assert opener.take(size) == plain[:size]
    opener.finish()


def test_chunks_cannot_be_exchanged() -> None:
    """Two chunks that change places, or one that is left out, are noticed."""
    pieces: list[bytes] = []
    sealer = Sealer(pieces.append, SEALS, FakeRandom())
    sealer.add(bytes(4 * CHUNK))
    sealer.close()
    head, *chunks = pieces
    for order in ([1, 0, 2, 3], [0, 2, 3], [0, 1, 2], [0, 1, 1, 3]):
        opener = Opener(io.BytesIO(head + b"".join(chunks[each] for each in order)).read, OPENS)
        with pytest.raises(BackupInvalid):
            opener.take(4 * CHUNK + 1)
