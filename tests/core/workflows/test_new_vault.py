"""A box that lost its master key, or all of `etc/`, without a backup: the way on (master-key-missing)."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest

from core.errors import MasterKeyMissing, MasterKeyWrong, NotFound, UsageError
from core.events import AccountReady, Changed
from core.store import lineages
from core.store.accounts import list_accounts
from core.store.vault import sealed_files
from core.workflows.keeping.new_vault import new_vault
from tests.support.appliance import CONFIG, Appliance
from tests.support.killer import kills

NAME = "shop.example.com"


def used(appliance: Appliance) -> None:
    """Give a box something of each kind: an account with a contact, an earlier version, a deleted lineage, a root."""
    appliance.issue(NAME, email="admin@example.com")
    appliance.issue("gone.example.com")
    appliance.engine.export_ca_root()
    assert appliance.engine.renew((NAME,), force=True).renewed == (NAME,)
    appliance.engine.delete("gone.example.com")


def test_a_lost_master_key_has_a_way_on(appliance: Appliance, tmp_path: Path) -> None:
    """Without the key nothing could be ordered for ever; now what it sealed is set aside and the box goes on."""
    used(appliance)
    live, sealed = appliance.live(NAME), {path.name: path.read_bytes() for _, path in sealed_files(appliance.paths)}
    account = list_accounts(appliance.paths)[0].url
    appliance.paths.master_key.unlink()
    with pytest.raises(MasterKeyMissing) as said:
        appliance.issue("new.example.com")
    assert "certdeck vault new" in said.value.fix
    preview = appliance.engine.lost_secrets()

    done = appliance.engine.new_vault(report=appliance.told.append)
    assert done.lost == preview
    assert sorted(secret.kind for secret in done.lost) == ["account", "ca", "deleted", "version"]
    assert done.is_new_key
    assert done.set_aside is not None
    assert sorted(path.read_bytes() for path in done.set_aside.iterdir()) == sorted(sealed.values())
    assert any("set aside" in event.what for event in appliance.of(Changed) if isinstance(event, Changed))
    assert appliance.live(NAME) == live
    assert appliance.engine.renew((NAME,), force=True).renewed == (NAME,)
    [made] = list_accounts(appliance.paths)
    assert made.url not in (None, account)
    assert made.contact == "admin@example.com"
    assert appliance.engine.rollback(NAME).version == 2
    assert appliance.engine.export_ca_root()


def test_a_version_without_a_key_is_no_way_back(appliance: Appliance) -> None:
    """After the vault was begun anew a rollback says that nothing earlier is kept, not that a key is sealed."""
    used(appliance)
    appliance.paths.master_key.unlink()
    appliance.engine.new_vault()
    with pytest.raises(NotFound, match="no earlier version"):
        appliance.engine.rollback(NAME)


def test_all_of_etc_can_be_lost(appliance: Appliance) -> None:
    """With etc/ gone the vault is begun anew, and each certificate's settings come back from what is stored of it."""
    used(appliance)
    shutil.rmtree(appliance.paths.etc)
    appliance.paths.etc.mkdir()
    appliance.paths.config.write_text(CONFIG)
    assert appliance.engine.status().lineages == ()
    appliance.engine.new_vault()
    assert [each.name for each in appliance.engine.deleted()] == [NAME]
    back = appliance.engine.undelete(NAME)
    assert (back.version, back.live) == (2, True)
    [status] = appliance.engine.status().lineages
    assert (status.name, status.domains, status.version) == (NAME, (NAME,), 2)
    assert appliance.engine.renew((NAME,), force=True).renewed == (NAME,)


def test_a_key_that_opens_some_keeps_those(appliance: Appliance) -> None:
    """Where the key at hand opens some records, only the others are set aside, and that key stays."""
    used(appliance)
    key = appliance.paths.master_key.read_bytes()
    [alien] = [path for name, path in sealed_files(appliance.paths) if name.startswith("lineage/")]
    alien.write_bytes(alien.read_bytes()[:-1] + b"\0")
    done = appliance.engine.new_vault()
    assert [secret.name for secret in done.lost] == [f"lineage/{NAME}/1"]
    assert not done.is_new_key
    assert appliance.paths.master_key.read_bytes() == key
    with pytest.raises(UsageError, match="The vault can be opened"):
        appliance.engine.new_vault()


def test_a_wrong_key_stays_and_seals_from_now_on(appliance: Appliance) -> None:
    """A key of another box in the place of the right one opens nothing: what it cannot open is set aside, the key is kept."""
    used(appliance)
    appliance.paths.master_key.write_bytes(base64.b64encode(b"k" * 32))
    with pytest.raises(MasterKeyWrong, match="cannot be opened") as said:
        appliance.issue("new.example.com")
    assert "certdeck vault new" in said.value.fix
    assert not appliance.engine.new_vault().is_new_key
    assert appliance.paths.master_key.read_bytes() == base64.b64encode(b"k" * 32)
    appliance.issue("new.example.com")


def test_a_damaged_key_file_is_kept_beside(appliance: Appliance) -> None:
    """A key file that holds no key gets another name, so that nothing of it is lost either."""
    used(appliance)
    appliance.paths.master_key.write_text("rubbish")
    assert appliance.engine.lost_secrets()
    assert appliance.engine.new_vault().is_new_key
    [kept] = appliance.paths.etc.glob("master.key.damaged-*")
    assert kept.read_text() == "rubbish"
    appliance.issue("new.example.com")


def test_a_missing_passphrase_loses_nothing(appliance: Appliance) -> None:
    """A shell without the passphrase is no lost vault: the command says so and sets nothing aside."""
    (appliance.paths.etc / "master.scrypt").write_text("{}")
    with pytest.raises(MasterKeyMissing, match="passphrase"):
        appliance.engine.new_vault()
    assert not appliance.paths.set_aside.exists()


def test_beginning_anew_can_be_killed_anywhere(appliance: Appliance) -> None:
    """Killed at any file operation, every sealed record is still somewhere, and the next call goes on to the end."""
    used(appliance)
    appliance.paths.master_key.unlink()
    home = appliance.paths.etc.parent
    contents = sorted(path.read_bytes() for _, path in sealed_files(appliance.paths))
    for where in kills(home, lambda: new_vault(appliance.engine._reading())):
        left = [path.read_bytes() for _, path in sealed_files(appliance.paths)]
        aside = [path.read_bytes() for path in appliance.paths.set_aside.glob("*")]
        assert sorted([*left, *aside]) == contents, where
        if left:
            appliance.reopened().new_vault()
        appliance.issue("new.example.com")
        assert lineages.live_version(appliance.paths, NAME) == 2, where


def test_an_account_whose_key_is_gone_is_made_anew(appliance: Appliance) -> None:
    """An account record without its key in the vault ended every order with "set it again", which nobody could."""
    appliance.issue(NAME)
    for path in appliance.paths.vault.glob("account*"):
        path.unlink()
    appliance.issue("new.example.com")
    ready = [event for event in appliance.of(AccountReady) if isinstance(event, AccountReady)]
    assert ready[-1].created
