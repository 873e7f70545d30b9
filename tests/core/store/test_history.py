"""core.store.history: everything that happened, in order, and it shows when somebody changed it."""

from __future__ import annotations

import errno
import logging
import resource
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from core import events
from core.config.model import Log
from core.errors import StoreCorrupt, StoreError
from core.events import CertificateIssued, Event, Progressed, RecordsRequired, Report, RetryScheduled, Warned
from core.paths import Paths, paths_for
from core.store.history import History, head_file
from core.store.history_rows import facts_of, kind_of
from core.store.quarantine import set_aside
from tests.support.clock import NOON


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_for({"CERTDECK_HOME": str(tmp_path)}, 0)


def report(what: str = "x", lineage: str | None = "shop", seconds: float = 0) -> Report:
    at = NOON + timedelta(seconds=seconds)
    return Report(at=at, run="00c0ffee", lineage=lineage, event=Warned(code="c", what=what, fix="f"))


def filled(paths: Paths, count: int) -> History:
    history = History(paths)
    for number in range(1, count + 1):
        history.record(report(f"event {number}", "shop" if number % 2 else "mail"), "eve (via sudo)")
    history.close()
    return history


def change(paths: Paths, statement: str) -> None:
    with closing(sqlite3.connect(paths.history, isolation_level=None)) as database:
        database.execute(statement)


def test_entries_come_newest_first(paths: Paths) -> None:
    """Entries come with who, when and what, newest first, by lineage, and page by page."""
    history = filled(paths, 5)
    (newest, *_rest) = history.entries()
    assert (newest.number, newest.kind, newest.who, newest.run, newest.at) == (
        5,
        "warned",
        "eve (via sudo)",
        "00c0ffee",
        NOON,
    )
    assert newest.facts == {"code": "c", "what": "event 5", "fix": "f"}
    assert [entry.number for entry in history.entries(lineage="mail")] == [4, 2]
    assert [entry.number for entry in history.entries(limit=2, before=4)] == [3, 2]


def test_more_entries_than_any_number_holds_can_be_asked_for(paths: Paths) -> None:
    """`log --limit` with twenty digits ended with an internal error."""
    assert len(filled(paths, 3).entries(limit=10**20)) == 3


def test_a_box_without_history_has_none(paths: Paths) -> None:
    """Reading makes no file and finds nothing wrong."""
    assert History(paths).entries() == ()
    assert History(paths).verify() == (0, None)
    assert not paths.state.exists()


def test_an_untouched_chain_stands(paths: Paths) -> None:
    """However many runs wrote it, the chain is followed from the first entry to the last."""
    filled(paths, 3)
    filled(paths, 200)
    assert History(paths).verify() == (203, None)
    assert stat.S_IMODE(paths.history.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("statement", "stand", "said"),
    [
        ("UPDATE history SET facts = replace(facts, 'event 3', 'event x') WHERE number = 3", 2, "Entry 3 was altered."),
        ("UPDATE history SET who = 'adam' WHERE number = 1", 0, "Entry 1 was altered."),
        ("UPDATE history SET lineage = NULL WHERE number = 2", 1, "Entry 2 was altered."),
        ("DELETE FROM history WHERE number = 2", 1, "Entry 2 was removed."),
        ("DELETE FROM history WHERE number > 4", 4, "The last entry was removed."),
        ("DELETE FROM history WHERE number > 3", 3, "The last 2 entries were removed."),
        ("DELETE FROM history", 0, "The last 5 entries were removed."),
        ("UPDATE history SET number = 9 WHERE number = 5", 4, "Entry 5 was removed."),
    ],
)
def test_tampering_shows(paths: Paths, statement: str, stand: int, said: str) -> None:
    """Changed, removed and cut off entries are found, and where; going on writing does not hide it."""
    filled(paths, 5)
    change(paths, statement)
    assert History(paths).verify() == (stand, said)
    if "number > 3" in statement:
        filled(paths, 1)
        assert History(paths).verify() == (3, "Entry 4 was removed.")


def test_a_rewritten_end_shows(paths: Paths) -> None:
    """Somebody who makes the end of the chain anew has not the head that was written down."""
    filled(paths, 2)
    head = head_file(paths).read_bytes()
    change(paths, "DELETE FROM history WHERE number = 2")
    head_file(paths).unlink()
    other = History(paths)
    other.record(report("another"), "eve")
    other.close()
    assert other.verify() == (3, None)
    assert [entry.kind for entry in other.entries()] == ["warned", "log-end-doubtful", "warned"]
    head_file(paths).write_bytes(head)
    assert other.verify() == (1, "Entry 2 was replaced.")


def test_an_end_without_its_record_is_in_doubt(paths: Paths) -> None:
    """Without a readable head nobody can tell whether the end is missing; the next entry keeps that on record."""
    filled(paths, 2)
    for damage in (b"", b"{", b"[]", None):
        if damage is None:
            head_file(paths).unlink()
        else:
            head_file(paths).write_bytes(damage)
        count, doubt = History(paths).verify()
        assert count == 2
        assert "cannot verify the end of the log" in (doubt or "")
    filled(paths, 1)
    assert History(paths).verify() == (4, None)
    assert "log-end-doubtful" in [entry.kind for entry in History(paths).entries()]


