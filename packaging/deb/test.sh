#!/bin/sh
# The package in a fresh minimal Debian 12: installed, used, upgraded, removed, purged. Needs root, a Debian mirror and Pebble.
# usage: test.sh PYTHON SERVERS FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tests/support/provision/apt.sh"
python=$1
servers=$(cd "$2" && pwd)
mkdir -p "$3"
work=$(cd "$3" && pwd)
root=$work/root

[ "$(id -u)" = 0 ] || fail "The package cannot be tested." "It is installed into a folder as a root of its own." "Run this as root."
command -v mmdebstrap >/dev/null || apt_install mmdebstrap
step() { say "== $1"; }
in_root() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/root "$@"; }
pebble=
# shellcheck disable=SC2329  # called by the trap
end() {
    [ -z "$pebble" ] || kill "$pebble" 2>/dev/null || true
    for place in proc dev; do mountpoint -q "$root/$place" && umount --recursive "$root/$place"; done
    rm -rf --one-file-system "$root"
}
trap end EXIT

step "built twice, the same bytes"
package=$("$python" "$here/build.py" "$python" "$work/one")
again=$("$python" "$here/build.py" "$python" "$work/two")
cmp "$package" "$again"
next=$(DEB_VERSION=9.9.9 "$python" "$here/build.py" "$python" "$work/next")

step "a minimal Debian 12"
[ -e "$work/base.tar" ] || mmdebstrap --quiet --variant=minbase --include=python3,debconf,init-system-helpers bookworm "$work/base.tar"
mkdir -p "$root"
tar -C "$root" -xf "$work/base.tar"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"

cp /etc/hosts "$root/etc/hosts"
step "installed: there is a certificate"
cp "$package" "$next" "$root/"
in_root dpkg -i "/$(basename "$package")" >"$work/install.log" 2>&1 || { cat "$work/install.log" >&2; exit 1; }
test -s "$root/var/lib/certdeck/live/default/fullchain.pem"
in_root certdeck status --json | grep -q '"self_signed": true'
in_root certdeck self-check >/dev/null
[ -L "$root/etc/systemd/system/timers.target.wants/certdeck-renew.timer" ]
in_root certdeck status --json | grep -q '"state": "active"'
first=$(sha256sum <"$root/var/lib/certdeck/live/default/cert.pem")
[ -z "$(find "$root/usr/lib/certdeck" -newer "$root/var/lib/certdeck/live/default/cert.pem" -print -quit)" ]

step "a certificate of a CA"
mkdir -p "$work/pebble"
PATH="$servers/bin:$PATH" "$python" "$here/pebble.py" "$work/pebble" &
pebble=$!
for _ in $(seq 100); do [ -s "$work/pebble/ready" ] && break; sleep 0.1; done
. "$work/pebble/ready"
cp "$work/pebble/ca.pem" "$root/etc/certdeck/pebble.pem"
printf '[issuers.pebble]\ndirectory = "%s"\nca_bundle = "/etc/certdeck/pebble.pem"\nagree_tos = true\n[http01]\nport = %s\n' \
    "$directory" "$http_port" >>"$root/etc/certdeck/certdeck.toml"
in_root certdeck issue -d localhost --name shop --issuer pebble --json >"$work/issue.json" || { cat "$work/issue.json" >&2; exit 1; }
grep -q '"state": "issued"' "$work/issue.json"
in_root certdeck --renew --json >/dev/null

step "the next version keeps everything"
in_root dpkg -i "/$(basename "$next")" >"$work/upgrade.log" 2>&1 || { cat "$work/upgrade.log" >&2; exit 1; }
[ "$first" = "$(sha256sum <"$root/var/lib/certdeck/live/default/cert.pem")" ]
in_root certdeck status shop --json >/dev/null
grep -q '^\[issuers.pebble\]' "$root/etc/certdeck/certdeck.toml"

step "removed and installed again: the timer runs as before"
in_root dpkg --remove certdeck >"$work/remove.log" 2>&1 || { cat "$work/remove.log" >&2; exit 1; }
in_root dpkg -i "/$(basename "$next")" >"$work/again.log" 2>&1 || { cat "$work/again.log" >&2; exit 1; }
[ -L "$root/etc/systemd/system/timers.target.wants/certdeck-renew.timer" ]
in_root certdeck status --json | grep -q '"state": "active"'

step "removed and purged: keys and settings stay unless somebody says otherwise"
in_root dpkg --purge certdeck >"$work/purge.log" 2>&1 || { cat "$work/purge.log" >&2; exit 1; }
test -s "$root/var/lib/certdeck/live/shop/privkey.pem"
grep -q '^\[issuers.pebble\]' "$root/etc/certdeck/certdeck.toml"
test ! -e "$root/usr/lib/certdeck"
in_root dpkg -i "/$(basename "$package")" >"$work/install.log" 2>&1 || { cat "$work/install.log" >&2; exit 1; }
in_root certdeck status --json | grep -q '"state": "active"'
[ "$first" = "$(sha256sum <"$root/var/lib/certdeck/live/default/cert.pem")" ]
echo "certdeck certdeck/remove-keys boolean true" | in_root debconf-set-selections
in_root dpkg --purge certdeck >"$work/purge.log" 2>&1 || { cat "$work/purge.log" >&2; exit 1; }
left=$(find "$root/etc" "$root/var/lib" "$root/usr" -name '*certdeck*' ! -path '*/dpkg/*')
[ -z "$left" ] || fail "The purged package left something." "$left" "See postrm."
say "The package is sound."
