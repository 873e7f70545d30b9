"""Hooks of another client that only reload a known service: only these are taken over, as a command of our own."""

from __future__ import annotations

import re
import shlex

from msgspec import Struct

_SERVICES = frozenset(
    {
        *("nginx", "apache2", "httpd", "haproxy", "lighttpd", "caddy", "varnish", "hitch", "stunnel4"),
        *(
            "postfix",
            "dovecot",
            "exim4",
            "vsftpd",
            "proftpd",
            "prosody",
            "ejabberd",
            "coturn",
            "murmur",
            "mumble-server",
        ),
        *("slapd", "postgresql", "mosquitto", "cockpit", "grafana-server", "openvpn", "strongswan"),
    }
)
_VERBS = frozenset({"reload", "restart", "reload-or-restart", "try-reload-or-restart", "force-reload"})
_INIT = re.compile(r"/etc/(?:init|rc)\.d/([a-z0-9-]+)")


class Reload(Struct, frozen=True, kw_only=True):
    """A reload that certdeck may run."""

    service: str
    command: tuple[str, ...]


def reload_of(hook: str) -> Reload | None:
    """Return the reload that a hook consists of; None if it does anything else. Pure."""
    try:
        words = shlex.split(hook, comments=True)
    except ValueError:
        return None
    if words[:1] == ["sudo"]:
        words = words[1:]
    if not words:
        return None
    program = words[0].rpartition("/")[2]
    service, verb = "", ""
    if program == "systemctl" and len(words) == 3:
        verb, service = words[1], words[2].removesuffix(".service")
    elif program in ("service", "rc-service") and len(words) == 3:
        service, verb = words[1], words[2]
    elif (match := _INIT.fullmatch(words[0])) and len(words) == 2:
        service, verb = match[1], words[1]
    elif program == "nginx" and words[1:] == ["-s", "reload"]:
        return Reload(service="nginx", command=("nginx", "-s", "reload"))
    if service not in _SERVICES or verb not in _VERBS:
        return None
    return Reload(service=service, command=("systemctl", verb, service))
