"""Who did what and when, and with what result: every event of every operation, in SQLite, chained so that tampering shows.

Each entry's hash is SHA-256 over the hash before it and its own canonical text; the head of the chain also stands in a small
file beside the database, so that cutting off the end shows too. This is evidence against a mistake, not against
an attacker who is root here and can rebuild the whole chain.

Entries are gathered and written in one transaction now and then and at the end: an operation's events are on disk when it ends.
Each write costs one flush, that of SQLite's write-ahead log. It stays beside the database until it is long, and is merged then.
A history that cannot be read or written never stops an operation: that is logged, and it continues. Nothing is opened, and
`sqlite3` is not imported, before something is recorded or read.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from core.errors import StoreCorrupt, StoreError
from core.events import LogChainStarted, LogEndDoubtful, LogPruned, Progressed, Report
from core.operations import LogEntry
from core.paths import Paths
from core.regular import read_stored
from core.store.atomic import flush, make_dir, storing
from core.store.chain import START, Link, Verified, chained, doubt_about_end, follow
from core.store.history_rows import COLUMNS, Row, entry_of, row_beside, row_of, storable
from core.store.log_limits import too_old
from core.store.records import check_format, dumped, parsed, write_record

if TYPE_CHECKING:
    import sqlite3

    from core.config.model import Log

logging.getLogger("core").addHandler(logging.NullHandler())
"""A program that wants no log gets none: Python itself would write warnings to stderr, beside our own words."""
_GATHERED = 64
_HELD_BACK = timedelta(seconds=1)
"""How many entries, and for how long, are held back before they are written: others want to see a long operation at work."""
_LONG_BYTES = 500_000
"""Of a write-ahead log, which each process reads when it opens the database. Some forty renewals fill it."""
_MOST_ASKED = 1_000_000
"""Entries at once: years of a busy box."""
_TABLE = """CREATE TABLE IF NOT EXISTS history (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, run TEXT NOT NULL, lineage TEXT, kind TEXT NOT NULL,
    facts TEXT NOT NULL, who TEXT NOT NULL, hash TEXT NOT NULL)"""
_INDEX = "CREATE INDEX IF NOT EXISTS history_lineage ON history (lineage, number)"
FORMAT = 1
"""Of the tables; kept as the database's `user_version`."""


