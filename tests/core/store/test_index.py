"""core.store.index: a thousand lineages for three stat calls each, and no change goes unseen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from binascii import crc32
from datetime import timedelta
from pathlib import Path

import pytest

from core.config.edit import write_lineage
from core.config.model import LineageConfig
from core.engine import Engine
from core.errors import ConfigError, MasterKeyMissing, NotFound, ReloadFailed, StoreCorrupt
from core.paths import Paths, paths_for
from core.store import index, lineages, orders, renewal_state
from core.store.index import Facts, facts_of, facts_of_all, generation
from core.store.lock import writers_lock
from core.store.renewal_state import RenewalState
from core.store.vault import Vault
from tests.support.authority import Authority, Leaf
from tests.support.boxes import store, the_environment
from tests.support.clock import NOON


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_for({"CERTDECK_HOME": str(tmp_path / "box")}, 0)


@pytest.fixture
def leaf(authority: Authority) -> Leaf:
    return authority.leaf(["shop.example.com"])


@pytest.fixture
def box(paths: Paths, leaf: Leaf, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """Three lineages: one live, one waiting, one never issued. Times of change count as settled at once."""
    monkeypatch.setattr(index, "_FRESH_NANOSECONDS", 0)
    monkeypatch.setattr(index, "_FINE_FRESH_NANOSECONDS", 0)
    for name in ("live", "waits", "new"):
        write_lineage(paths, LineageConfig(name=name, domains=(f"{name}.example.com",), issuer="x", targets=("web",)))
    store(paths, "live", leaf)
    lineages.switch(paths, "live", 1)
    store(paths, "waits", leaf)
    return paths


def read(paths: Paths) -> dict[str, Facts]:
    found, problems = facts_of_all(paths)
    assert problems == []
    assert [facts.name for facts in found] == sorted(facts.name for facts in found)
    next_tick(paths)
    return {facts.name: facts for facts in found}


def next_tick(paths: Paths) -> None:
    """Let the file system's clock go on by one tick, some milliseconds at most: what changes then has another time."""
    if paths.run.parent.exists():
        file = paths.run.parent / "tick"
        file.touch()
        first = file.stat().st_ctime_ns
        while file.stat().st_ctime_ns == first:
            file.touch()


def test_facts_hold_settings_certificate_and_memory(box: Paths, leaf: Leaf) -> None:
    """Everything that status and renewal need is there, and the same from the index as from the files."""
    for found in (read(box), read(box)):
        live = found["live"]
        assert (live.domains, live.issuer, live.targets, live.auto_renew) == (["live.example.com"], "x", ["web"], None)
        assert (live.version, live.waiting_version, live.sha256) == (1, None, leaf.sha256)
        assert live.not_after == leaf.certificate.not_valid_after_utc.timestamp()
        assert (live.method, live.ca, live.cert_key_type) == ("http-01", "letsencrypt", "ec-256")
        assert (found["waits"].version, found["waits"].waiting_version, found["waits"].sha256) == (None, 1, "")
        assert (found["new"].version, found["new"].waiting_version, found["new"].not_after) == (None, None, 0.0)
        assert live == facts_of(box, "live")


def test_what_has_not_changed_is_not_read_again(box: Paths) -> None:
    """The second look takes the facts from the index: whatever stands there is what is told."""
    read(box)
    raw = json.loads(box.index.read_bytes())
    raw["lineages"]["live"][1][Facts._fields.index("subject")] = "from the index"
    del raw["sum"]
    rest = json.dumps(raw)[1:]
    box.index.write_text(f'{{"sum":"{crc32(rest.encode()):08x}",{rest}')
    inode = box.index.stat().st_ino
    assert read(box)["live"].subject == "from the index"
    assert box.index.stat().st_ino == inode