def test_entries_behind_the_recorded_end_are_noticed(paths: Paths) -> None:
    """Entries that follow the recorded end, from a run that was killed or from somebody else, are told."""
    filled(paths, 2)
    head = head_file(paths).read_bytes()
    filled(paths, 2)
    head_file(paths).write_bytes(head)
    count, doubt = History(paths).verify()
    assert count == 4
    assert doubt is not None
    assert "entry 2, but entries 3 to 4 follow" in doubt


def old_and_new(paths: Paths, old: int, new: int) -> History:
    history = History(paths)
    for number in range(old + new):
        history.record(report(f"event {number}", seconds=0 if number < old else 500 * 86400), "eve")
    history.close()
    return history


def test_old_entries_are_removed_and_the_rest_still_proves_itself(paths: Paths) -> None:
    """What is older than the limit goes; the chain of the rest holds, and cutting its beginning off shows."""
    history = old_and_new(paths, 300, 1100)
    now = NOON + timedelta(days=500)
    history.prune(Log(), now, "eve")
    assert history.verify() == (1101, None)
    newest = history.entries(limit=1)[0]
    assert (newest.kind, newest.facts["through"], newest.facts["entries"]) == ("log-pruned", 300, 300)
    history.prune(Log(), now, "eve")
    assert history.verify() == (1101, None)
    change(paths, "DELETE FROM history WHERE number <= 310")
    assert history.verify()[1] == "Entry 1 was removed."


def test_a_log_that_is_too_large_loses_its_oldest(paths: Paths) -> None:
    """Above the size the oldest entries go, and never the newest thousand."""
    history = History(paths)
    for number in range(3000):
        history.record(report(f"{number} {'x' * 1000}"), "eve")
    history.close()
    history.prune(Log(keep_megabytes=2), NOON, "eve")
    count, problem = history.verify()
    assert problem is None
    assert 1000 < count < 1900
    history.prune(Log(keep_megabytes=1), NOON + timedelta(days=10_000), "eve")
    assert history.verify() == (1001, None)


def test_a_new_chain_says_what_was_before(paths: Paths) -> None:
    """A log that was moved away or damaged is begun anew: what is left is kept, and the first entry names it."""
    filled(paths, 3)
    change(paths, "UPDATE history SET who = 'mallory' WHERE number = 2")
    history = History(paths)
    assert history.verify()[1] == "Entry 2 was altered."
    entries, place = history.new_chain(lambda path: set_aside(paths, path, NOON), NOON, "eve")
    assert entries == 3
    assert place is not None
    with closing(sqlite3.connect(place)) as old:
        assert old.execute("SELECT count(*) FROM history").fetchone() == (3,)
    assert history.verify() == (1, None)
    (first,) = history.entries()
    assert (first.kind, first.number, first.facts["previous_entries"]) == ("log-chain-started", 1, 3)
    assert first.facts["set_aside"] == str(place)


def test_a_new_chain_after_somebody_moved_the_log(paths: Paths) -> None:
    """Where the database is gone and only the record of its end is there, a new chain begins at 1 and knows the old end."""
    filled(paths, 3)
    for file in paths.state.glob("history.sqlite*"):
        file.unlink()
    history = filled(paths, 1)
    assert history.verify()[1] == "Entry 1 was removed."
    history.new_chain(lambda path: set_aside(paths, path, NOON), NOON, "eve")
    assert history.verify() == (1, None)


def test_events_are_on_disk_when_the_operation_ends(paths: Paths) -> None:
    """After close another process sees everything; before, at most a second's worth is held back."""
    history = History(paths)
    history.record(report(seconds=0), "eve")
    assert not paths.history.exists()
    history.record(report(seconds=1.1), "eve")
    assert len(History(paths).entries()) == 2
    history.record(report(seconds=1.2), "eve")
    history.close()
    assert len(History(paths).entries()) == 3


def test_many_threads_may_record(paths: Paths) -> None:
    """Events of parallel orders are all there, each once, in one chain."""
    history = History(paths)

    def work() -> None:
        for _ in range(50):
            history.record(report(), "eve")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history.close()
    assert history.verify() == (200, None)


def test_a_name_that_is_no_text_has_no_entries(paths: Paths) -> None:
    """Asking for one says so, and not that the log is damaged."""
    assert filled(paths, 2).entries(lineage="\udcff") == ()


