#!/bin/sh
# Run the interoperability tests in a network of their own: ACME servers look at port 80 and ask a name server on port 53.
# usage: run.sh BIN  (the folder with the tests' Python)
set -eu
cd "$(dirname "$0")/../.."
if [ "${CERTDECK_INTEROP:-}" = inside ]; then
    ip link set lo up
    printf 'nameserver 127.0.0.1\n' >.interop/resolv.conf
    mount --bind .interop/resolv.conf "$(readlink -f /etc/resolv.conf)"
    exec "$1/python" -m pytest -n 0 -m interop tests/interop
fi
sh tests/interop/provision.sh .interop
as=$([ "$(id -u)" = 0 ] || echo --map-root-user)
CERTDECK_INTEROP=inside exec unshare --net --mount $as sh tests/interop/run.sh "$1"