def test_every_change_is_seen(box: Paths, leaf: Leaf, authority: Authority) -> None:
    """Settings edited by hand, a new version, a switch, a failure, a sealing, an order, a delete: the next look knows."""
    vault = Vault(box, the_environment())
    read(box)

    with (box.certificates / "live.toml").open("a") as file:
        file.write("auto_renew = false\n")
    assert read(box)["live"].auto_renew is False

    assert store(box, "live", authority.leaf(["other.example.com"])) == 2
    assert read(box)["live"].waiting_version == 2
    lineages.switch(box, "live", 2)
    found = read(box)["live"]
    assert (found.version, found.waiting_version, list(found.names)) == (2, None, ["other.example.com"])

    lineages.seal_old_keys(box, vault, "live")
    lineages.unseal_key(box, vault, "live", 1)
    lineages.switch(box, "live", 1)
    assert read(box)["live"].waiting_version == 2
    lineages.seal_old_keys(box, vault, "live")
    assert read(box)["live"].waiting_version is None

    error = ReloadFailed("a.", "b.", "c.")
    renewal_state.save(box, "live", RenewalState().failed(error, NOON, NOON + timedelta(hours=1)))
    found = read(box)["live"]
    assert found.failures == 1
    assert found.last_error is not None
    assert found.last_error["code"] == "reload-failed"
    assert found.next_attempt == (NOON + timedelta(hours=1)).timestamp()

    order = orders.OrderRecord(name="new", issuer="x", directory="d", account_url="u", identifiers=("a",), created=NOON)
    orders.save_order(box, order)
    assert read(box)["new"].open_order
    orders.delete_order(box, "new")
    assert not read(box)["new"].open_order

    (box.certificates / "new.toml").unlink()
    assert set(read(box)) == {"live", "waits"}


def test_a_certificate_replaced_by_hand_is_seen(box: Paths, authority: Authority) -> None:
    """Somebody who writes another certificate into the live folder, even with the old size and time, is noticed."""
    read(box)
    file = box.live / "live" / "cert.pem"
    before = file.stat()
    other = authority.leaf(["other.example.com"])
    file.write_bytes(other.certificate_pem)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert read(box)["live"].sha256 == other.sha256


def test_a_change_within_the_granularity_of_time_is_seen(paths: Paths, leaf: Leaf) -> None:
    """What changed just before it was read is read again, because it may change again without another time."""
    write_lineage(paths, LineageConfig(name="live", domains=("a.example",)))
    store(paths, "live", leaf)
    lineages.switch(paths, "live", 1)
    read(paths)
    raw = json.loads(paths.index.read_bytes())
    raw["lineages"]["live"][1][Facts._fields.index("subject")] = "stale"
    paths.index.write_text(json.dumps(raw))
    assert read(paths)["live"].subject == "shop.example.com"


def test_one_broken_lineage_leaves_the_others(box: Paths) -> None:
    """A file that does not load is a problem beside the rest, the first time and from the index."""
    (box.certificates / "broken.toml").write_text("domain = 1\n")
    (box.lineages / "waits/renewal.json").write_text("rubbish")
    store_corrupt = box.live / "live/cert.pem"
    store_corrupt.write_text("rubbish")
    for _ in range(2):
        found, problems = facts_of_all(box)
        assert [facts.name for facts in found] == ["new", "waits"]
        assert [type(problem) for problem in problems] == [ConfigError, StoreCorrupt]
    with pytest.raises(ConfigError):
        facts_of(box, "broken")
    with pytest.raises(NotFound):
        facts_of(box, "nothing")


def test_a_version_removed_by_hand_is_said(box: Paths) -> None:
    """A live link that leads nowhere is a problem with a way out; the lineage does not just vanish."""
    shutil.rmtree(lineages.folder(box, "live", 1))
    found, problems = facts_of_all(box)
    assert [facts.name for facts in found] == ["new", "waits"]
    assert [(type(problem), problem.lineage) for problem in problems] == [(StoreCorrupt, "live")]


def test_a_file_with_an_impossible_name_is_said(box: Paths) -> None:
    """A hand-written file whose name can be no lineage's is a problem, not silence."""
    (box.certificates / "my shop.toml").write_text('domains = ["a.example"]\n')
    _, problems = facts_of_all(box)
    assert [type(problem) for problem in problems] == [ConfigError]
    assert "'my shop' is not a valid certificate name" in problems[0].why


@pytest.mark.parametrize(
    "text", ["", "[]", '{"format": 0}', '{"format": 2, "at": 1, "lineages": {"live": [1]}}', "[" * 9000, "\0" * 99]
)
def test_a_damaged_index_is_made_anew(box: Paths, text: str) -> None:
    """The index may be damaged, old or gone: the facts are the same."""
    wanted = read(box)
    box.index.write_text(text)
    assert read(box) == wanted
    box.index.unlink()
    assert read(box) == wanted


