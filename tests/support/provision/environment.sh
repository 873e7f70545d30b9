#!/bin/sh
# Make the project's own Python environment from the locks, and the command `certdeck` in it.
# usage: environment.sh VENV runtime|dev
# Does nothing when locks, pyproject.toml and place are those of the last time. Never touches the system's Python.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
. "$here/apt.sh"
. "$here/python.sh"

venv=$1
kind=$2
cd "$root"

case $kind in
runtime) locks="requirements.txt requirements-build.txt" ;;
dev) locks="requirements-dev.txt" ;;
*) fail "Unknown kind of environment: $kind." "There are two: runtime and dev." "Use one of them." ;;
esac

stamp() { { pwd; cat pyproject.toml requirements.txt requirements-build.txt requirements-dev.txt; } | sha256sum; }
wanted=$(stamp)
[ "$(cat "$venv/.certdeck-$kind" 2>/dev/null)" = "$wanted" ] && [ -x "$venv/bin/certdeck" ] \
    && "$venv/bin/python" -c '' 2>/dev/null && exit 0

if ! "$venv/bin/python" -c 'import pip' 2>/dev/null || ! new_enough "$venv/bin/python"; then
    rm -rf "$venv"
    python=$(need_python)
    say "Making $venv with $("$python" --version)"
    "$python" -m venv "$venv" || fail "The environment $venv could not be made." "Python's venv module failed, see above." \
        "Remove $venv, check that the disk has space, and run the same command again."
fi

say "Installing the packages of $locks"
set --
for lock in $locks; do set -- "$@" -r "$lock"; done
pip() { "$venv/bin/python" -m pip --quiet --quiet --disable-pip-version-check --no-input "$@"; }
pip install --require-hashes "$@" || fail "The Python packages could not be installed." \
    "pip could not fetch them, or one of them is not the one that the lock names; see above." \
    "Check the network and pip's configuration ('pip config list'), then run the same command again."
# The build tools are in the lock too, so nothing is fetched here.
pip install --no-deps --no-build-isolation --editable . || fail "certdeck could not be installed into $venv." \
    "Building it failed, see above." "Remove $venv and run the same command again."

printf '%s\n' "$wanted" >"$venv/.certdeck-$kind"
[ "$kind" = runtime ] || printf '%s\n' "$wanted" >"$venv/.certdeck-runtime"
