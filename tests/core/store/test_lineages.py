"""core.store.lineages, core.store.versions, core.store.deleted: versions side by side, and one of them live."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from core.config.edit import write_lineage
from core.config.load import load_lineage
from core.config.model import LineageConfig
from core.errors import AlreadyThere, NotFound, StoreCorrupt
from core.paths import Paths, paths_for
from core.store import journal, lineages, orders
from core.store.copies import list_deleted, purge_deleted
from core.store.deleted import delete_lineage, restore
from core.store.vault import Vault
from core.store.versions import VersionFacts, certificate_facts, leaf_sha256
from tests.support.authority import Authority, Leaf
from tests.support.boxes import store, the_environment, version_facts
from tests.support.clock import NOON

NAME = "shop.example.com"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_for({"CERTDECK_HOME": str(tmp_path / "box")}, 0)


@pytest.fixture
def vault(paths: Paths) -> Vault:
    return Vault(paths, the_environment())


@pytest.fixture
def leaf(authority: Authority) -> Leaf:
    return authority.leaf([NAME, "192.0.2.7"])


def stored(paths: Paths, leaf: Leaf, count: int, live: int | None = None) -> None:
    for _ in range(count):
        store(paths, NAME, leaf)
    if live is not None:
        lineages.switch(paths, NAME, live)


def test_a_version_holds_four_files_and_its_facts(paths: Paths, leaf: Leaf) -> None:
    """CONTRACT: live/NAME holds the four files; the key is 0600, every folder 0700."""
    assert store(paths, NAME, leaf) == 1
    lineages.switch(paths, NAME, 1)
    live = paths.live / NAME
    assert {path.name for path in live.iterdir()} == {
        "privkey.pem",
        "cert.pem",
        "chain.pem",
        "fullchain.pem",
        "version.json",
    }
    assert (live / "privkey.pem").read_bytes() == leaf.key_pem
    assert (live / "fullchain.pem").read_bytes() == (live / "cert.pem").read_bytes() + (live / "chain.pem").read_bytes()
    assert live.readlink() == Path(f"../lineages/{NAME}/1")
    assert stat.S_IMODE((live / "privkey.pem").stat().st_mode) == 0o600
    for folder in (paths.state, paths.live, paths.lineages, paths.lineages / NAME, live):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_facts_come_back_as_they_went(paths: Paths, leaf: Leaf) -> None:
    """What is kept of a version is read back the same, times with their zone and all."""
    facts = version_facts(certificate_facts(leaf.fullchain_pem), profile="shortlived", spec={"domains": [NAME]})
    assert VersionFacts.from_json(facts.to_json()) == facts
    store(paths, NAME, leaf, profile="shortlived", spec={"domains": [NAME]})
    assert lineages.read_version(paths, NAME, 1) == facts


def test_facts_are_those_of_the_certificate(leaf: Leaf, authority: Authority) -> None:
    """Names, times, chain and the ARI id (RFC 9773 §4.1) are read from the certificate."""
    facts = certificate_facts(leaf.fullchain_pem)
    assert facts.names == (NAME, "192.0.2.7")
    assert facts.sha256 == leaf.sha256 == leaf_sha256(leaf.certificate_pem)
    assert facts.chain_length == 1 + len(leaf.chain)
    assert not facts.self_signed
    assert certificate_facts(authority.root_pem).self_signed
    identifier = leaf.certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert identifier is not None
    assert facts.renewal_id is not None
    assert "=" not in facts.renewal_id


def test_the_renewal_id_is_that_of_the_rfc() -> None:
    """RFC 9773 §4.1's own example: AKI 69:88:5B…, serial 00:87:65:43:21 keeps its leading zero."""
    from core.store.versions import _base64url, _der_integer

    identifier = bytes.fromhex("69885B6B8746408041E1B37B847BA0AE2CDE01C8D4")[:20]
    assert (
        f"{_base64url(bytes.fromhex('69885B6B87464041E1B37B847BA0AE2CDE01C8D4'))}.{_base64url(_der_integer(0x87654321))}"
        == ("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")
    )
    assert len(identifier) == 20


def test_switching_needs_an_open_key(paths: Paths, vault: Vault, leaf: Leaf) -> None:
    """A version without its key in the open cannot go live, and one that is not there neither."""
    stored(paths, leaf, 2, live=2)
    lineages.seal_old_keys(paths, vault, NAME)
    for version in (1, 7):
        with pytest.raises(NotFound):
            lineages.switch(paths, NAME, version)
    assert lineages.live_version(paths, NAME) == 2


