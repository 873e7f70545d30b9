#!/bin/sh
# Get the programs that the tests drive: nginx, tmux, name servers, mail servers, databases … from apt, and Pebble 2.7 or newer,
# unpacked into .servers/.
# usage: servers.sh FOLDER
# Debian 12 carries an older Pebble (no ARI, no profiles). That of a newer suite is one plain package that runs here: it is
# fetched with a private apt state and only unpacked. The system's apt lists, sources and packages stay as they are.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt.sh"
. "$here/private_apt.sh"

folder=$1
needed=2.7
PATH=$PATH:/usr/sbin:/sbin

missing=
for pair in nginx:nginx haproxy:haproxy tmux:tmux openssl:openssl curl:curl faketime:faketime apparmor_parser:apparmor fish:fish zsh:zsh time:time; do
    [ -n "$(command -v "${pair%:*}")" ] && [ "${pair%:*}" != time ] && continue
    [ "${pair%:*}" = time ] && [ -x /usr/bin/time ] && continue
    missing="$missing ${pair#*:}"
done
units=
# program:package:unit. After the name servers come the services that certificates are deployed to.
for trio in named:bind9:named knotd:knot:knot kdig:knot-dnsutils: pdns_server:pdns-server:pdns etcd:etcd-server:etcd etcdctl:etcd-client: \
    apache2:apache2:apache2 lighttpd:lighttpd:lighttpd caddy:caddy:caddy hitch:hitch:hitch stunnel:stunnel4:stunnel4 \
    postfix:postfix:postfix dovecot:dovecot-imapd:dovecot psql:postgresql:postgresql pgbouncer:pgbouncer:pgbouncer \
    mariadbd:mariadb-server:mariadb redis-server:redis-server:redis-server memcached:memcached:memcached \
    slapd:slapd:slapd ldapmodify:ldap-utils: mosquitto:mosquitto:mosquitto ngircd:ngircd:ngircd prosody:prosody:prosody \
    turnserver:coturn:coturn unbound:unbound:unbound vsftpd:vsftpd:vsftpd syslog-ng:syslog-ng-core:syslog-ng \
    kresd:knot-resolver:kresd@1 cupsd:cups-daemon:cups freeradius:freeradius:freeradius sshd:openssh-server:ssh rabbitmqctl:rabbitmq-server:rabbitmq-server \
    ejabberdctl:ejabberd:ejabberd openvpn:openvpn:openvpn charon-systemd:charon-systemd:strongswan \
    swanctl:strongswan-swanctl:; do
    [ -n "$(command -v "${trio%%:*}")" ] && continue
    rest=${trio#*:}
    missing="$missing ${rest%:*}"
    units="$units ${rest#*:}"
done
ls /usr/lib/*/pdns/libgsqlite3backend.so >/dev/null 2>&1 || missing="$missing pdns-backend-sqlite3"
ls /usr/lib/ipsec/plugins/libstrongswan-openssl.so >/dev/null 2>&1 || missing="$missing libstrongswan-standard-plugins"
ls /usr/lib/*/libidn.so.12 >/dev/null 2>&1 || missing="$missing libidn12"
if [ ! -x /usr/lib/cockpit/cockpit-tls ]; then
    missing="$missing cockpit-ws"
    units="$units cockpit.socket"
fi
# shellcheck disable=SC2086  # lists of names
if [ -n "$missing" ]; then
    apt_install $missing
    # What came for the tests must not take port 53, 25 or 80 at the next boot either.
    [ -z "${units# }" ] || ! command -v systemctl >/dev/null || as_root systemctl --quiet disable $units >/dev/null 2>&1 || true
fi

# Services whose packages exclude others, or one another, are only unpacked. Without them their tests are skipped.
apart=$folder/apart
packages="proftpd-core proftpd-mod-crypto pure-ftpd pure-ftpd-common rsyslog rsyslog-gnutls rsyslog-openssl squid-openssl
squid-common libfastjson4 libestr0 libmemcached11 libmemcachedutil2 libhashkit2 libpcre2-posix3 exim4-base exim4-daemon-light"
if command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null && [ "$(cat "$apart/complete" 2>/dev/null)" != "$packages" ]; then
    say "Unpacking ProFTPD, Pure-FTPd, rsyslog, Squid and Exim into $apart"
    rm -rf "$apart"
    mkdir -p "$apart/packages"
    # shellcheck disable=SC2086  # a list of names
    if (cd "$apart/packages" && apt-get -qq -o APT::Sandbox::User=root download $packages) >&2; then
        for package in "$apart"/packages/*.deb; do dpkg-deb -x "$package" "$apart"; done
        printf '%s\n' "$packages" >"$apart/complete"
    else
        say "They could not be fetched, so the tests with them are skipped."
    fi
    rm -rf "$apart/packages"
fi
# Exim's package makes this account, and its program refuses to start without it.
if [ -x "$apart/usr/sbin/exim4" ] && ! getent passwd Debian-exim >/dev/null; then
    as_root useradd --system --user-group --no-create-home --home-dir /var/spool/exim4 --shell /usr/sbin/nologin Debian-exim ||
        say "The account Debian-exim could not be made, so the tests with Exim are skipped."
fi

# A newer etcd beside that of Debian 12: fleets are tested with both. Without it the tests with the newer one are skipped.
if command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null && [ ! -e "$folder/etcd-3.5/etcd" ]; then
    mkdir -p "$folder/etcd-3.5"
    apt=$(cd "$folder/etcd-3.5" && pwd)/apt
    private_apt "$apt"
    for suite in trixie sid; do
        [ -n "$mirror" ] || break
        say "Fetching etcd 3.5 from Debian $suite into $folder/etcd-3.5"
        unpack_from "$suite" etcd-server "$apt" || continue
        "$apt/root/usr/bin/etcd" --version >/dev/null 2>&1 || continue
        mv "$apt/root/usr/bin/etcd" "$folder/etcd-3.5/etcd"
        break
    done
    rm -rf "$apt"
fi

# has_ari_and_profiles PEBBLE: it is there, runs on this machine, and knows what 2.7 brought. It does not tell its version.
has_ari_and_profiles() {
    [ -x "$1" ] && "$1" -version >/dev/null 2>&1 && grep -aq set-renewal-info "$1" && grep -aq invalidProfile "$1"
}

[ -x "$folder/bin/pebble-challtestsrv" ] && has_ari_and_profiles "$folder/bin/pebble" && exit 0
if command -v pebble-challtestsrv >/dev/null && has_ari_and_profiles "$(command -v pebble)"; then
    mkdir -p "$folder/bin"
    for program in pebble pebble-challtestsrv; do ln -sf "$(command -v $program)" "$folder/bin/$program"; done
    exit 0
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    fail "Pebble $needed or newer, the ACME test server, is missing." \
        "It is fetched as a Debian package, and this machine has no apt." \
        "Put pebble and pebble-challtestsrv, $needed or newer, on PATH and run the same command again."
fi

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
apt=$folder/apt
private_apt "$apt"
[ -n "$mirror" ] || fail "Pebble $needed or newer, the ACME test server, could not be fetched." \
    "The package sources of this machine name no Debian mirror." \
    "Add one to apt's sources, or put pebble and pebble-challtestsrv, $needed or newer, on PATH."

for suite in sid testing stable; do
    say "Fetching pebble from Debian $suite into $folder"
    unpack_from "$suite" pebble "$apt" || continue
    has_ari_and_profiles "$apt/root/usr/bin/pebble" || continue
    rm -rf "$folder/bin"
    mv "$apt/root/usr/bin" "$folder/bin"
    rm -rf "$apt"
    exit 0
done
fail "Pebble $needed or newer, the ACME test server, could not be fetched." \
    "None of Debian's newer suites could be read from $mirror, or their package does not run here; see above." \
    "Check the network of this machine, or put pebble and pebble-challtestsrv, $needed or newer, on PATH."