def test_a_damaged_history_never_stops_an_operation(paths: Paths, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is no database is logged and left; only reading the history says that it is unreadable."""
    paths.state.mkdir()
    paths.history.write_bytes(b"this is no database" * 100)
    with caplog.at_level(logging.WARNING):
        filled(paths, 200)
    assert [record.message for record in caplog.records] == ["the history cannot be written: file is not a database"]
    for read in (History(paths).entries, History(paths).verify):
        with pytest.raises(StoreCorrupt, match="cannot be read"):
            read()


@contextmanager
def no_room() -> Iterator[None]:
    """Let no file grow beyond a kilobyte: as on a full disk, the 32 KiB that SQLite's readers share cannot be had."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_does_not_hide_the_history(paths: Paths) -> None:
    """On a full disk SQLite cannot make the file that readers share: the history was called damaged and fit to be moved away."""
    filled(paths, 3)
    with no_room():
        assert len(History(paths).entries()) == 3
        assert History(paths).verify() == (3, None)


def test_a_history_that_is_out_of_reach_is_not_called_damaged(paths: Paths) -> None:
    """Entries that are not merged yet cannot be read where SQLite cannot have its file: that is neither damage nor a removal."""
    filled(paths, 3)
    shared = paths.history.with_name("history.sqlite-shm")
    shared.unlink()
    shared.symlink_to(shared)  # SQLite follows no link to it
    for read in (History(paths).entries, History(paths).verify):
        with pytest.raises(StoreError, match="cannot be read at the moment") as caught:
            read()
        assert "Free some space" in caught.value.fix


def test_a_folder_in_its_place_never_stops_an_operation(paths: Paths, caplog: pytest.LogCaptureFixture) -> None:
    """Where the history cannot be opened at all the operation goes on."""
    paths.history.mkdir(parents=True)
    with caplog.at_level(logging.WARNING):
        filled(paths, 1)
    assert len(caplog.records) == 1


def test_a_history_that_another_user_owns_is_said(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """`log` without the permission to look into the folder ended with an internal error."""
    filled(paths, 1)

    def refused(_path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "exists", refused)
    for read in (History(paths).entries, History(paths).verify):
        with pytest.raises(StoreError) as caught:
            read()
        assert str(paths.history) in caught.value.what


def test_a_write_costs_one_flush(paths: Paths) -> None:
    """The write-ahead log stays when the last connection is closed: merged each time, a write would cost four flushes."""
    beside = paths.history.with_name("history.sqlite-wal")
    filled(paths, 1)
    before, database = beside.stat(), paths.history.read_bytes()
    filled(paths, 1)
    assert beside.stat().st_ino == before.st_ino
    assert beside.stat().st_size > before.st_size
    assert paths.history.read_bytes() == database


def test_the_write_ahead_log_does_not_grow_for_ever(paths: Paths) -> None:
    """It is merged when it is long, and begins again."""
    beside, sizes = paths.history.with_name("history.sqlite-wal"), []
    for _ in range(60):
        filled(paths, 10)
        sizes.append(beside.stat().st_size if beside.exists() else 0)
    assert max(sizes) < 600_000
    assert 0 in sizes
    assert History(paths).verify() == (600, None)


def test_progress_is_not_worth_keeping(paths: Paths) -> None:
    """Numbers that only move a bar are left out."""
    history = History(paths)
    history.record(Report(at=NOON, run="1", lineage=None, event=Progressed(done=1, of=2)), "eve")
    history.close()
    assert not paths.history.exists()


def test_facts_are_plain_values() -> None:
    """Times become RFC 3339, tuples lists, names kebab-case."""
    issued = CertificateIssued(issuer="x", names=("a", "b"), not_after=NOON, sha256="AA")
    assert kind_of(issued) == "certificate-issued"
    assert facts_of(issued) == {"issuer": "x", "names": ["a", "b"], "not_after": "2026-11-21T12:00:00Z", "sha256": "AA"}
    assert facts_of(RecordsRequired(records=(("n", "TXT", "v"),))) == {"records": [["n", "TXT", "v"]]}
    assert facts_of(RetryScheduled(retry_at=NOON, why="")) == {"retry_at": "2026-11-21T12:00:00Z", "why": ""}


def test_every_event_has_a_name_of_its_own() -> None:
    """No two events look the same in the log."""
    kinds = [
        kind_of(type(kind.__name__, (), {})())
        for kind in vars(events).values()
        if isinstance(kind, type) and issubclass(kind, Event)
    ]
    assert len(kinds) == len(set(kinds)) > 30


def test_hostile_text_is_kept_as_it_is(paths: Paths) -> None:
    """Control characters and broken surrogates from outside neither stop nor change the history."""
    history = History(paths)
    history.record(report("\x1b[31m\udc80 \u202e"), "eve\udc80")
    history.record(report("\x1b[31m\udc80 \u202e"), "eve")
    history.close()
    assert [entry.facts["what"] for entry in history.entries()] == ["\x1b[31m\udc80 \u202e"] * 2
    assert history.verify() == (2, None)


def test_nothing_is_loaded_before_it_is_needed() -> None:
    """A run that records nothing does not import sqlite3."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom core.paths import Paths\nfrom core.store.history import History\n"
        "h = History(Paths(*[Path('/nonexistent')] * 4)); h.flush(); h.close()\nprint('sqlite3' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "False\n"
    )
