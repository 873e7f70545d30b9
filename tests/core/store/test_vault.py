"""core.store.vault, core.store.master_key: secrets rest sealed, and a lost key is said and replaced by nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from msgspec.structs import replace

from core.errors import CertdeckError, MasterKeyMissing, MasterKeyWrong, NotFound, StoreTooNew, UsageError, VaultError
from core.paths import Paths, paths_for
from core.ports import Environment
from core.store.master_key import KEY_BYTES, make, ring
from core.store.vault import Vault
from tests.support.boxes import the_environment
from tests.support.clock import FakeRandom

SECRET = b"very secret indeed"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_for({"CERTDECK_HOME": str(tmp_path / "box")}, 0)


@pytest.fixture
def vault(paths: Paths) -> Vault:
    made = Vault(paths, the_environment())
    made.put("account/letsencrypt-1a2b3c4d", SECRET)
    return made


def opened(paths: Paths, env: Environment | None = None) -> Vault:
    return Vault(paths, env or the_environment(9))


def credentials(tmp_path: Path, **keys: bytes) -> Environment:
    folder = tmp_path / "credentials"
    folder.mkdir(exist_ok=True)
    for name, key in keys.items():
        (folder / name.replace("_", "-")).write_bytes(base64.b64encode(key))
    return the_environment(3, CREDENTIALS_DIRECTORY=str(folder))


def test_a_secret_comes_back(paths: Paths, vault: Vault) -> None:
    """What was put under a name is got under it, by a later process too, until it is deleted."""
    assert opened(paths).get("account/letsencrypt-1a2b3c4d") == SECRET
    assert vault.names() == ("account/letsencrypt-1a2b3c4d",)
    vault.delete("account/letsencrypt-1a2b3c4d")
    vault.delete("account/letsencrypt-1a2b3c4d")
    assert vault.find("account/letsencrypt-1a2b3c4d") is None
    with pytest.raises(NotFound):
        vault.get("account/letsencrypt-1a2b3c4d")


def test_nothing_lies_open(paths: Paths, vault: Vault) -> None:
    """Neither file holds the secret, all are 0600 in folders of 0700, and no repr shows key or secret (CC-29)."""
    for path in paths.etc.parent.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
        assert path.is_dir() or SECRET not in path.read_bytes()
    key = base64.b64decode(paths.master_key.read_bytes())
    shown = repr(vault) + repr(ring(paths, the_environment()))
    assert key.hex() not in shown
    assert repr(key) not in shown


def test_records_are_sealed_with_aes_256_gcm(paths: Paths, vault: Vault) -> None:
    """A record opens with AES-256-GCM under the master key, bound to its name, and without certdeck (CC-28)."""
    key = base64.b64decode(paths.master_key.read_bytes())
    (path,) = paths.vault.iterdir()
    sealed = path.read_bytes()
    nonce, content = sealed[9:21], sealed[21:]
    assert len(key) == 32
    assert AESGCM(key).decrypt(nonce, content, b"account/letsencrypt-1a2b3c4d") == SECRET


def test_each_sealing_has_its_own_nonce(vault: Vault) -> None:
    """The same secret sealed twice looks different: a nonce is never used again."""
    assert vault.seal("x", SECRET) != vault.seal("x", SECRET)


@pytest.mark.parametrize("name", ["..", ".", "a/../../b", "Ä\x1b[31m", "a%2Fb", ".tmp-1-1", "x" * 66])
def test_odd_names_stay_in_the_vault(paths: Paths, vault: Vault, name: str) -> None:
    """A name becomes a file in the vault's folder and nowhere else, and comes back as it was."""
    vault.put(name, b"1")
    assert vault.get(name) == b"1"
    assert name in vault.names()
    assert all(path.parent == paths.vault for path in paths.state.rglob("*.sealed"))


@pytest.mark.parametrize("name", ["", "y" * 300])
def test_impossible_names_are_refused(vault: Vault, name: str) -> None:
    """A name that cannot be a file is refused before anything is written."""
    with pytest.raises(UsageError):
        vault.put(name, b"1")


