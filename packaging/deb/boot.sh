#!/bin/sh
# The package in a minimal Debian 12 (SUITE=trixie: 13) that boots with systemd: its units as they are confined, as root and as an
# account of its own. Both validate on port 80, deploy to files of another account or group, and reload nginx. Needs root, a Debian
# mirror and Pebble. BOOT=no leaves it out, where no container can be started.
# usage: boot.sh PYTHON SERVERS FOLDER  (DEB=FILE: this package; without it, that of test.sh in FOLDER)
set -eu
[ "${BOOT:-yes}" != no ] || exit 0
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tests/support/provision/apt.sh"
. "$here/../root.sh"
python=$1
servers=$(cd "$2" && pwd)
work=$(cd "$3" && pwd)
package=${DEB:-$(ls "$work"/one/*.deb)}
step() { say "== $1"; }
pebble=
# shellcheck disable=SC2329  # called by the trap
end() {
    [ -z "$pebble" ] || kill "$pebble" 2>/dev/null || true
    end_root
}
trap end EXIT

step "a minimal Debian (${SUITE:-bookworm}) that boots"
make_root "$work" "${SUITE:-bookworm}" python3,debconf,init-system-helpers,systemd-sysv,dbus,polkitd,nginx-light,openssl
printf '127.0.0.1 localhost box\n::1 localhost\n' >"$root/etc/hosts"
echo box >"$root/etc/hostname"
rm "$root/etc/nginx/sites-enabled/default" # it listens on port 80
cp "$package" "$root/certdeck.deb"
boot_root

step "a CA that asks port 80"
rm -rf "$work/pebble"
mkdir "$work/pebble"
HTTP_PORT=80 PATH="$servers/bin:$PATH" nsenter --target "$init" --net "$python" "$here/pebble.py" "$work/pebble" &
pebble=$!
for _ in $(seq 300); do [ -s "$work/pebble/ready" ] && break; sleep 0.1; done
. "$work/pebble/ready"
install -m 644 "$work/pebble/ca.pem" "$root/etc/ssl/pebble.pem"

step "installed: the timer runs"
quietly "$work/install.log" in_boot dpkg -i /certdeck.deb
in_boot systemctl is-active --quiet certdeck-renew.timer
in_boot certdeck status --json | grep -q '"state": "active"'

# settings FOLDER OWNER KIND RELOAD
settings() {
    printf '[issuers.pebble]\ndirectory = "%s"\nca_bundle = "/etc/ssl/pebble.pem"\nagree_tos = true\n[defaults]\nissuer = "pebble"\n' "$directory"
    printf '[targets.web]\nkind = "%s"\ncertificate = "%s/domain.crt"\nkey = "%s/domain.key"\n%s\ngroup = "www-data"\nfile_mode = "0640"\n' \
        "$3" "$1" "$1" "$2"
    printf 'reload = ["systemctl", "reload", "nginx"]\nprobe = "127.0.0.1:443"\nprobe_name = "localhost"\n'
}
serve_from() {
    printf 'server { listen 127.0.0.1:443 ssl; ssl_certificate %s/domain.crt; ssl_certificate_key %s/domain.key; }\n' "$1" "$1" \
        >"$root/etc/nginx/conf.d/tls.conf"
    in_boot systemctl restart nginx
}
served() { in_boot sh -c 'openssl s_client -connect 127.0.0.1:443 -servername localhost </dev/null 2>/dev/null | openssl x509 -noout -fingerprint'; }
# The unit renews although nothing is due; everything else is as it is installed.
mkdir -p "$root/etc/systemd/system/certdeck-renew.service.d"
printf '[Service]\nExecStart=\nExecStart=/usr/bin/certdeck --renew --force\n' >"$root/etc/systemd/system/certdeck-renew.service.d/force.conf"
in_boot systemctl daemon-reload
# renews: the unit replaces what nginx serves.
renews() {
    before=$(served)
    in_boot systemctl start certdeck-renew.service || { in_boot journalctl --no-pager -o cat -u certdeck-renew.service >&2; return 1; }
    [ -n "$before" ] && [ "$before" != "$(served)" ] || fail "nginx serves the old certificate." "The unit did not replace it." "See the log of the unit."
}

step "the unit, as root: files of another account"
mkdir -p "$root/etc/ssl/domains"
settings /etc/ssl/domains 'owner = "games"' nginx >>"$root/etc/certdeck/certdeck.toml"
quietly "$work/issue.log" in_boot certdeck issue -d localhost --name shop --target web --no-rehearsal
serve_from /etc/ssl/domains
renews
[ "$(in_boot stat -Lc '%U:%G %a' /etc/ssl/domains/domain.key)" = "games:www-data 640" ]
in_boot systemd-analyze security --no-pager --threshold=26 certdeck-renew.service | tail -n 1 >&2

step "the unit, as an account of its own (man certdeck-vendor)"
in_boot useradd --system --shell /usr/sbin/nologin --groups www-data certdeck
home=/var/lib/certdeck-account
for folder in "" /etc /state; do in_boot install -d -o certdeck -g certdeck -m 700 $home$folder; done
in_boot install -o certdeck -g certdeck -m 600 /var/lib/certdeck/schedule.json $home/state/
in_boot install -d -o certdeck -g www-data -m 2750 /etc/ssl/certdeck
share=/usr/share/certdeck/account
in_boot install -D -m 644 $share/account.conf /etc/systemd/system/certdeck-renew.service.d/account.conf
in_boot install -D -m 644 $share/account.rules /etc/polkit-1/rules.d/50-certdeck.rules
in_boot systemctl daemon-reload
settings /etc/ssl/certdeck "" files >"$root$home/etc/certdeck.toml"
in_boot chown certdeck:certdeck $home/etc/certdeck.toml
as_account() {
    in_boot systemd-run --quiet --wait --pipe --uid=certdeck -E CERTDECK_HOME=$home -p AmbientCapabilities=CAP_NET_BIND_SERVICE certdeck "$@"
}
in_boot systemctl stop nginx # it serves the other folder
quietly "$work/issue.log" as_account issue -d localhost --name shop --target web --no-rehearsal
serve_from /etc/ssl/certdeck
renews
[ "$(in_boot stat -Lc '%U:%G %a' /etc/ssl/certdeck/domain.key)" = "certdeck:www-data 640" ]
as_account status --json | grep -q '"state": "active"'
in_boot systemd-analyze security --no-pager --threshold=20 certdeck-renew.service | tail -n 1 >&2
! in_boot systemd-run --quiet --wait --pipe --uid=certdeck systemctl stop nginx 2>/dev/null ||
    fail "The account may stop a service." "The polkit rule allows more than to reload." "See account.rules."
say "The units for ${SUITE:-bookworm} are good."