class History:
    """The history of one box. Thread-safe; close it, or what was gathered last is lost."""

    def __init__(self, paths: Paths) -> None:
        self._path = paths.history
        self._beside = self._path.with_name(f"{self._path.name}-wal")
        self._head_path = head_file(paths)
        self._lock = threading.Lock()
        self._gathered: list[Row] = []
        self._since = datetime.min.replace(tzinfo=UTC)
        self.problem = ""
        """What could not be written, and why, in sentences; empty while all is well."""
        self.fix = "Run `certdeck log --verify`. Events since then are only in the debug log."

    def record(self, report: Report, who: str) -> None:
        """Take down one event. Never raises. Progress in numbers is not worth keeping and is left out."""
        if isinstance(report.event, Progressed):
            return
        try:
            row = row_of(report, who)
        except (TypeError, ValueError):
            logging.getLogger(__name__).exception("an event cannot be stored")
            return
        with self._lock:
            if not self._gathered:
                self._since = report.at
            self._gathered.append(row)
            if len(self._gathered) >= _GATHERED or report.at - self._since >= _HELD_BACK:
                self._write()

    def flush(self) -> None:
        """Put what was gathered onto the disk. Never raises."""
        with self._lock:
            self._write()

    def close(self) -> None:
        """Write what is left. Never raises; recording afterwards starts anew."""
        self.flush()

    def entries(
        self, *, lineage: str | None = None, limit: int = 200, before: int | None = None
    ) -> tuple[LogEntry, ...]:
        """Return entries, newest first. Raises StoreCorrupt (`store-corrupt`) when the history cannot be read."""
        import sqlite3

        self.flush()
        if not self._is_there():
            return ()
        where, values = ["1"], list[object]()
        if lineage is not None:
            where.append("lineage = ?")
            values.append(storable(lineage))
        if before is not None:
            where.append("number < ?")
            values.append(before)
        asked = f"SELECT {COLUMNS} FROM history WHERE {' AND '.join(where)} ORDER BY number DESC LIMIT ?"  # noqa: S608 - only our own words
        try:
            with self._read_only() as database:
                return tuple(
                    entry_of(row) for row in database.execute(asked, (*values, min(max(0, limit), _MOST_ASKED)))
                )
        except (sqlite3.Error, ValueError, TypeError) as exc:
            raise self._unreadable(exc) from exc

    def verify(self) -> tuple[int, str | None]:
        """Follow the chain: how many entries stand, and the sentence that says where it was altered or is in doubt, or None.

        Raises StoreCorrupt (`store-corrupt`) when the history cannot be read at all.
        """
        import sqlite3

        self.flush()
        head = self._head()
        seen = Verified(0, START, None)
        if self._is_there():
            try:
                with self._read_only() as database:
                    rows = database.execute(f"SELECT {COLUMNS} FROM history ORDER BY number")  # noqa: S608
                    seen = follow(rows, _anchor(database), head)
            except (sqlite3.Error, ValueError, TypeError) as exc:
                raise self._unreadable(exc) from exc
        if seen.problem is not None:
            return seen.standing, seen.problem
        doubt = doubt_about_end(seen.last, head, self._head_path)
        if doubt is not None and head != self._head():
            return self.verify()  # somebody has added entries meanwhile
        return seen.standing, doubt

    def prune(self, settings: Log, now: datetime, who: str) -> None:
        """Remove entries that are too old or too many, and add the entry that the chain goes on from. Never raises.

        Two small questions to the database where nothing is to be removed. A day's entries go at once, so that it is rare.
        """
        import sqlite3

        with self._lock:
            try:
                if self.problem or not self._is_there():
                    return
                with self._writable() as database:
                    through = too_old(database, settings, now)
                    if through is not None:
                        self._set_head(self._cut(database, through, now, who))
            except (sqlite3.Error, StoreError, OSError, ValueError) as exc:
                logging.getLogger(__name__).warning("old entries of the history cannot be removed: %s", exc)

    def _cut(self, database: sqlite3.Connection, through: Link, now: datetime, who: str) -> Link:
        database.execute("BEGIN IMMEDIATE")
        gone = database.execute("SELECT count(*) FROM history WHERE number <= ?", (through.number,)).fetchone()[0]
        said = LogPruned(through=through.number, hash=through.hash, entries=gone)
        head = self._add(database, [row_of(Report(at=now, run="", lineage=None, event=said), who)])
        database.execute("DELETE FROM history WHERE number <= ?", (through.number,))
        database.execute("COMMIT")
        return head

    def new_chain(self, place: Callable[[Path], Path], now: datetime, who: str) -> tuple[int, Path | None]:
        """Begin the log anew. What is there is moved away, and the first entry says what that was.

        Args:
            place: moves a file away and returns where it lies then.

        Returns the number of the last entry of the old chain, and where its database is now; None where there was none.
        Raises StoreError: the rest of the old one can be moved by calling it again.
        """
        self.flush()
        head = self._head() or START
        moved = None
        for path in (self._path.with_name(f"{self._path.name}-shm"), self._beside):
            with suppress(StoreError), storing(path, "merged"):
                self._merge()
            if path.exists():
                place(path)
        if self._path.exists():
            moved = place(self._path)
        if self._head_path.exists():
            place(self._head_path)
        said = LogChainStarted(
            previous_entries=head.number, previous_hash=head.hash, set_aside="" if moved is None else str(moved)
        )
        self.record(Report(at=now, run="", lineage=None, event=said), who)
        self.flush()
        return head.number, moved

    def _merge(self) -> None:
        """Put what stands beside the database into it, so that moving it loses nothing."""
        import sqlite3

        with suppress(sqlite3.Error), closing(self._connection("mode=rw")) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _write(self) -> None:
        """Write what was gathered; the lock is held."""
        rows, self._gathered = self._gathered, []
        if not rows or self.problem:
            return
        import sqlite3

        try:
            make_dir(self._path.parent)
            with self._writable() as database:
                head = self._append(database, rows)
            self._set_head(head)
        except (sqlite3.Error, StoreError, OSError, ValueError) as exc:
            self.problem = f"The log {self._path} could not be written. {_why(exc)}"
            logging.getLogger(__name__).warning("the history cannot be written: %s", exc)

    def _append(self, database: sqlite3.Connection, rows: list[Row]) -> Link:
        database.execute("BEGIN IMMEDIATE")
        head = self._add(database, rows)
        database.execute("COMMIT")
        return head

    def _add(self, database: sqlite3.Connection, rows: list[Row]) -> Link:
        found = database.execute("SELECT number, hash FROM history ORDER BY number DESC LIMIT 1").fetchone()
        last, known = Link(*found) if found else START, self._head()
        doubt = doubt_about_end(last, known, self._head_path)
        # After a cut the chain goes on behind the lost entries: to number them again would hide the cut.
        link = known if known is not None and known.number > last.number else last
        if doubt is not None and link == last:
            # The next lines make an end that fits again; this one stays and says that it did not.
            rows = [row_beside(rows[0], LogEndDoubtful(why=doubt)), *rows]
        for row in rows:
            link = Link(link.number + 1, chained(link.hash, link.number + 1, row))
            values = (link.number, *row, link.hash)
            database.execute(f"INSERT INTO history ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)  # noqa: S608
        return link

    def _set_head(self, head: Link) -> None:
        """Record the end of the chain, once its entries outlast a power cut: else they would seem to have been removed."""
        with suppress(FileNotFoundError):  # where there is none, SQLite has flushed the database
            flush(self._beside)
        write_record(self._head_path, dumped({"number": head.number, "hash": head.hash}), durable=False)

    @contextmanager
    def _writable(self) -> Iterator[sqlite3.Connection]:
        """Open the database to write.

        The last connection to close merges the write-ahead log, with four flushes, but for one that only reads
        (https://www.sqlite.org/walformat.html, section 1.1). That one has to have read something, or it is not counted.
        """
        import os
        import sqlite3

        # SQLite would make the file with the umask's mode.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with closing(self._connection("mode=ro")) as reader, closing(self._connection("mode=rw")) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            if self._check_format(database) != FORMAT:  # setting it again would be written, and flushed, each time
                database.execute(_TABLE)
                database.execute(_INDEX)
                database.execute(f"PRAGMA user_version = {FORMAT}")
            if self._unmerged() < _LONG_BYTES:
                with suppress(sqlite3.Error):
                    reader.execute("SELECT 1 FROM history LIMIT 1").fetchall()
            yield database

    def _check_format(self, database: sqlite3.Connection) -> int:
        """Return the number of its format; older releases gave it none, which is 0. Raises StoreTooNew for a later one."""
        number = int(database.execute("PRAGMA user_version").fetchone()[0])
        check_format(number, self._path, FORMAT)
        return number

    def _is_there(self) -> bool:
        with storing(self._path, "read"):
            return self._path.exists()

    @contextmanager
    def _read_only(self) -> Iterator[sqlite3.Connection]:
        import sqlite3

        # The file that readers share cannot be made on a full disk or a read-only one. Without it, entries beside the database are
        # found where one is left from before; where there are no such entries, the database is all.
        ways = ["mode=ro", "mode=ro&readonly_shm=1", "mode=ro&immutable=1"]
        if self._unmerged():
            ways.pop()
        for how in ways:
            with closing(self._connection(how)) as database:
                try:
                    database.execute("SELECT 1 FROM history LIMIT 1")
                except sqlite3.Error as exc:
                    if not _is_for_want_of_a_file(exc) or how == ways[-1]:
                        raise
                else:
                    self._check_format(database)
                    yield database
                    return

    def _connection(self, how: str) -> sqlite3.Connection:
        import sqlite3

        if self._path.exists() and not self._path.is_file():  # to open a pipe would block forever
            raise sqlite3.DatabaseError("it is not a regular file")
        return sqlite3.connect(f"{self._path.absolute().as_uri()}?{how}", uri=True, timeout=5.0, isolation_level=None)

    def _unmerged(self) -> int:
        """Return how many bytes of entries stand beside the database that are not in it yet."""
        with suppress(OSError):
            return self._beside.stat().st_size
        return 0

    def _head(self) -> Link | None:
        """Return the recorded end; None where it is missing or cannot be read. Raises StoreTooNew (`store-too-new`)."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            raw = cast("dict[str, Any]", parsed(read_stored(self._head_path), self._head_path))
            return Link(int(raw["number"]), str(raw["hash"]))
        return None

    def _unreadable(self, exc: Exception) -> StoreError:
        if _is_for_want_of_a_file(exc):
            return StoreError(
                f"The history {self._path} cannot be read at the moment.",
                f"SQLite cannot create a file that it needs next to it: {exc}.",
                "Free some space or correct the folder's permissions, then try again. Nothing is lost.",
            )
        return StoreCorrupt(
            f"The history {self._path} cannot be read.",
            "It is damaged, or this user does not have permission to read it.",
            "Move the file away: certdeck starts a new one, and nothing else depends on it.",
        )


def _why(exc: Exception) -> str:
    return exc.why if isinstance(exc, StoreError) else f"SQLite says: {exc}."


def _is_for_want_of_a_file(exc: Exception) -> bool:
    """Tell whether SQLite could not make or write what it needs: that says nothing about the database itself."""
    name = getattr(exc, "sqlite_errorname", "")
    return name.startswith(("SQLITE_IOERR", "SQLITE_FULL", "SQLITE_CANTOPEN", "SQLITE_READONLY"))


def head_file(paths: Paths) -> Path:
    """Return where the number and hash of the last entry stand."""
    return paths.history.with_name("history.head")


def _anchor(database: sqlite3.Connection) -> Link | None:
    """Return where the newest removal of old entries says that the chain goes on."""
    asked = "SELECT facts FROM history WHERE kind = 'log-pruned' ORDER BY number DESC LIMIT 1"
    found = database.execute(asked).fetchone()
    with suppress(ValueError, KeyError, TypeError):
        if found is not None:
            facts = json.loads(found[0])
            return Link(int(facts["through"]), str(facts["hash"]))
    return None
