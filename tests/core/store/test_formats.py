"""State files carry the number of their format: older ones are read, later ones are refused and left alone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import time
from pathlib import Path

import pytest

from core.errors import StoreTooNew
from core.paths import Paths, paths_for
from core.schedule import record as schedule
from core.schedule.timetable import Timetable
from core.store import index, journal, lineages, renewal_state
from core.store.accounts import AccountRecord, load_account, save_account
from core.store.checksum import with_checksum
from core.store.dns_records import MadeRecords, keep_records, load_records
from core.store.history import History
from core.store.orders import OrderRecord, load_order, save_order
from core.store.requests import RequestRecord, find_request, save_answer, save_request
from core.store.vault import Vault
from core.workflows.renewing import last_run
from tests.support.authority import Authority
from tests.support.boxes import store, the_environment
from tests.support.clock import NOON

ID = "0123456789abcdef"
ACCOUNT = AccountRecord.new("ca", "https://ca.example/dir", contact=None, created=NOON)
ORDER = OrderRecord(
    name="shop",
    issuer="ca",
    directory="https://ca.example/dir",
    account_url="https://ca.example/acct/1",
    identifiers=("shop.example.com",),
    created=NOON,
)
REQUEST = RequestRecord(
    name="shop", names=("shop.example.com",), key_type="ec-256", subject="", created=NOON, csr="", key="00"
)
RUN = last_run.LastRun(at=NOON, outcome="done", error="")
TIMER = schedule.ScheduleRecord(how=schedule.CRON, since=NOON, timetable=Timetable((time(3),)))
MADE = MadeRecords(lineage="shop", created=NOON, records=())


def _save_request(paths: Paths) -> None:
    save_request(paths, Vault(paths, the_environment()), REQUEST, b"key")


Step = Callable[[Paths], object]
FILES: dict[str, tuple[str, Step, Step, Step]] = {
    # name: file below `state`, how it is made, read, and written again
    "account": (
        f"accounts/{ACCOUNT.id}.json",
        lambda p: save_account(p, ACCOUNT),
        lambda p: load_account(p, "ca", "https://ca.example/dir"),
        lambda p: save_account(p, ACCOUNT),
    ),
    "order": (
        "orders/shop/order.json",
        lambda p: save_order(p, ORDER),
        lambda p: load_order(p, "shop"),
        lambda p: save_order(p, ORDER),
    ),
    "request": (
        "requests/shop/request.json",
        _save_request,
        lambda p: find_request(p, "shop"),
        lambda p: save_answer(p, REQUEST, "shop", 1),
    ),
    "dns": (
        f"dns/{ID}.json",
        lambda p: keep_records(p, ID, MADE),
        lambda p: load_records(p, ID),
        lambda p: keep_records(p, ID, MADE),
    ),
    "renewal": (
        "lineages/shop/renewal.json",
        lambda p: renewal_state.save(p, "shop", renewal_state.RenewalState()),
        lambda p: renewal_state.load(p, "shop"),
        lambda p: renewal_state.save(p, "shop", renewal_state.RenewalState()),
    ),
    "journal": (
        "transactions/shop.json",
        lambda p: journal.write(p, "shop", {"phase": "x"}),
        lambda p: journal.read(p, "shop"),
        lambda p: journal.write(p, "shop", {"phase": "x"}),
    ),
    "last run": (
        "last-run.json",
        lambda p: last_run.record(p, RUN),
        last_run.read,
        lambda p: last_run.record(p, RUN),
    ),
    "schedule": (
        "schedule.json",
        lambda p: schedule.save(p, TIMER),
        schedule.load,
        lambda p: schedule.save(p, TIMER),
    ),
}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_for({"CERTDECK_HOME": str(tmp_path / "box")}, 0)


@pytest.mark.parametrize("kind", FILES)
def test_what_a_later_release_wrote_is_refused_and_stays(paths: Paths, kind: str) -> None:
    """A file of a later format is neither read nor written over; the error names the file and both formats."""
    name, make, read, write = FILES[kind]
    make(paths)
    file = paths.state / name
    value = json.loads(file.read_bytes())
    assert value["format"] == 1
    text = json.dumps({**value, "format": 7, "new": {}}).encode()
    file.write_bytes(text)
    for act in (read, write):
        with pytest.raises(StoreTooNew) as caught:
            act(paths)
        assert str(file) in caught.value.what
        assert "format 7" in caught.value.why
        assert "up to 1" in caught.value.why
    assert file.read_bytes() == text


@pytest.mark.parametrize("kind", FILES)
def test_what_an_older_release_wrote_is_read(paths: Paths, kind: str) -> None:
    """A file without a number is read as before."""
    name, make, read, _ = FILES[kind]
    make(paths)
    before = read(paths)
    file = paths.state / name
    value = json.loads(file.read_bytes())
    del value["format"]
    file.write_bytes(json.dumps(value).encode())
    found = read(paths)
    assert found is not None
    assert found == before or kind == "journal"


def test_the_facts_of_a_version(paths: Paths) -> None:
    """The facts of a version in a later format are not taken for damage, which would be read around."""
    store(paths, "shop", Authority.new(now=NOON).leaf(["shop.example.com"]))
    file = lineages.folder(paths, "shop", 1) / lineages.FACTS
    file.write_text(json.dumps({**json.loads(file.read_bytes()), "format": 2}))
    with pytest.raises(StoreTooNew):
        lineages.read_version(paths, "shop", 1)


def test_a_sealed_record(paths: Paths) -> None:
    """A sealed record of a later format is told from one that was damaged."""
    vault = Vault(paths, the_environment())
    vault.put("eab/ca", b"secret")
    file = vault.path_of("eab/ca")
    file.write_bytes(b"\x02" + file.read_bytes()[1:])
    with pytest.raises(StoreTooNew, match="eab/ca"):
        vault.get("eab/ca")


def test_the_history(paths: Paths) -> None:
    """A history of a later format is neither read nor added to."""
    paths.state.mkdir(parents=True)
    with closing(sqlite3.connect(paths.history)) as database:
        database.execute("CREATE TABLE history (other TEXT)")
        database.execute("PRAGMA user_version = 9")
    history = History(paths)
    with pytest.raises(StoreTooNew):
        history.entries()
    with pytest.raises(StoreTooNew):
        history.verify()


def test_the_index(paths: Paths) -> None:
    """An index of a later format is not used and not written over: it is derived, so nothing depends on it."""
    paths.certificates.mkdir(parents=True)
    (paths.certificates / "shop.toml").write_text('domains = ["shop.example.com"]\n')
    store(paths, "shop", Authority.new(now=NOON).leaf(["shop.example.com"]))
    lineages.switch(paths, "shop", 1)
    text = with_checksum({"format": index.FORMAT + 1, "lineages": {"shop": "of another form"}})
    paths.index.write_bytes(text)
    found, problems = index.facts_of_all(paths)
    assert ([each.name for each in found], problems) == (["shop"], [])
    assert paths.index.read_bytes() == text
