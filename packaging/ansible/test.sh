#!/bin/sh
# The Ansible example against a fresh minimal Debian 12 over SSH: check mode, installed, issued, read back, and nothing to do the
# second time. Needs root, a Debian mirror, a package index and Pebble.
# usage: test.sh PYTHON SERVERS FOLDER  (DEB=FILE: this package; without it, one is built)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
. "$project/tests/support/provision/apt.sh"
. "$here/../root.sh"
python=$1
servers=$(cd "$2" && pwd)
mkdir -p "$3"
work=$(cd "$3" && pwd)
pebble=
sshd=
end() {
    for each in $pebble $sshd; do kill "$each" 2>/dev/null || true; done
    end_root
}
trap end EXIT
step() { say "== $1"; }
command -v ssh >/dev/null || apt_install openssh-client

step "ansible-core, in an environment of its own"
[ -x "$work/venv/bin/ansible-playbook" ] || "$python" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'ansible-core>=2.17,<3' 2>"$work/pip.log" ||
    { tail -n 5 "$work/pip.log" >&2; exit 1; }

step "a minimal Debian 12 with SSH on loopback"
package=${DEB:-}
[ -n "$package" ] || package=$("$python" "$here/../deb/build.py" "$python" "$work")
make_root "$work" bookworm python3,python3-apt,debconf,init-system-helpers,openssh-server
rm -f "$work/key" "$work/key.pub" "$work/known"
ssh-keygen -q -t ed25519 -N '' -f "$work/key"
install -d -m 700 "$root/root/.ssh"
cp "$work/key.pub" "$root/root/.ssh/authorized_keys"
mkdir -p "$root/run/sshd"
port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
chroot "$root" /usr/sbin/sshd -D -e -p "$port" -o ListenAddress=127.0.0.1 -o UsePAM=no 2>"$work/sshd.log" &
sshd=$!
printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 "$root/etc/ssh/ssh_host_ed25519_key.pub")" >"$work/known"

step "a CA"
rm -rf "$work/pebble"
mkdir "$work/pebble"
PATH="$servers/bin:$PATH" "$python" "$here/../deb/pebble.py" "$work/pebble" &
pebble=$!
for _ in $(seq 100); do [ -s "$work/pebble/ready" ] && break; sleep 0.1; done
. "$work/pebble/ready"
mkdir -p "$root/etc/ssl/lab"
cp "$work/pebble/ca.pem" "$root/etc/ssl/lab/pebble.pem"
"$python" - "$work/vars.json" "$package" "$directory" "$http_port" <<'PY'
import json, sys
place, package, directory, port = sys.argv[1:]
settings = f'''[issuers.pebble]
directory = "{directory}"
ca_bundle = "/etc/ssl/lab/pebble.pem"
agree_tos = true
[defaults]
issuer = "pebble"
[http01]
port = {port}
'''
shop = {"name": "shop", "domains": ["localhost"], "options": ["--no-rehearsal"]}
json.dump({"certdeck_package": package, "certdeck_settings": settings, "certdeck_certificates": [shop]}, open(place, "w"))
PY
cat >"$work/inventory.ini" <<INI
box ansible_host=127.0.0.1 ansible_port=$port ansible_user=root ansible_ssh_private_key_file=$work/key ansible_python_interpreter=/usr/bin/python3 ansible_ssh_use_tty=false
[all:vars]
ansible_ssh_common_args = -F /dev/null -o UserKnownHostsFile=$work/known -o StrictHostKeyChecking=yes -o ControlPath=none -o ControlMaster=no
INI

# play LOG OPTION…
play() {
    log=$1
    shift
    env -i HOME="$work" PATH="$PATH" LC_ALL=C.UTF-8 ANSIBLE_HOME="$work/ansible" ANSIBLE_NOCOLOR=1 ANSIBLE_LOCALHOST_WARNING=0 \
        "$work/venv/bin/ansible-playbook" -i "$work/inventory.ini" -e "@$work/vars.json" "$@" "$here/certdeck.yml" >"$work/$log" 2>&1 ||
        { cat "$work/$log" >&2; return 1; }
}
# expect LOG TEXT
expect() { grep -q -- "$2" "$work/$1" || { cat "$work/$1" >&2; fail "Ansible did not say: $2" "See above." "See $work/$1."; }; }

step "check mode on a box without certdeck changes nothing"
before=$(cd "$root" && find etc usr var/lib -newer "$work/vars.json" -type f ! -path '*/__pycache__/*' | sort)
play check-fresh.log --check --diff
expect check-fresh.log 'failed=0'
[ ! -e "$root/usr/bin/certdeck" ]
[ "$before" = "$(cd "$root" && find etc usr var/lib -newer "$work/vars.json" -type f ! -path '*/__pycache__/*' | sort)" ]

step "installed, configured, issued, read back"
play first.log
expect first.log 'shop: [0-9]* days left, '
in_root certdeck status shop --json >"$work/status.json"
grep -q '"ca": "pebble"' "$work/status.json"
serial=$(sha256sum <"$root/var/lib/certdeck/live/shop/cert.pem")

step "the second run has nothing to do"
play second.log
expect second.log 'changed=0 '
[ "$serial" = "$(sha256sum <"$root/var/lib/certdeck/live/shop/cert.pem")" ]

step "check mode lists what would be issued, and issues nothing"
"$python" - "$work/vars.json" <<'PY'
import json, sys
place = sys.argv[1]
variables = json.load(open(place))
variables["certdeck_certificates"].append({"name": "lan", "domains": ["box.lan"], "options": ["--issuer", "appliance-ca"]})
json.dump(variables, open(place, "w"))
PY
play check-more.log --check
expect check-more.log 'skipping: .*lan: box.lan\|changed: .*lan: box.lan'
[ ! -e "$root/var/lib/certdeck/live/lan" ]
play more.log
[ -e "$root/var/lib/certdeck/live/lan/cert.pem" ]

step "a mistake in the settings ends the play, in words"
sed 's/agree_tos/agre_tos/' "$work/vars.json" >"$work/wrong.json"
cp "$work/vars.json" "$work/right.json"
cp "$work/wrong.json" "$work/vars.json"
if play wrong.log 2>/dev/null; then fail "A wrong setting was accepted." "See $work/wrong.log." "Report it."; fi
expect wrong.log 'agree_tos'
cp "$work/right.json" "$work/vars.json"
play again.log
say "The Ansible example works, check mode included."
