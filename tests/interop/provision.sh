#!/bin/sh
# Get what `make interop` runs: Caddy from Debian; acme2certifier, serles and certbot from the package index.
# usage: provision.sh FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/provision/apt.sh"
. "$here/../support/provision/private_apt.sh"

mkdir -p "$1/bin"
folder=$(cd "$1" && pwd)

if ! cmp -s "$here/requirements.txt" "$folder/venv/requirements.txt"; then
    say "Installing acme2certifier and serles into $folder/venv"
    rm -rf "$folder/venv"
    "${PYTHON:-python3}" -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$folder/venv/requirements.txt"
fi

if ! cmp -s "$here/requirements-certbot.txt" "$folder/certbot/requirements.txt"; then
    say "Installing certbot into $folder/certbot"
    rm -rf "$folder/certbot"
    "${PYTHON:-python3}" -m venv "$folder/certbot"
    "$folder/certbot/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-certbot.txt"
    cp "$here/requirements-certbot.txt" "$folder/certbot/requirements.txt"
fi

# Debian 12 has Caddy 2.6; a newer one runs here, too, and is only unpacked.
[ -x "$folder/bin/caddy" ] && exit 0
say "Fetching caddy from Debian sid into $folder"
private_apt "$folder/apt"
unpack_from sid caddy "$folder/apt" || fail "Caddy could not be fetched." \
    "Debian sid could not be read from ${mirror:-anywhere}." \
    "Check the network of this machine, or put caddy 2.11 into $folder/bin."
mv "$folder/apt/root/usr/bin/caddy" "$folder/bin/caddy"
rm -rf "$folder/apt"