def test_every_flipped_bit_shows(paths: Paths, vault: Vault) -> None:
    """A record that was altered anywhere does not open, and the error names it."""
    (path,) = paths.vault.iterdir()
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises(MasterKeyWrong) as caught:
            vault.get("account/letsencrypt-1a2b3c4d")
        assert "account/letsencrypt-1a2b3c4d" in caught.value.what
    path.write_bytes(whole[:10])
    with pytest.raises(MasterKeyWrong):
        vault.get("account/letsencrypt-1a2b3c4d")


def test_a_record_in_anothers_place_does_not_open(paths: Paths, vault: Vault) -> None:
    """Copying one record over another is noticed: the name is part of the seal."""
    vault.put("eab/zerossl", b"other")
    one, other = sorted(paths.vault.iterdir())
    other.write_bytes(one.read_bytes())
    with pytest.raises(MasterKeyWrong):
        vault.get("eab/zerossl")


def test_a_lost_key_is_said_and_not_replaced(paths: Paths, vault: Vault) -> None:
    """With sealed records and no master key, reading and writing both refuse, and no new key appears."""
    paths.master_key.unlink()
    for act in (
        lambda: opened(paths).get("account/letsencrypt-1a2b3c4d"),
        lambda: opened(paths).put("new/one", b"x"),
        lambda: opened(paths).create(),
        lambda: opened(paths).rotate(),
        lambda: opened(paths).check(),
    ):
        with pytest.raises(MasterKeyMissing) as caught:
            act()
        assert str(paths.master_key) in caught.value.what
        assert not paths.master_key.exists()


def test_another_key_is_said_and_seals_nothing(paths: Paths, vault: Vault) -> None:
    """With somebody else's master key nothing opens, nothing is sealed under it, and nothing is lost."""
    right = paths.master_key.read_bytes()
    paths.master_key.write_bytes(base64.b64encode(b"k" * 32))
    for act in (
        lambda: opened(paths).get("account/letsencrypt-1a2b3c4d"),
        lambda: opened(paths).put("new/one", b"x"),
        lambda: opened(paths).rotate(),
        lambda: opened(paths).check(),
    ):
        with pytest.raises(MasterKeyWrong, match="another master key"):
            act()
    paths.master_key.write_bytes(right)
    assert opened(paths).get("account/letsencrypt-1a2b3c4d") == SECRET
    assert opened(paths).names() == ("account/letsencrypt-1a2b3c4d",)


def test_a_damaged_key_is_said(paths: Paths, vault: Vault) -> None:
    """A master key that is cut short or rubbish is named with its path."""
    for text in (b"", b"rubbish\xff", base64.b64encode(b"short")):
        paths.master_key.write_bytes(text)
        with pytest.raises(MasterKeyWrong, match="is damaged"):
            opened(paths).get("account/letsencrypt-1a2b3c4d")


def test_an_open_key_file_is_closed(paths: Paths, vault: Vault) -> None:
    """A master key that others could read is taken away from them when it is next used."""
    paths.master_key.chmod(0o644)
    opened(paths).get("account/letsencrypt-1a2b3c4d")
    assert stat.S_IMODE(paths.master_key.stat().st_mode) == 0o600


def test_looking_makes_no_key(paths: Paths) -> None:
    """A fresh box has no master key until something is sealed: reading and checking change nothing."""
    assert opened(paths).find("x") is None
    assert opened(paths).names() == ()
    opened(paths).check()
    assert not paths.etc.exists()


def test_a_systemd_credential_comes_first(paths: Paths, vault: Vault, tmp_path: Path) -> None:
    """With a credential, what is sealed from then on opens only with it; what the file's key sealed still opens."""
    env = credentials(tmp_path, certdeck_master_key=b"c" * 32)
    opened(paths, env).put("new/one", b"x")
    assert opened(paths, env).get("account/letsencrypt-1a2b3c4d") == SECRET
    with pytest.raises(MasterKeyWrong):
        opened(paths).get("new/one")
    assert opened(paths, env).rotate() == 2
    paths.master_key.unlink()
    assert opened(paths, env).get("account/letsencrypt-1a2b3c4d") == SECRET


