"""core.store.{journal,orders,accounts,renewal_state,records,cleanup}: small files, whole, and forgiving where that is right."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import ReloadFailed, StoreCorrupt
from core.paths import Paths, paths_for
from core.store import journal, renewal_state
from core.store.accounts import AccountRecord, list_accounts, load_account, save_account
from core.store.orders import (
    OrderRecord,
    delete_order,
    list_orders,
    load_order,
    load_order_key,
    require_order,
    save_order,
    save_order_key,
)
from core.store.renewal_state import RenewalState
from core.store.vault import Vault
from tests.support.boxes import the_environment
from tests.support.clock import NOON

ORDER = OrderRecord(
    name="shop",
    issuer="letsencrypt",
    directory="https://ca.example/dir",
    account_url="https://ca.example/acct/1",
    identifiers=("shop.example.com", "*.shop.example.com"),
    created=NOON,
    expires=NOON + timedelta(days=7),
    records=(("_acme-challenge.shop.example.com", "TXT", "abc"),),
    spec={"domains": ["shop.example.com"]},
)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_for({"CERTDECK_HOME": str(tmp_path / "box")}, 0)


def test_an_order_survives_with_its_key(paths: Paths) -> None:
    """An order is read back as it was, with its key sealed beside it, until it is deleted."""
    vault = Vault(paths, the_environment())
    save_order_key(paths, vault, "shop", b"key")
    assert list_orders(paths) == ()  # a key alone is no order
    save_order(paths, ORDER)
    assert require_order(paths, "shop") == ORDER
    assert list_orders(paths) == ("shop",)
    assert load_order_key(paths, Vault(paths, the_environment(2)), "shop") == b"key"
    delete_order(paths, "shop")
    delete_order(paths, "shop")
    assert load_order(paths, "shop") is None
    assert load_order_key(paths, vault, "shop") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": 3}', "\xff"])
def test_a_damaged_order_is_said(paths: Paths, text: str) -> None:
    """An order that cannot be read names its folder, and is not taken for none."""
    save_order(paths, ORDER)
    (paths.orders / "shop/order.json").write_text(text)
    with pytest.raises(StoreCorrupt) as caught:
        load_order(paths, "shop")
    assert str(paths.orders / "shop") in caught.value.fix


def test_an_account_belongs_to_issuer_and_directory(paths: Paths) -> None:
    """Another directory of the same issuer has another account and another key."""
    one = AccountRecord.new("ca", "https://one.example/dir", contact="a@example.com", created=NOON)
    two = AccountRecord.new("ca", "https://two.example/dir", contact=None, created=NOON)
    assert one.key_record != two.key_record
    save_account(paths, one)
    assert load_account(paths, "ca", "https://one.example/dir") == one
    assert load_account(paths, "ca", "https://two.example/dir") is None
    registered = one.registered("https://one.example/acct/1", "https://one.example/tos")
    save_account(paths, registered)
    assert list_accounts(paths) == (registered,)
    assert registered.registered("https://one.example/acct/1", None).terms == "https://one.example/tos"


def test_a_damaged_account_is_said(paths: Paths) -> None:
    """An account that cannot be read is not replaced by a new one behind one's back."""
    record = AccountRecord.new("ca", "https://one.example/dir", contact=None, created=NOON)
    save_account(paths, record)
    (paths.accounts / f"{record.id}.json").write_text('{"issuer": "ca"}')
    with pytest.raises(StoreCorrupt):
        load_account(paths, "ca", "https://one.example/dir")


def test_the_journal_keeps_a_record_until_it_is_removed(paths: Paths) -> None:
    """What is in flight is found by the next run, one record for each name."""
    assert journal.names(paths) == ()
    journal.write(paths, "b", {"stage": "switched", "targets": ["web"]})
    journal.write(paths, "a", {"stage": "staged"})
    journal.write(paths, "b", {"stage": "committing"})
    assert journal.names(paths) == ("a", "b")
    assert journal.read(paths, "b") == {"stage": "committing"}
    journal.remove(paths, "a")
    journal.remove(paths, "a")
    assert journal.names(paths) == ("b",)
    assert journal.read(paths, "a") is None


def test_a_damaged_journal_is_said(paths: Paths) -> None:
    """A record that cannot be read is never taken for nothing in flight."""
    journal.write(paths, "shop", {})
    (paths.transactions / "shop.json").write_text("[1]")
    with pytest.raises(StoreCorrupt, match="interrupted deployment"):
        journal.read(paths, "shop")