def test_a_value_changed_in_the_index_is_not_believed(box: Paths) -> None:
    """A number that became a text, in an index otherwise whole, ended every `status` and every run with an internal error."""
    wanted = read(box)
    next_tick(box)
    assert read(box) == wanted
    text = box.index.read_text()
    at = str(wanted["live"].not_after)
    assert at in text
    box.index.write_text(text.replace(at, '"soon"'))
    assert read(box) == wanted


def test_an_index_that_cannot_be_written_costs_time_only(box: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full or read-only disk the facts are told all the same, and nothing is left behind."""
    real = os.open

    def refusing(path: object, flags: int, *args: int, **options: int) -> int:
        if flags & os.O_CREAT:
            raise OSError(30, "Read-only file system")
        return real(path, flags, *args, **options)

    monkeypatch.setattr(os, "open", refusing)
    assert {facts.name for facts in facts_of_all(box)[0]} == {"live", "waits", "new"}
    assert not box.index.exists()
    assert list(box.state.glob(".tmp-*")) == []


def test_a_fresh_box_has_no_facts(paths: Paths) -> None:
    """Nothing is there, nothing is made."""
    assert facts_of_all(paths) == ([], [])
    assert generation(paths) == generation(paths)
    assert not paths.etc.parent.exists()


def test_the_generation_changes_with_everything_shown(box: Paths, leaf: Leaf) -> None:
    """Each kind of change gives another stamp; looking gives none."""
    vault = Vault(box, the_environment())
    order = orders.OrderRecord(name="new", issuer="x", directory="d", account_url="u", identifiers=("a",), created=NOON)
    seen = [generation(box)]
    for act in (
        lambda: box.config.write_text("[appliance]\n"),
        lambda: (box.certificates / "new.toml").write_text('domains = ["b.example"]\n'),
        lambda: store(box, "new", leaf),
        lambda: lineages.switch(box, "new", 1),
        lambda: lineages.seal_old_keys(box, vault, "new"),
        lambda: renewal_state.save(box, "live", RenewalState(failures=1)),
        lambda: orders.save_order(box, order),
        lambda: orders.save_order(box, order),
        lambda: orders.delete_order(box, "new"),
        lambda: box.last_run.write_text("{}"),
        lambda: lineages.unlink_live(box, "new"),
    ):
        act()
        seen.append(generation(box))
        read(box)
        assert generation(box) == seen[-1]
    assert len(set(seen)) == len(seen)


def test_the_engine_looks_at_every_lineage_once_a_minute(box: Paths) -> None:
    """A file written in place is seen within a minute; one that is replaced, and every change of ours, at once."""
    environment = the_environment()
    engine, settings = Engine(box, environment), box.certificates / "live.toml"
    seen = engine.generation()
    next_tick(box)
    settings.write_text(settings.read_text() + "# by hand\n")
    assert engine.generation() == seen
    environment.clock.advance(seconds=61)
    after = engine.generation()
    assert after != seen
    next_tick(box)
    (box.certificates / "new").write_text(settings.read_text())
    (box.certificates / "new").replace(settings)
    replaced = engine.generation()
    assert replaced != after
    next_tick(box)
    with writers_lock(box, environment, "something"):
        assert engine.generation() != replaced


def test_an_unchanged_box_loads_nothing_heavy(box: Paths) -> None:
    """The scheduled run with nothing due parses no TOML, no certificate, and imports no library for either."""
    read(box)
    script = f"""
import sys
from pathlib import Path
from core.paths import paths_for
from core.store.index import facts_of_all
import core.store.index
core.store.index._FRESH_NANOSECONDS = core.store.index._FINE_FRESH_NANOSECONDS = 0
found, problems = facts_of_all(paths_for({{"CERTDECK_HOME": {str(box.etc.parent)!r}}}, 0))
assert len(found) == 3 and not problems
print([name for name in ("cryptography", "tomllib", "tomlkit", "sqlite3", "hashlib", "difflib") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_broken_vault_does_not_touch_the_facts(box: Paths, leaf: Leaf) -> None:
    """Losing the master key loses what is sealed and nothing else: every lineage is still shown."""
    vault = Vault(box, the_environment())
    store(box, "live", leaf)
    lineages.switch(box, "live", 2)
    lineages.seal_old_keys(box, vault, "live")
    box.master_key.unlink()
    with pytest.raises(MasterKeyMissing):
        lineages.read_key(box, Vault(box, the_environment()), "live", 1)
    assert read(box)["live"].version == 2