def test_old_keys_are_sealed_and_opened_for_a_rollback(paths: Paths, vault: Vault, leaf: Leaf) -> None:
    """The old key is nowhere in the open once another version is live, and comes back for a rollback."""
    stored(paths, leaf, 2, live=2)
    lineages.seal_old_keys(paths, vault, NAME)
    lineages.seal_old_keys(paths, vault, NAME)
    assert not (lineages.folder(paths, NAME, 1) / "privkey.pem").exists()
    assert leaf.key_pem not in (lineages.folder(paths, NAME, 1) / "privkey.sealed").read_bytes()
    with pytest.raises(NotFound):
        lineages.read_pair(paths, NAME, 1)
    assert lineages.read_key(paths, vault, NAME, 1) == leaf.key_pem
    lineages.unseal_key(paths, vault, NAME, 1)
    lineages.unseal_key(paths, vault, NAME, 1)
    lineages.switch(paths, NAME, 1)
    assert lineages.read_pair(paths, NAME, 1).privkey == leaf.key_pem
    assert not (lineages.folder(paths, NAME, 1) / "privkey.sealed").exists()


def test_nothing_live_means_nothing_is_old(paths: Paths, vault: Vault, leaf: Leaf) -> None:
    """A first version that waits for its service keeps its key in the open."""
    stored(paths, leaf, 1)
    lineages.seal_old_keys(paths, vault, NAME)
    assert lineages.waiting_version(paths, NAME) == 1


def test_waiting_is_what_was_issued_and_not_deployed(paths: Paths, vault: Vault, leaf: Leaf) -> None:
    """A newer version waits until it is live; one that was rolled back from does not wait again."""
    assert lineages.waiting_version(paths, NAME) is None
    stored(paths, leaf, 1)
    assert lineages.waiting_version(paths, NAME) == 1
    lineages.switch(paths, NAME, 1)
    assert lineages.waiting_version(paths, NAME) is None
    stored(paths, leaf, 2)
    assert lineages.waiting_version(paths, NAME) == 3
    lineages.switch(paths, NAME, 3)
    lineages.seal_old_keys(paths, vault, NAME)
    lineages.unseal_key(paths, vault, NAME, 1)
    lineages.switch(paths, NAME, 1)
    lineages.seal_old_keys(paths, vault, NAME)
    assert lineages.waiting_version(paths, NAME) is None
    assert store(paths, NAME, leaf) == 4
    assert lineages.waiting_version(paths, NAME) == 4


def test_the_last_five_are_kept_and_what_is_needed(paths: Paths, leaf: Leaf) -> None:
    """The last 5 versions stay; the live one stays however old it is."""
    stored(paths, leaf, 8, live=1)
    assert lineages.prune(paths, NAME) == (2, 3)
    assert lineages.versions(paths, NAME) == (1, 4, 5, 6, 7, 8)
    assert lineages.names(paths) == (NAME,)


def test_a_replaced_certificate_is_read_anew(paths: Paths, leaf: Leaf, authority: Authority) -> None:
    """Somebody who puts another certificate into the folder is not believed to have put ours there."""
    stored(paths, leaf, 1, live=1)
    other = authority.leaf(["other.example.com"])
    (paths.live / NAME / "cert.pem").write_bytes(other.certificate_pem)
    found = lineages.read_version(paths, NAME, 1)
    assert found.certificate.sha256 == other.sha256
    assert found.ca == "letsencrypt"
    (paths.live / NAME / "version.json").write_text("{}")
    found = lineages.read_version(paths, NAME, 1)
    assert (found.certificate.sha256, found.method, found.ca) == (other.sha256, "", None)
    (paths.live / NAME / "cert.pem").write_text("rubbish")
    with pytest.raises(StoreCorrupt, match="is no longer a certificate"):
        lineages.read_version(paths, NAME, 1)


def test_a_strange_link_is_said(paths: Paths) -> None:
    """A live link that leads to no version of ours is an error, not a version."""
    paths.live.mkdir(parents=True)
    (paths.live / NAME).symlink_to("/etc/letsencrypt/live/shop")
    with pytest.raises(StoreCorrupt):
        lineages.live_version(paths, NAME)


