"""A crash, a kill or a full disk at any file operation leaves the old or the new, and the next run cleans up."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from core.config.edit import set_values, write_lineage
from core.config.load import load_config, load_lineage
from core.config.model import LineageConfig
from core.errors import StoreFull, StoreNotWritable
from core.paths import Paths, paths_for
from core.store import lineages
from core.store.accounts import AccountRecord, list_accounts, save_account
from core.store.cleanup import clean_up
from core.store.copies import list_deleted
from core.store.deleted import delete_lineage, restore
from core.store.orders import (
    OrderRecord,
    begin_order,
    list_orders,
    load_order,
    load_order_key,
    save_order_key,
)
from core.store.vault import Vault, lineage_key
from core.store.versions import certificate_facts
from tests.support.authority import Authority
from tests.support.boxes import belong_together, store, the_environment
from tests.support.clock import NOON
from tests.support.killer import full_disks, kills, leftovers

NAME = "shop"


@pytest.fixture
def paths(tmp_path: Path, authority: Authority) -> Paths:
    """A box with one lineage whose version 1 is live."""
    made = paths_for({"CERTDECK_HOME": str(tmp_path / "box")}, 0)
    made.etc.mkdir(parents=True)
    made.config.write_text('# by hand\n[appliance]\nname = "Acme"\n')
    write_lineage(made, LineageConfig(name=NAME, domains=("shop.example.com",)))
    store(made, NAME, authority.leaf(["shop.example.com"]))
    lineages.switch(made, NAME, 1)
    vault = Vault(made, the_environment())
    vault.put("eab/zerossl", b"hmac")
    vault.put("dns/cf/api_token", b"token")
    return made


def root(paths: Paths) -> Path:
    return paths.etc.parent


def whole(paths: Paths, version: int) -> None:
    """Assert that a version's key, certificate and facts belong together."""
    pair = lineages.read_pair(paths, NAME, version)
    facts = lineages.read_version(paths, NAME, version)
    assert certificate_facts(pair.fullchain).sha256 == facts.certificate.sha256
    assert pair.cert in pair.fullchain
    assert belong_together(pair.cert, pair.privkey)


def test_a_version_is_stored_and_switched_whole_or_not_at_all(paths: Paths, authority: Authority) -> None:
    """Killed anywhere between storing a version, switching to it and sealing the old key, the live pair is whole."""
    leaf = authority.leaf(["shop.example.com"])
    vault = Vault(paths, the_environment())

    def act() -> None:
        number = store(paths, NAME, leaf)
        lineages.switch(paths, NAME, number)
        lineages.seal_old_keys(paths, vault, NAME)
        lineages.prune(paths, NAME, keep=1)

    seen = set()
    for where in kills(root(paths), act):
        live = lineages.live_version(paths, NAME)
        assert live in (1, 2), where
        whole(paths, live)
        seen.add(live)
        clean_up(paths)
        assert leftovers(root(paths)) == [], where
        act()  # the next run is not disturbed by what was left
        live = lineages.live_version(paths, NAME)
        assert live is not None
        whole(paths, live)
        assert lineages.versions(paths, NAME) == (live,), where
    assert seen == {1, 2}


def test_a_first_version_comes_with_its_folder(paths: Paths, authority: Authority) -> None:
    """Killed while the first version of a certificate is stored, all of it is there or not even its folder."""
    leaf = authority.leaf(["new.example.com"])
    seen = set()
    for where in kills(root(paths), lambda: store(paths, "new", leaf)):
        is_there = (paths.lineages / "new").exists()
        assert lineages.versions(paths, "new") == ((1,) if is_there else ()), where
        if is_there:
            pair = lineages.read_pair(paths, "new", 1)
            assert belong_together(pair.cert, pair.privkey), where
        seen.add(is_there)
        clean_up(paths)
        assert leftovers(root(paths)) == [], where
    assert seen == {False, True}


def test_an_old_key_is_never_lost(paths: Paths, authority: Authority) -> None:
    """Killed while a key is sealed or opened again, the key is there in one form or the other."""
    store(paths, NAME, authority.leaf(["shop.example.com"]))
    lineages.switch(paths, NAME, 2)
    vault = Vault(paths, the_environment())
    key = lineages.read_key(paths, vault, NAME, 1)

    def act() -> None:
        lineages.seal_old_keys(paths, vault, NAME)
        lineages.unseal_key(paths, vault, NAME, 1)

    for where in kills(root(paths), act):
        assert lineages.read_key(paths, Vault(paths, the_environment()), NAME, 1) == key, where
        clean_up(paths)
        assert leftovers(root(paths)) == [], where
        lineages.seal_old_keys(paths, vault, NAME)
        assert not (lineages.folder(paths, NAME, 1) / "privkey.pem").exists(), where


def test_a_rotation_loses_no_secret(paths: Paths, authority: Authority) -> None:
    """Killed anywhere in a rotation every secret opens, and the next rotation finishes with the old key gone."""
    store(paths, NAME, authority.leaf(["shop.example.com"]))
    lineages.switch(paths, NAME, 2)
    vault = Vault(paths, the_environment())
    key = lineages.read_key(paths, vault, NAME, 1)
    lineages.seal_old_keys(paths, vault, NAME)
    save_order_key(paths, vault, NAME, b"order key")
    old_master = paths.master_key.read_bytes()

    for where in kills(root(paths), lambda: Vault(paths, the_environment(2)).rotate()):
        for _ in range(2):
            opened = Vault(paths, the_environment(3))
            assert opened.get("eab/zerossl") == b"hmac", where
            assert opened.get("dns/cf/api_token") == b"token", where
            assert lineages.read_key(paths, opened, NAME, 1) == key, where
            assert load_order_key(paths, opened, NAME) == b"order key", where
            opened.put("between/rotations", b"x")
            assert Vault(paths, the_environment(4)).rotate() == 5, where
            clean_up(paths)
            assert leftovers(root(paths)) == [], where
        assert paths.master_key.read_bytes() != old_master, where
        assert not paths.master_key.with_name("master.key.new").exists(), where


