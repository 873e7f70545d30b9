"""core.store.vault_move: the master key goes from one source to another and back, and no secret is lost on the way."""

from __future__ import annotations

import base64
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import MasterKeyMissing, MasterKeyWrong, UsageError, VaultError
from core.paths import Paths, paths_for
from core.ports import Environment
from core.store import master_key
from core.store.cleanup import clean_up
from core.store.master_key import CREDENTIAL
from core.store.vault import Vault
from core.store.vault_move import move, write_out
from core.vault_moves import VaultMoved
from tests.support.boxes import the_environment
from tests.support.killer import kills, leftovers

ANOTHER = base64.b64encode(b"c" * 32)
SECRETS = {"eab/zerossl": b"hmac", "dns/cf/api_token": b"token"}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A box with two secrets under etc/master.key; the passphrase and the credential are outside of it."""
    made = paths_for({"CERTDECK_HOME": str(tmp_path / "box")}, 0)
    for name, secret in SECRETS.items():
        Vault(made, the_environment()).put(name, secret)
    (tmp_path / "passphrase").write_text("correct horse\n")
    return made


def box(paths: Paths) -> Path:
    return paths.etc.parent


@pytest.fixture
def cheap_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A passphrase becomes a key in a millisecond: a test of kills does that hundreds of times. The file says how it was done."""
    monkeypatch.setitem(master_key.SCRYPT, "n", 2**8)


def with_passphrase(paths: Paths, number: int = 2) -> Environment:
    return the_environment(number, CERTDECK_PASSPHRASE_FILE=str(box(paths).parent / "passphrase"))


def with_credential(paths: Paths, number: int = 2, *, passphrase: bool = False) -> Environment:
    folder = box(paths).parent / "credentials"
    more = {"CERTDECK_PASSPHRASE_FILE": str(box(paths).parent / "passphrase")} if passphrase else {}
    return the_environment(number, CREDENTIALS_DIRECTORY=str(folder), **more)


def make_credential(paths: Paths, env: Environment) -> None:
    """Do what the administrator does with the key that was written out."""
    out = box(paths).parent / "key"
    write_out(paths, env, out)
    folder = box(paths).parent / "credentials"
    folder.mkdir()
    out.rename(folder / CREDENTIAL)


def moved(paths: Paths, env: Environment, to: str) -> VaultMoved:
    return move(paths, env, to, lambda: None)


def opens(paths: Paths, env: Environment, vault: Vault | None = None) -> bool:
    vault = vault or Vault(paths, env)
    return all(vault.get(name) == secret for name, secret in SECRETS.items())


def key_files(paths: Paths) -> list[str]:
    return sorted(path.name for path in paths.etc.iterdir() if path.name.startswith("master."))


def test_from_the_file_to_a_passphrase_and_back(paths: Paths) -> None:
    """With the passphrase no key rests on the disk and the old key opens nothing; back on the file no passphrase is needed."""
    old = paths.master_key.read_bytes()
    done = moved(paths, with_passphrase(paths), "passphrase")
    assert (done.from_, done.resealed, done.removed) == ("file", 2, (paths.master_key,))
    assert key_files(paths) == ["master.scrypt"]
    assert opens(paths, with_passphrase(paths))
    with pytest.raises(MasterKeyMissing):
        opens(paths, the_environment())
    done = moved(paths, with_passphrase(paths, 3), "file")
    assert (done.from_, done.resealed) == ("passphrase", 2)
    assert key_files(paths) == ["master.key"]
    assert stat.S_IMODE(paths.master_key.stat().st_mode) == 0o600
    assert opens(paths, the_environment())
    paths.master_key.write_bytes(old)
    with pytest.raises(MasterKeyWrong):
        opens(paths, the_environment())


def test_from_the_file_to_a_credential_and_back(paths: Paths) -> None:
    """Writing the key out changes nothing; the file goes when the credential opens everything; the way back is the same key."""
    key = paths.master_key.read_bytes()
    make_credential(paths, the_environment())
    credential = box(paths).parent / "credentials" / CREDENTIAL
    assert (credential.read_bytes(), stat.S_IMODE(credential.stat().st_mode)) == (key, 0o600)
    assert key_files(paths) == ["master.key"]
    with pytest.raises(VaultError, match="cannot be moved to a credential yet"):
        moved(paths, the_environment(), "credential")
    done = moved(paths, with_credential(paths), "credential")
    assert (done.from_, done.resealed, done.removed) == ("file", 0, (paths.master_key,))
    assert key_files(paths) == []
    assert opens(paths, with_credential(paths))
    done = moved(paths, with_credential(paths), "file")
    assert (done.from_, done.resealed, done.removed) == ("credential", 0, ())
    assert paths.master_key.read_bytes() == key
    assert opens(paths, the_environment())


def test_from_a_passphrase_to_a_credential(paths: Paths) -> None:
    """The key that the passphrase makes can be a credential, too; then the passphrase is no longer needed."""
    moved(paths, with_passphrase(paths), "passphrase")
    make_credential(paths, with_passphrase(paths))
    done = moved(paths, with_credential(paths, passphrase=True), "credential")
    assert (done.from_, done.removed) == ("passphrase", (paths.master_parameters,))
    assert opens(paths, with_credential(paths))


def test_a_credential_of_another_key_seals_everything_before_the_file_goes(paths: Paths) -> None:
    """The file is never removed while anything needs it: secrets that only it opens are sealed under the credential first."""
    make_credential(paths, the_environment())
    (box(paths).parent / "credentials" / CREDENTIAL).write_bytes(ANOTHER)
    assert moved(paths, with_credential(paths), "credential").resealed == 2
    assert opens(paths, with_credential(paths))