@pytest.mark.parametrize("name", ["", "..", ".tmp-1-1", "a/b", "a\0b"])
def test_no_name_leaves_the_folder(paths: Paths, leaf: Leaf, name: str) -> None:
    """A name that is a path, or one of ours for temporary things, is no lineage."""
    with pytest.raises(NotFound):
        store(paths, name, leaf)
    assert not paths.lineages.exists()


def test_settings_travel_with_a_version() -> None:
    """A lineage's settings become plain values and are the same again; what is not given is left out."""
    lineage = LineageConfig(name=NAME, domains=("a.example", "b.example"), targets=("web",), auto_renew=False)
    spec = lineages.spec_of(lineage)
    assert spec == {"name": NAME, "domains": ["a.example", "b.example"], "targets": ["web"], "auto_renew": False}
    assert lineages.lineage_of(spec) == lineage
    with pytest.raises(StoreCorrupt):
        lineages.lineage_of({**spec, "unknown": 1})


def test_no_repr_shows_a_key(paths: Paths, leaf: Leaf) -> None:
    """A pair in a traceback or a log shows its number only."""
    stored(paths, leaf, 1)
    assert repr(lineages.read_pair(paths, NAME, 1)) == "StoredPair(version=1)"


# -- deleting ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def deleted(paths: Paths, vault: Vault, leaf: Leaf) -> Paths:
    """A box whose lineage with two versions was deleted at noon."""
    write_lineage(paths, LineageConfig(name=NAME, domains=(NAME,)))
    stored(paths, leaf, 2, live=2)
    lineages.seal_old_keys(paths, vault, NAME)
    journal.write(paths, NAME, {"stage": "x"})
    orders.save_order_key(paths, vault, NAME, b"key")
    assert delete_lineage(paths, vault, NAME, NOON) == NOON + timedelta(days=30)
    return paths


def test_a_deleted_lineage_is_gone_but_for_its_copy(deleted: Paths, leaf: Leaf) -> None:
    """Nothing of it is left anywhere, and the copy shows nothing."""
    left = [path for path in deleted.etc.parent.rglob("*") if NAME in path.name]
    assert left == [deleted.deleted / f"{NAME}-20261121T120000Z.sealed"]
    assert leaf.certificate_pem not in left[0].read_bytes()


def test_a_deleted_lineage_comes_back_even_after_a_rotation(deleted: Paths, vault: Vault, leaf: Leaf) -> None:
    """All versions and settings come back, the old key sealed; the seal of the copy follows the master key."""
    vault.rotate()
    (copy,) = list_deleted(deleted)
    assert (copy.name, copy.at) == (NAME, NOON)
    assert restore(deleted, vault, copy) == NAME
    assert load_lineage(deleted, NAME).domains == (NAME,)
    assert lineages.versions(deleted, NAME) == (1, 2)
    assert (lineages.live_version(deleted, NAME), lineages.waiting_version(deleted, NAME)) == (2, None)
    assert lineages.read_key(deleted, vault, NAME, 1) == leaf.key_pem
    assert not (lineages.folder(deleted, NAME, 1) / "privkey.pem").exists()
    with pytest.raises(AlreadyThere):
        restore(deleted, vault, copy)


def test_copies_go_after_thirty_days(deleted: Paths, vault: Vault) -> None:
    """A copy lives 30 days to the second; two deletes in one second do not overwrite each other."""
    write_lineage(deleted, LineageConfig(name=NAME, domains=(NAME,)))
    delete_lineage(deleted, vault, NAME, NOON)
    assert len(list_deleted(deleted)) == 2
    assert purge_deleted(deleted, NOON + timedelta(days=30, seconds=-1)) == 0
    assert purge_deleted(deleted, NOON + timedelta(days=30)) == 2
    assert list_deleted(deleted) == ()


def test_a_foreign_file_among_the_copies_stops_nobody(deleted: Paths) -> None:
    """A file whose name looks like a copy's, with a date that does not exist, ended every renewal with an internal error."""
    (deleted.deleted / "shop-20269999T999999Z.sealed").write_bytes(b"")
    assert len(list_deleted(deleted)) == 1
    assert purge_deleted(deleted, NOON) == 0


def test_deleting_what_is_not_there_is_said(paths: Paths, vault: Vault) -> None:
    """An unknown name is not found, and no copy of nothing is made."""
    with pytest.raises(NotFound):
        delete_lineage(paths, vault, "nothing", NOON)
    assert not paths.state.exists()