def test_the_first_secret_and_its_key_come_together(tmp_path: Path) -> None:
    """Killed while the very first secret is kept, the box has no secret, or one that opens."""
    paths = paths_for({"CERTDECK_HOME": str(tmp_path / "box")}, 0)
    root(paths).mkdir()
    for where in kills(root(paths), lambda: Vault(paths, the_environment()).put("a/b", b"secret")):
        assert (
            Vault(paths, the_environment()).find("a/b") in (None, b"secret") if paths.master_key.exists() else True
        ), where
        Vault(paths, the_environment(5)).put("a/b", b"again")
        assert Vault(paths, the_environment()).get("a/b") == b"again", where


def test_a_configuration_edit_is_whole_or_not_at_all(paths: Paths) -> None:
    """Killed while a configuration file is changed, it is the old text or the new one."""
    before = paths.config.read_text()
    after = before.replace("Acme", "Other")
    for where in kills(root(paths), lambda: set_values(paths, {"appliance.name": "Other"})):
        assert paths.config.read_text() in (before, after), where
        clean_up(paths)
        assert leftovers(root(paths)) == [], where
        assert load_config(paths).appliance.name in ("Acme", "Other")


def test_a_delete_is_finished_by_the_next_run(paths: Paths) -> None:
    """Killed in a delete, the lineage is whole, or the next run has it gone; a copy is there before anything is removed."""
    vault = Vault(paths, the_environment())
    for where in kills(root(paths), lambda: delete_lineage(paths, vault, NAME, NOON)):
        clean_up(paths)
        assert leftovers(root(paths)) == [], where
        if (paths.certificates / f"{NAME}.toml").exists():
            whole(paths, 1)
            assert lineages.live_version(paths, NAME) == 1, where
        else:
            assert lineages.live_version(paths, NAME) is None, where
            assert lineages.versions(paths, NAME) == (), where
            (copy,) = list_deleted(paths)
            assert restore(paths, vault, copy) == NAME, where
            whole(paths, 1)
            assert load_lineage(paths, NAME).domains == ("shop.example.com",), where


def test_orders_and_accounts_are_whole_or_not_at_all(paths: Paths) -> None:
    """Killed while an order or an account is kept, it is there whole or not, and never with a CSR but without its key."""
    vault = Vault(paths, the_environment())
    order = OrderRecord(
        name=NAME,
        issuer="x",
        directory="https://x/dir",
        account_url="u",
        identifiers=("a.example",),
        created=NOON,
    )
    account = AccountRecord.new("x", "https://x/dir", contact=None, created=NOON)

    def act() -> None:
        begin_order(paths, vault, order, b"key")
        save_account(paths, account)

    for where in kills(root(paths), act):
        found = load_order(paths, NAME)
        assert found in (None, order), where
        assert list_orders(paths) == ((NAME,) if found else ()), where
        if found:
            assert load_order_key(paths, Vault(paths, the_environment()), NAME) == b"key", where
        assert list_accounts(paths) in ((), (account,)), where
        clean_up(paths)
        assert leftovers(root(paths)) == [], where


def test_a_full_disk_loses_nothing_and_leaves_nothing(paths: Paths, authority: Authority) -> None:
    """Wherever the disk fills up, the error is StoreFull, the live pair is whole, and no temporary file stays."""
    leaf = authority.leaf(["shop.example.com"])
    vault = Vault(paths, the_environment())

    def act() -> None:
        lineages.switch(paths, NAME, store(paths, NAME, leaf))
        lineages.seal_old_keys(paths, vault, NAME)
        set_values(paths, {"appliance.name": "Other"})
        vault.put("eab/zerossl", b"new")

    count = 0
    for where, error in full_disks(root(paths), act):
        count += 1
        assert isinstance(error, StoreFull), (where, error)
        assert leftovers(root(paths)) == [], where
        live = lineages.live_version(paths, NAME)
        assert live is not None
        whole(paths, live)
        assert load_config(paths).appliance.name in ("Acme", "Other"), where
        assert Vault(paths, the_environment()).get("eab/zerossl") in (b"hmac", b"new"), where
    assert count > 20


def test_a_read_only_disk_says_so(paths: Paths, authority: Authority) -> None:
    """A file system that has gone read-only is named as that, with the path."""
    leaf = authority.leaf(["shop.example.com"])
    for where, error in full_disks(root(paths), lambda: store(paths, NAME, leaf), errno.EROFS):
        assert isinstance(error, StoreNotWritable), (where, error)
        assert "read-only" in error.why
        assert str(paths.lineages) in error.what


def test_a_sealed_key_moved_to_another_version_does_not_open(paths: Paths, authority: Authority) -> None:
    """The name of a sealed key is bound to it: put in another's place it is refused, whatever killed what."""
    vault = Vault(paths, the_environment())
    sealed = vault.seal(lineage_key(NAME, 1), b"key")
    with pytest.raises(Exception, match="changed, damaged or moved"):
        vault.unseal(lineage_key(NAME, 2), sealed)
