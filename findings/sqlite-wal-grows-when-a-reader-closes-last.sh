#!/bin/sh
# SQLite 3.54.1 (apsw 3.54.1.0): a write-ahead log grows without limit when each process that writes is outlived by a connection that only
# reads, although every checkpoint reports that all of it is in the database.
#
# The last connection to close merges the log into the database and removes it, unless it may only read: then the log stays
# (https://www.sqlite.org/walformat.html, section 1.1). A writer usually starts again at the beginning of a log that is merged completely.
# Not the next process: it reads the frames of the whole log back as frames that are not merged yet, and appends. A checkpoint in each round
# merges them and says so, but the next round starts with the whole log again. One connection that stays open keeps the log small.
#
# Seen (40 rounds, each with connections of its own: a reader, a writer that adds 400,000 bytes, a checkpoint; the reader closes last):
#   no other connection: log of 16480032 bytes, last checkpoint (0, 4000, 4000)
#   one stays open: log of 416152 bytes, last checkpoint (0, 100, 100)
# Exit status: 0 while it is so, 1 when it has changed, 2 when the package could not be installed.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install --quiet --disable-pip-version-check apsw==3.54.1.0 || exit 2
cat >"$folder/ask.py" <<'PY'
import os
import sys

import apsw

WRITES = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE


def do(connection, statement):
    return list(connection.execute(statement))


def after_rounds(path, stays_open):
    first = apsw.Connection(path, WRITES)
    do(first, "PRAGMA journal_mode=WAL")
    do(first, "CREATE TABLE entry (content BLOB)")
    if not stays_open:
        first.close()
    for _ in range(40):
        reader = apsw.Connection(path, apsw.SQLITE_OPEN_READONLY)
        do(reader, "SELECT count(*) FROM entry")
        writer = apsw.Connection(path, WRITES)
        do(writer, "INSERT INTO entry VALUES (zeroblob(400000))")
        merged = do(writer, "PRAGMA wal_checkpoint")[0]
        writer.close()
        reader.close()
    size = os.path.getsize(f"{path}-wal")
    first.close()
    return size, merged


grown, merged = after_rounds(os.path.join(sys.argv[1], "grows.sqlite"), stays_open=False)
small, once = after_rounds(os.path.join(sys.argv[1], "small.sqlite"), stays_open=True)
print(f"no other connection: log of {grown} bytes, last checkpoint {merged}")
print(f"one stays open: log of {small} bytes, last checkpoint {once}")
raise SystemExit(0 if grown > 40 * 400_000 and merged[1] == merged[2] and small < 2 * 400_000 else 1)
PY
"$folder/venv/bin/python" "$folder/ask.py" "$folder"
