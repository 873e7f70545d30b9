#!/bin/sh
# Wheel, sdist and `pipx install .` in a fresh minimal Debian 12 without compilers and without a network. Needs root, a Debian mirror
# and a package index.
# usage: test.sh PYTHON FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
. "$project/tests/support/provision/apt.sh"
. "$here/../root.sh"
python=$1
mkdir -p "$2"
work=$(cd "$2" && pwd)
trap end_root EXIT
step() { say "== $1"; }

step "wheel and sdist, built twice with the same bytes"
for each in one two; do
    rm -rf "${work:?}/$each"
    (cd "$project" && "$python" -m hatchling build -t wheel -t sdist -d "$work/$each") >"$work/build.log" 2>&1 ||
        { tail -n 20 "$work/build.log" >&2; exit 1; }
done
for file in "$work"/one/*; do cmp "$file" "$work/two/${file##*/}"; done

step "what they need, from the locks, as wheels for Python 3.11"
get() {
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.11 --implementation cp \
        --dest "$work/wheels" "$@"
}
locks=$(cat "$project/requirements.txt" "$project/requirements-build.txt" | sha256sum)
if [ "$(cat "$work/wheels/complete" 2>/dev/null)" != "$locks" ]; then
    rm -rf "$work/wheels"
    get --require-hashes -r "$project/requirements.txt"
    get --require-hashes -r "$project/requirements-build.txt"
    get pip setuptools wheel # what pipx makes its environments with
    printf '%s\n' "$locks" >"$work/wheels/complete"
fi

step "a minimal Debian 12 without a compiler"
make_root "$work" bookworm python3,python3-venv,pipx,ca-certificates
for compiler in cc gcc clang rustc cargo; do
    ! in_root sh -c "command -v $compiler" >/dev/null || fail "There is a compiler: $compiler." "This test is about a machine without one." "Report it."
done
cp -r "$work/wheels" "$work/one" "$root/"
# The checkout as somebody gets it: what is not under version control stays behind.
mkdir "$root/checkout"
git -c safe.directory="$project" -C "$project" ls-files -z | tar -C "$project" --null -T - -cf - | tar -C "$root/checkout" -xf -
offline() { in_root PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels PIP_DISABLE_PIP_VERSION_CHECK=1 unshare --net "$@"; }

# works COMMAND: it makes certificates, renews them, and can read what it wrote.
works() {
    home=/srv/$(basename "$(dirname "$(dirname "$1")")")
    for words in "first-boot --hostname box.lan" "issue -d box.lan --name lan --issuer appliance-ca" "--renew --force" self-check; do
        # shellcheck disable=SC2086  # words
        quietly "$work/works.log" in_root CERTDECK_HOME="$home" "$1" $words
    done
    in_root CERTDECK_HOME="$home" "$1" --version
}

for kind in whl tar.gz; do
    step "installed from the ${kind}"
    in_root python3 -m venv "/opt/$kind"
    offline sh -c "/opt/$kind/bin/python -m pip install --quiet /one/*.$kind"
    works "/opt/$kind/bin/certdeck"
done

step "pipx install . in the checkout"
quietly "$work/pipx.log" in_root PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels PIPX_HOME=/opt/pipx PIPX_BIN_DIR=/usr/local/bin sh -c \
    'cd /checkout && unshare --net pipx install .'
works /usr/local/bin/certdeck
quietly "$work/pipx.log" in_root PIPX_HOME=/opt/pipx PIPX_BIN_DIR=/usr/local/bin pipx uninstall certdeck
[ ! -e "$root/usr/local/bin/certdeck" ]
say "Wheel, sdist and pipx install work without compilers."