def test_a_credential_is_rotated_with_the_old_one_beside(paths: Paths, tmp_path: Path) -> None:
    """certdeck cannot change a credential: it says how, and seals anew when both are given."""
    env = credentials(tmp_path, certdeck_master_key=b"1" * 32)
    opened(paths, env).put("a/b", SECRET)
    with pytest.raises(VaultError, match="cannot change the master key here"):
        opened(paths, env).rotate()
    env = credentials(tmp_path, certdeck_master_key=b"2" * 32, certdeck_master_key_old=b"1" * 32)
    assert opened(paths, env).rotate() == 1
    (tmp_path / "credentials/certdeck-master-key-old").unlink()
    assert opened(paths, env).get("a/b") == SECRET


def test_a_passphrase_makes_the_key(paths: Paths, tmp_path: Path) -> None:
    """With a passphrase file no key rests on the disk; the wrong one, and none, are said; a rotation changes the salt."""
    file = tmp_path / "passphrase"
    file.write_bytes(b"correct horse\n")
    env = the_environment(4, CERTDECK_PASSPHRASE_FILE=str(file))
    opened(paths, env).put("a/b", SECRET)
    assert not paths.master_key.exists()
    parameters = (paths.etc / "master.scrypt").read_bytes()
    assert opened(paths, env).get("a/b") == SECRET
    assert opened(paths, the_environment(5, CERTDECK_PASSPHRASE_FILE=str(file))).rotate() == 1
    assert (paths.etc / "master.scrypt").read_bytes() != parameters
    assert opened(paths, env).get("a/b") == SECRET
    file.write_bytes(b"wrong horse\n")
    with pytest.raises(MasterKeyWrong, match="passphrase of the vault is wrong"):
        opened(paths, env).get("a/b")
    file.write_bytes(b"\n")
    with pytest.raises(MasterKeyMissing):
        opened(paths, env).get("a/b")
    with pytest.raises(MasterKeyMissing, match="CERTDECK_PASSPHRASE_FILE"):
        opened(paths).put("a/b", b"other")


@pytest.mark.parametrize("content", [b"x" * 100, b"\n" * 100, b"\x00" * 100, b"", b"x"])
def test_a_file_that_was_overwritten_is_damaged(vault: Vault, content: bytes) -> None:
    """A sealed file that now holds something else is told as damaged, not as one of a later release."""
    with pytest.raises(MasterKeyWrong, match="changed, damaged or moved"):
        vault.unseal("account/letsencrypt-1a2b3c4d", content)


def test_a_record_of_a_later_release_is_told_as_that(vault: Vault) -> None:
    """A record in the next format is of a later release: it is not damaged."""
    sealed = vault.seal("a/b", SECRET)
    with pytest.raises(StoreTooNew, match="newer release"):
        vault.unseal("a/b", b"\x02" + sealed[1:])


def test_a_rotation_changes_the_key_and_every_seal(paths: Paths, vault: Vault) -> None:
    """After a rotation the old key opens nothing; the same vault object goes on working."""
    old_key, old_seal = paths.master_key.read_bytes(), next(paths.vault.iterdir()).read_bytes()
    assert vault.rotate() == 1
    assert vault.get("account/letsencrypt-1a2b3c4d") == SECRET
    assert next(paths.vault.iterdir()).read_bytes() != old_seal
    paths.master_key.write_bytes(old_key)
    with pytest.raises(MasterKeyWrong):
        opened(paths).get("account/letsencrypt-1a2b3c4d")


def test_a_rotation_refuses_before_it_changes_anything(paths: Paths, vault: Vault) -> None:
    """One record that does not open stops a rotation while everything is as it was."""
    vault.put("eab/zerossl", b"hmac")
    (paths.vault / "eab%2Fzerossl.sealed").write_bytes(b"\x01" + bytes(60))
    before = {path: path.read_bytes() for path in (*paths.vault.iterdir(), *paths.etc.iterdir())}
    with pytest.raises(CertdeckError):
        vault.rotate()
    assert {path: path.read_bytes() for path in (*paths.vault.iterdir(), *paths.etc.iterdir())} == before


