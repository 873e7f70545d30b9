#!/bin/sh
# Fuzz the upload checks in an environment of their own: fuzz.sh SECONDS
# What it finds is kept in .fuzz/found, one file each; the inputs that led further are in .fuzz/corpus and feed the next run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root"
venv=.fuzz-venv

sh tests/support/provision/environment.sh "$venv" runtime
"$venv/bin/python" -m pip --quiet --disable-pip-version-check --no-input install --require-hashes -r tests/fuzz/requirements.txt
mkdir -p .fuzz/corpus .fuzz/found
"$venv/bin/python" -m tests.fuzz.seeds .fuzz/corpus
nice -n 19 "$venv/bin/python" -m tests.fuzz.uploads .fuzz/corpus \
    -max_total_time="$1" -timeout=60 -rss_limit_mb=1024 -max_len=65536 -artifact_prefix=.fuzz/found/ -print_final_stats=1
found=$(find .fuzz/found -type f ! -name '*.txt' | wc -l)
echo "$found finds in .fuzz/found; each has its traceback beside it."
[ "$found" -eq 0 ]
