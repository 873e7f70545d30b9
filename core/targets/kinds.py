"""The table of kinds. The module of a kind is imported on first use."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from core.config.model import TargetConfig
from core.errors import ConfigError
from core.targets.kind import Kind

KINDS = {
    "nginx": "nginx",
    "apache": "apache",
    "haproxy": "haproxy",
    "haproxy-runtime": "haproxy_runtime",
    "caddy": "caddy",
    "lighttpd": "lighttpd",
    "hitch": "hitch",
    "stunnel": "stunnel",
    "squid": "squid",
    "cockpit": "cockpit",
    "postfix": "postfix",
    "dovecot": "dovecot",
    "exim": "exim",
    "postgresql": "postgresql",
    "mariadb": "mariadb",
    "redis": "redis",
    "memcached": "memcached",
    "pgbouncer": "pgbouncer",
    "slapd": "slapd",
    "freeradius": "freeradius",
    "mosquitto": "mosquitto",
    "rabbitmq": "rabbitmq",
    "prosody": "prosody",
    "ejabberd": "ejabberd",
    "ngircd": "ngircd",
    "coturn": "coturn",
    "unbound": "unbound",
    "knot-resolver": "knot_resolver",
    "bind9": "bind9",
    "vsftpd": "vsftpd",
    "proftpd": "proftpd",
    "pure-ftpd": "pure_ftpd",
    "cups": "cups",
    "syslog-ng": "syslog_ng",
    "rsyslog-gtls": "rsyslog_gtls",
    "rsyslog-ossl": "rsyslog_ossl",
    "openvpn": "openvpn",
    "strongswan": "strongswan",
    "files": "files",
    "command": "command",
    "ssh": "ssh",
}
"""Kind → module in `core.targets.services`, in the order in which they are offered."""
IDLE_SIGNS = ("is not active, cannot reload", "no main process to kill")
"""systemd's message for any service: "x.service is not active, cannot reload."."""


def kind_named(name: str) -> Kind | None:
    """Return a kind, or None if there is no kind with that name."""
    module = KINDS.get(name)
    if module is None:
        return None
    kind = import_module(f"core.targets.services.{module}").KIND
    assert isinstance(kind, Kind)
    return kind


def all_kinds() -> Iterator[Kind]:
    """Yield the kinds in the order in which they are offered."""
    for name in KINDS:
        kind = kind_named(name)
        assert kind is not None
        yield kind


def kind_of(target: TargetConfig) -> Kind:
    """Return the kind of a target.

    Raises ConfigError (`config-invalid`), which lists the known kinds.
    """
    kind = kind_named(target.kind)
    if kind is not None:
        return kind
    what = f"The target {target.name} has an unknown kind: {target.kind!r}."
    raise ConfigError(
        what,
        f"{nearest(target.kind)}The kinds are {', '.join(sorted(KINDS))}.",
        f'Set kind in [targets.{target.name}]; "files" works for every service that reads PEM files.',
        details={"problems": [what]},
    )


def nearest(name: str) -> str:
    """Return a question that names the most similar kind, with a trailing space; empty if none is similar."""
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), KINDS, n=1)
    return f"Did you mean {near[0]!r}? " if near else ""