@pytest.mark.parametrize("by_passphrase", [False, True])
def test_a_master_key_is_never_replaced(paths: Paths, tmp_path: Path, by_passphrase: bool) -> None:
    """Whoever makes the key second gets the one that is there: what the first has sealed opens for both."""
    (tmp_path / "passphrase").write_text("correct horse\n")
    variables = {"CERTDECK_PASSPHRASE_FILE": str(tmp_path / "passphrase")} if by_passphrase else {}
    first = make(paths, the_environment(1, **variables))
    second = make(paths, the_environment(2, **variables))
    assert first.id == second.id == ring(paths, the_environment(3, **variables))[0].id
    assert [path.name for path in paths.etc.iterdir()] == ["master.scrypt" if by_passphrase else "master.key"]


class MeetingRandom(FakeRandom):
    """Chance that hands out a key only when all who want one have come, or after a moment."""

    def __init__(self, seed: int, barrier: Barrier) -> None:
        super().__init__(seed)
        self._barrier = barrier

    def token_bytes(self, count: int) -> bytes:
        if count == KEY_BYTES:
            with suppress(BrokenBarrierError):
                self._barrier.wait(0.2)
        return super().token_bytes(count)


def test_vaults_side_by_side_make_one_key(paths: Paths) -> None:
    """Threads that each open a vault of their own on a box without a key seal under the same one."""
    barrier = Barrier(4)

    def sealed(seed: int) -> bytes:
        env = replace(the_environment(seed), random=MeetingRandom(seed, barrier))
        return Vault(paths, env).seal(f"secret/{seed}", SECRET)

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(sealed, range(4)))
    later = opened(paths)
    assert [later.unseal(f"secret/{seed}", each) for seed, each in enumerate(made)] == [SECRET] * 4


def test_a_vault_that_was_opened_too_early_sees_the_key(paths: Paths) -> None:
    """A vault that found no key looks again when it is needed: another one of this process may have made it since."""
    early = Vault(paths, the_environment())
    with pytest.raises(MasterKeyMissing):
        early.unseal("x", b"anything")
    Vault(paths, the_environment(2)).put("y", SECRET)
    assert early.get("y") == SECRET
    early.put("x", SECRET)
    assert opened(paths).get("x") == SECRET


@pytest.mark.parametrize(
    "content", ["correct hörse\r\n".encode("utf-16"), b"\xef\xbb\xbfcorrect horse\n", bytes(range(1, 33))]
)
def test_a_vault_of_an_earlier_release_opens(paths: Paths, tmp_path: Path, content: bytes) -> None:
    """Where the file as it stands made the key, mark and encoding included, it still does."""
    file = tmp_path / "passphrase"
    file.write_bytes(content)
    env = the_environment(4, CERTDECK_PASSPHRASE_FILE=str(file))
    salt, raw = b"s" * 16, content.strip(b"\r\n")
    key = Scrypt(salt=salt, length=32, n=2, r=8, p=1).derive(raw)
    record = {
        "n": 2,
        "r": 8,
        "p": 1,
        "salt": base64.b64encode(salt).decode(),
        "key": hashlib.sha256(b"certdeck master key id\0" + key).digest()[:8].hex(),
    }
    paths.etc.mkdir(parents=True)
    (paths.etc / "master.scrypt").write_text(json.dumps(record))
    assert ring(paths, env)[0].id.hex() == record["key"]


def test_a_passphrase_file_in_another_encoding_is_the_same_passphrase(paths: Paths, tmp_path: Path) -> None:
    """The passphrase counts, not how an editor wrote it; what is no text is refused without being shown."""
    file = tmp_path / "passphrase"
    env = the_environment(4, CERTDECK_PASSPHRASE_FILE=str(file))
    file.write_text("correct hörse\n")
    opened(paths, env).put("a/b", SECRET)
    for encoding in ("utf-8-sig", "utf-16"):
        file.write_bytes("correct hörse\r\n".encode(encoding))
        assert opened(paths, env).get("a/b") == SECRET
    file.write_bytes(b"hunter2\xe4\0")
    with pytest.raises(MasterKeyWrong, match="cannot be used") as caught:
        opened(paths, env).get("a/b")
    assert "hunter2" not in str(caught.value)