def test_the_renewal_state_counts_failures_and_forgets_them(paths: Paths) -> None:
    """Failures add up with the last error and the next attempt; a success clears them and keeps the targets."""
    state = RenewalState(targets={"web": {"state": "deployed"}})
    error = ReloadFailed("nginx did not reload.", "It said no.", "Correct it.")
    failed = state.failed(error, NOON, NOON + timedelta(minutes=1)).failed(error, NOON, NOON + timedelta(minutes=10))
    renewal_state.save(paths, "shop", failed)
    found = renewal_state.load(paths, "shop")
    assert found == failed
    assert found.failures == 2
    assert found.last_error == {
        "code": "reload-failed",
        "what": "nginx did not reload.",
        "why": "It said no.",
        "fix": "Correct it.",
        "at": "2026-11-21T12:00:00Z",
    }
    good = found.succeeded(NOON)
    assert (good.failures, good.last_error, good.next_attempt, good.targets) == (0, None, None, state.targets)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"failures": "3"}', '{"next_attempt": "soon"}', '{"targets": []}', '{"failures": true}']
)
def test_a_damaged_renewal_state_counts_as_empty(paths: Paths, text: str) -> None:
    """The timer never stops for its own memory: a damaged file is empty, and says so."""
    renewal_state.save(paths, "shop", RenewalState())
    (paths.lineages / "shop/renewal.json").write_text(text)
    found = renewal_state.load(paths, "shop")
    assert found == RenewalState(warning="renewal.json of shop was changed or damaged. It is treated as empty.")
    renewal_state.save(paths, "shop", found)
    assert renewal_state.load(paths, "shop") == RenewalState()
    assert renewal_state.load(paths, "never-seen") == RenewalState()


def test_fields_of_a_newer_release_are_left_alone(paths: Paths) -> None:
    """After a downgrade the known fields still count."""
    renewal_state.save(paths, "shop", RenewalState(failures=3))
    file = paths.lineages / "shop/renewal.json"
    file.write_text(json.dumps({**json.loads(file.read_bytes()), "from_the_future": {"x": 1}}))
    assert renewal_state.load(paths, "shop").failures == 3


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 9000,
        b'{"targets": {"web": 5}}',
        b'{"next_attempt": "0001-01-01T00:00:00+23:00"}',
        b'{"failures": "x"}',
        b'{"revoked": "\\ud800"}',
    ],
)
def test_a_memory_with_impossible_values_counts_as_empty(paths: Paths, text: bytes) -> None:
    """Values of other kinds inside a renewal.json passed, and ended a later step with an internal error."""
    file = paths.lineages / "shop" / renewal_state.FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(text)
    state = renewal_state.load(paths, "shop")
    assert state == RenewalState(warning=state.warning)
    assert state.warning


@pytest.mark.parametrize("text", [b"[" * 9000, b"[1]", b"{", b"\xff"])
def test_a_damaged_order_or_journal_is_said(paths: Paths, text: bytes) -> None:
    """Nesting without an end is damage like any other, not an internal error."""
    for file in (paths.orders / "shop" / "order.json", paths.transactions / "shop.json"):
        file.parent.mkdir(parents=True)
        file.write_bytes(text)
    with pytest.raises(StoreCorrupt):
        load_order(paths, "shop")
    with pytest.raises(StoreCorrupt):
        journal.read(paths, "shop")


def test_an_order_with_something_else_than_names_is_said(paths: Paths) -> None:
    """Names that are no texts are damage that is found when the order is read, not later."""
    save_order(paths, ORDER)
    file = paths.orders / "shop" / "order.json"
    file.write_text(file.read_text().replace('"shop.example.com"', "5", 1))
    with pytest.raises(StoreCorrupt):
        load_order(paths, "shop")


@pytest.mark.parametrize("changed", [{"name": "../../etc"}, {"name": "mail"}, {"spec": {"name": "mail"}}])
def test_an_order_is_that_of_its_folder(paths: Paths, changed: dict[str, object]) -> None:
    """An order that names another lineage was finished for that one, and its settings were overwritten."""
    save_order(paths, ORDER)
    file = paths.orders / "shop" / "order.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changed}))
    with pytest.raises(StoreCorrupt):
        load_order(paths, "shop")


@pytest.mark.parametrize(
    "changed", [{"issuer": "../../etc/x"}, {"issuer": "other"}, {"directory": "https://else.example"}]
)
def test_an_account_is_that_of_its_file(paths: Paths, changed: dict[str, object]) -> None:
    """A record of another issuer or directory would have been kept elsewhere, even outside of the folder."""
    record = AccountRecord.new("ca", "https://one.example/dir", contact=None, created=NOON)
    save_account(paths, record)
    file = paths.accounts / f"{record.id}.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changed}))
    with pytest.raises(StoreCorrupt):
        load_account(paths, "ca", "https://one.example/dir")


@pytest.mark.parametrize(
    ("kept", "probe"), [("127.0.0.1:443", ("127.0.0.1:443",)), (None, ()), (["[::1]:1"], ("[::1]:1",))]
)
def test_a_deployment_of_an_earlier_release_is_read(kept: object, probe: tuple[str, ...]) -> None:
    """A target in a deployment that an earlier release began has one probe, or null: it can still be ended."""
    from core.config.model import TargetConfig
    from core.store.kept_settings import settings_from

    assert settings_from(TargetConfig, {"name": "web", "certificate": "/c", "key": "/k", "probe": kept}).probe == probe
