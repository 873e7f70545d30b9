#!/bin/sh
# Pin every package with its hashes, from pyproject.toml.
# requirements.txt: what certdeck runs with · requirements-build.txt: what installs it · requirements-dev.txt: all of it and the tests.
# The pinned versions stay while they satisfy pyproject.toml; `make lock UPGRADE=--upgrade` takes the newest.
set -eu
cd "$(dirname "$0")/../../.."
. tests/support/provision/apt.sh
. tests/support/provision/python.sh
tool=.lock-venv
[ -x $tool/bin/uv ] || { "$(need_python)" -m venv $tool && $tool/bin/pip install --quiet --disable-pip-version-check 'uv>=0.8'; }

compile() {
    $tool/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 ${UPGRADE:-} \
        --custom-compile-command 'make lock' --no-emit-index-url --no-emit-find-links "$@"
}
compile pyproject.toml --output-file requirements.txt
compile --constraint requirements.txt --group build --output-file requirements-build.txt
compile pyproject.toml --constraint requirements.txt --constraint requirements-build.txt --group dev \
    --output-file requirements-dev.txt
