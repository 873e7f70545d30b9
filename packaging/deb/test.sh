#!/bin/sh
# The package in a fresh minimal Debian 12 (SUITE=trixie: 13): installed, used, upgraded, removed, purged. Needs root, a Debian mirror
# and Pebble.
# usage: test.sh PYTHON SERVERS FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tests/support/provision/apt.sh"
. "$here/../root.sh"
python=$1
servers=$(cd "$2" && pwd)
mkdir -p "$3"
work=$(cd "$3" && pwd)
root=$work/root

suite=${SUITE:-bookworm}
step() { say "== $1"; }
pebble=
# shellcheck disable=SC2329  # called by the trap
end() {
    [ -z "$pebble" ] || kill "$pebble" 2>/dev/null || true
    end_root
}
trap end EXIT

step "a minimal Debian ($suite)"
make_root "$work" "$suite" python3,debconf,init-system-helpers

step "built twice, the same bytes"
DEB_ROOT=$root
export DEB_ROOT
rm -rf "$work/one" "$work/two" "$work/next"
"$python" "$here/build.py" "$python" "$work/two" >/dev/null &
DEB_VERSION=9.9.9 "$python" "$here/build.py" "$python" "$work/next" >/dev/null &
package=$("$python" "$here/build.py" "$python" "$work/one")
wait
cmp "$package" "$work/two/${package##*/}"
next=$(ls "$work"/next/*.deb)

step "installed: there is a certificate"
cp "$package" "$next" "$root/"
quietly "$work/install.log" in_root dpkg -i "/$(basename "$package")"
test -s "$root/var/lib/certdeck/live/default/fullchain.pem"
in_root certdeck status --json | grep -q '"self_signed": true'
in_root certdeck self-check >/dev/null
[ -L "$root/etc/systemd/system/timers.target.wants/certdeck-renew.timer" ]
in_root certdeck status --json | grep -q '"state": "active"'
first=$(sha256sum <"$root/var/lib/certdeck/live/default/cert.pem")
[ -z "$(find "$root/usr/lib/certdeck" -newer "$root/var/lib/certdeck/live/default/cert.pem" -print -quit)" ]

step "units and lintian, where this machine has the programs"
if command -v systemd-analyze >/dev/null; then
    rm -rf "$work/units"
    mkdir "$work/units"
    cp -r "$root"/usr/lib/systemd/system/certdeck-* "$work/units/"
    in_root python3 -IS -c 'import sys; sys.path.insert(0, "/usr/lib/certdeck"); from pathlib import Path
from core.schedule.units import fleet_unit; print(fleet_unit("/usr/bin/certdeck", None, Path("/var/lib/certdeck")))' \
        >"$work/units/certdeck-fleet.service"
    sed -i 's,^ExecStart=.*,ExecStart=/bin/true,' "$work"/units/*.service
    SYSTEMD_UNIT_PATH="$work/units:" systemd-analyze verify --man=no "$work"/units/*.service "$work"/units/*.timer
    for unit in certdeck-renew certdeck-first-boot certdeck-fleet; do
        SYSTEMD_UNIT_PATH="$work/units:" systemd-analyze security --no-pager --offline=true --threshold=26 "$work/units/$unit.service" |
            tail -n 1 >&2
    done
fi
! command -v lintian >/dev/null || lintian --fail-on error,warning "$package" 2>"$work/lintian.log" >&2

step "a certificate of a CA"
rm -rf "$work/pebble"
mkdir "$work/pebble"
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
quietly "$work/upgrade.log" in_root dpkg -i "/$(basename "$next")"
[ "$first" = "$(sha256sum <"$root/var/lib/certdeck/live/default/cert.pem")" ]
in_root certdeck status shop --json >/dev/null
grep -q '^\[issuers.pebble\]' "$root/etc/certdeck/certdeck.toml"

step "removed and installed again: the timer runs as before"
quietly "$work/remove.log" in_root dpkg --remove certdeck
quietly "$work/again.log" in_root dpkg -i "/$(basename "$next")"
[ -L "$root/etc/systemd/system/timers.target.wants/certdeck-renew.timer" ]
in_root certdeck status --json | grep -q '"state": "active"'

step "removed and purged: keys and settings stay unless somebody says otherwise"
quietly "$work/purge.log" in_root dpkg --purge certdeck
test -s "$root/var/lib/certdeck/live/shop/privkey.pem"
grep -q '^\[issuers.pebble\]' "$root/etc/certdeck/certdeck.toml"
test ! -e "$root/usr/lib/certdeck"
quietly "$work/install.log" in_root dpkg -i "/$(basename "$package")"
in_root certdeck status --json | grep -q '"state": "active"'
[ "$first" = "$(sha256sum <"$root/var/lib/certdeck/live/default/cert.pem")" ]
echo "certdeck certdeck/remove-keys boolean true" | in_root debconf-set-selections
quietly "$work/purge.log" in_root dpkg --purge certdeck
left=$(find "$root/etc" "$root/var/lib" "$root/usr" -name '*certdeck*' ! -path '*/dpkg/*')
[ -z "$left" ] || fail "The purged package left something." "$left" "See postrm."
say "The package for $suite is good."