def finish(paths: Paths, env: Environment, to: str, left: list[str]) -> None:
    """Give the same command again, unless it had come to its end."""
    if key_files(paths) != left:
        moved(paths, env, to)


def _damage(paths: Paths) -> None:
    next(paths.vault.iterdir()).write_bytes(b"\x01" + bytes(60))


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (lambda paths: moved(paths, the_environment(), "file"), "nothing to move"),
        (lambda paths: moved(paths, the_environment(), "passphrase"), "cannot be replaced by a passphrase"),
        (lambda paths: moved(paths, the_environment(), "credential"), "cannot be moved to a credential yet"),
        (lambda paths: write_out(paths, the_environment(), paths.master_key), "already exists"),
        (lambda paths: write_out(paths, the_environment(), paths.etc / "no/key"), "cannot be written"),
        (lambda paths: (_damage(paths), moved(paths, with_passphrase(paths), "passphrase")), "cannot be opened"),
        (lambda paths: (_damage(paths), write_out(paths, the_environment(), paths.etc / "key")), "cannot be opened"),
    ],
)
def test_a_refusal_changes_no_key(paths: Paths, act: Callable[[Paths], object], what: str) -> None:
    """What cannot be done is said before any key is written or removed."""
    before = {path: path.read_bytes() for path in paths.etc.iterdir()}
    with pytest.raises((VaultError, UsageError)) as caught:
        act(paths)
    assert what in caught.value.what
    assert "" not in (caught.value.why, caught.value.fix)
    assert {path: path.read_bytes() for path in paths.etc.iterdir()} == before


def test_a_credential_in_use_refuses_what_would_split_the_vault(paths: Paths) -> None:
    """With a credential there is no step to a passphrase, none to a file with another key, and no second copy to write."""
    make_credential(paths, the_environment())
    env = with_credential(paths, passphrase=True)
    with pytest.raises(VaultError, match="in one step"):
        moved(paths, env, "passphrase")
    with pytest.raises(VaultError, match="nothing to move"):
        write_out(paths, env, box(paths).parent / "second")
    (box(paths).parent / "credentials" / CREDENTIAL).write_bytes(ANOTHER)
    with pytest.raises(VaultError, match="already exists"):
        moved(paths, env, "file")


def test_a_box_without_a_key_has_nothing_to_move(tmp_path: Path) -> None:
    """Where nothing was ever sealed no key is made; where the key is lost, that is said."""
    empty = paths_for({"CERTDECK_HOME": str(tmp_path / "empty")}, 0)
    with pytest.raises(VaultError, match="nothing to move"):
        moved(empty, the_environment(), "file")
    assert not empty.etc.exists()
    Vault(empty, the_environment()).put("a/b", b"x")
    empty.master_key.unlink()
    with pytest.raises(MasterKeyMissing):
        moved(empty, the_environment(), "file")


@pytest.mark.usefixtures("cheap_scrypt")
def test_killed_anywhere_between_file_and_passphrase(paths: Paths) -> None:
    """Killed at any operation, everything opens, a new secret can be sealed, and the same command finishes; both ways."""
    for to, left in (("passphrase", "master.scrypt"), ("file", "master.key")):
        for where in kills(box(paths), lambda to=to: moved(paths, with_passphrase(paths, 5), to)):
            _finishes(paths, to, left, where)
        finish(paths, with_passphrase(paths, 8), to, [left])


def _finishes(paths: Paths, to: str, left: str, where: str) -> None:
    env = with_passphrase(paths, 6)
    vault = Vault(paths, env)
    assert opens(paths, env, vault), where
    vault.put("in/between", b"x")
    finish(paths, with_passphrase(paths, 7), to, [left])
    clean_up(paths)
    assert key_files(paths) == [left], where
    assert leftovers(box(paths)) == [], where
    vault = Vault(paths, env)
    assert opens(paths, env, vault), where
    assert vault.get("in/between") == b"x", where


@pytest.mark.usefixtures("cheap_scrypt")
def test_killed_anywhere_and_turned_back(paths: Paths) -> None:
    """A move that died can be undone: the former source takes everything back."""
    for where in kills(box(paths), lambda: moved(paths, with_passphrase(paths, 5), "passphrase")):
        finish(paths, with_passphrase(paths, 6), "file", ["master.key"])
        assert key_files(paths) == ["master.key"], where
        assert opens(paths, the_environment()), where


def test_killed_anywhere_on_the_way_to_a_credential_and_back(paths: Paths) -> None:
    """Killed at any operation the credential opens everything, whether its key is that of the file or another."""
    make_credential(paths, the_environment())
    credential = box(paths).parent / "credentials" / CREDENTIAL
    credential.write_bytes(ANOTHER)
    env = with_credential(paths, 5)
    for to, left in (("credential", []), ("file", ["master.key"]), ("credential", [])):
        for where in kills(box(paths), lambda to=to: moved(paths, env, to)):
            assert opens(paths, env), where
            finish(paths, env, to, left)
            assert key_files(paths) == left, where
            assert opens(paths, env if to == "credential" else the_environment()), where
        finish(paths, env, to, left)


def test_a_rotation_that_died_is_no_obstacle(paths: Paths) -> None:
    """A move takes in what a dead rotation left: afterwards there is one key, and it opens everything."""
    make_credential(paths, the_environment())
    env = with_credential(paths)
    for where in kills(box(paths), lambda: Vault(paths, the_environment(5)).rotate()):
        moved(paths, env, "credential")
        assert key_files(paths) == [], where
        assert opens(paths, env), where
