"""The table of real services that certdeck is tested with: kind → how it is set up."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.daemons.apart import Exim, Proftpd, PureFtpd, RsyslogGtls, RsyslogOssl, Squid
from tests.support.daemons.base import Daemon
from tests.support.daemons.databases import Mariadb, Memcached, Pgbouncer, Postgresql, Redis, Slapd
from tests.support.daemons.erlang import Ejabberd, Rabbitmq
from tests.support.daemons.mail import Dovecot, Postfix
from tests.support.daemons.others import (
    Bind,
    Coturn,
    Cups,
    Freeradius,
    KnotResolver,
    Mosquitto,
    Ngircd,
    Prosody,
    SyslogNg,
    Unbound,
    Vsftpd,
)
from tests.support.daemons.vpn import Openvpn, Strongswan
from tests.support.daemons.web import Apache, Caddy, Cockpit, Haproxy, HaproxyRuntime, Hitch, Lighttpd, Nginx, Stunnel

DAEMONS: Mapping[str, type[Daemon]] = {
    each.kind: each
    for each in (
        Nginx, Haproxy, HaproxyRuntime, Apache, Lighttpd, Caddy, Hitch, Stunnel, Postfix, Dovecot, Postgresql, Pgbouncer,
        Mariadb, Redis, Memcached, Slapd, Mosquitto, Ngircd, Prosody, Coturn, Bind, Unbound, Vsftpd, SyslogNg,
        KnotResolver, Cups, Freeradius, Proftpd, PureFtpd, RsyslogGtls, RsyslogOssl, Squid, Cockpit,
        Exim, Rabbitmq, Ejabberd, Openvpn, Strongswan,
    )
}  # fmt: skip
