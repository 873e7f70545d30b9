"""Which values a key may have, beyond its type. One table: key → rule; a rule returns (problem, fix) or None.

Whether a referenced entry exists (an issuer, a target) is not checked here but on use: the settings of a lineage must stay
readable if a target is removed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from core.config.model import (
    Appliance,
    Defaults,
    Dns01,
    DnsProviderConfig,
    Fleet,
    Http01,
    IssuerConfig,
    LineageConfig,
    Log,
    Metrics,
    NotificationConfig,
    Schedule,
    TargetConfig,
    Web,
)
from core.key_types import KEY_TYPES

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
"""Name of a lineage, an issuer, a target, a DNS provider entry, or a notification channel."""
NAME_FIX = "Use 1 to 128 letters, digits, . _ and -, and start with a letter, a digit or _."
_ZONE = r"(?=.{1,253}\.?$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?"
EMAIL = r"[^\s@,:<>\"?&%\x00-\x1f\x7f]{1,64}@[^\s@,:<>\"?&%\x00-\x1f\x7f]{1,253}"
"""One address without a display name. Separators of addresses or header fields in a `mailto:` URL (RFC 6068) are excluded."""
NOTIFICATION_EVENTS = (
    "renewed",
    "failed",
    "expiring",
    "deadline",
    "rolled-back",
    "not-served",
    "timer",
    "run-missed",
    "credentials",
    "revoked",
    "fallback",
    "recovered",
)
COUNTED = ("letsencrypt", "letsencrypt-staging", "none")
"""Issuers whose limits are known (`core.issuers`), and `none`."""
CHALLENGES = ("http-01", "dns-01", "dns-account-01", "dns-persist-01", "tls-alpn-01")

Broken = tuple[str, str] | None
Rule = Callable[[Any], Broken]


def notification_kind(value: str) -> Broken:
    """Require a kind of notification channel. The table is not loaded on a box without one."""
    from core.notify.catalogue import KINDS

    return one_of(*KINDS)(value)


def one_of(*known: str) -> Rule:
    """Return a rule: one of these words."""

    def rule(value: str) -> Broken:
        if value in known:
            return None
        from difflib import get_close_matches

        near = get_close_matches(value, known, n=1)
        listed = f"Choose one of: {', '.join(known)}."
        return f"{value!r} is not valid here", f"Did you mean {near[0]}? {listed}" if near else listed

    return rule


def some_of(*known: str) -> Rule:
    """Return a rule: a list of these words."""
    one = one_of(*known)
    return lambda values: next((broken for broken in map(one, values) if broken), None)


def between(low: int, high: int) -> Rule:
    """Return a rule: a number in [low, high]."""

    def rule(value: int) -> Broken:
        return None if low <= value <= high else (f"{value} is out of range", f"Use a number from {low} to {high}.")

    return rule


def absolute(value: str) -> Broken:
    """Require an absolute path: a scheduled run starts in a different folder than a user."""
    if value.startswith("/"):
        return None
    return f"{value!r} is not an absolute path", "Write the absolute path, starting with /."


def not_empty(value: str) -> Broken:
    return None if value.strip() else ("this is empty", "Set a value, or remove the line.")


def name(value: str) -> Broken:
    if NAME.fullmatch(value):
        return None
    return (
        f"{value[:60]!r} is not a valid name",
        "Use 1 to 128 letters, digits, . _ and -, and start with a letter, a digit or _.",
    )


def names(values: tuple[str, ...]) -> Broken:
    return next((broken for broken in map(name, values) if broken), None)


def email(value: str) -> Broken:
    """Require one address as a CA accepts it after `mailto:` (RFC 8555 §7.3)."""
    if re.fullmatch(EMAIL, value) and value.isprintable():
        return None
    return f"{value[:60]!r} is not an e-mail address", "Give only one address, for example admin@example.com."


def limits(value: str | Mapping[str, str]) -> Broken:
    """Require the name of an issuer with known limits, or a table with limits."""
    if isinstance(value, str):
        return one_of(*COUNTED)(value)
    from core.limit_table import broken

    return broken(value)


def web_address(value: str) -> Broken:
    if re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
        return None
    return f"{value!r} is not a valid URL", "Write it with its scheme, for example https://box.example.com:8443."


def directory(value: str) -> Broken:
    """Require an HTTPS URL: ACME allows only HTTPS (RFC 8555 §6.1)."""
    match = re.fullmatch(r"https://([^\s/@?#]+@)?(\[[0-9A-Fa-f:.]+\]|[^\s/@?#:\[\]]+)(?::(\d{1,5}))?([/?]\S*)?", value)
    if match is None:
        return f"{value!r} is not a directory URL", "Write the complete URL, starting with https://."
    if match[1]:
        return "a directory URL must not contain a user name", "Remove the part before the @."
    if match[3] and not 0 < int(match[3]) < 65536:
        return f"{value!r} has an invalid port", "Use a port from 1 to 65535."
    return None


def probe(values: tuple[str, ...]) -> Broken:
    from core.probe_address import broken

    return next((found for found in map(broken, values) if found), None)


def socket(value: str) -> Broken:
    """Require the path of a Unix socket; `{probe}` comes from the record of a deployment to a kind that is reloaded over TLS."""
    return None if value == "{probe}" else absolute(value)


def also(value: tuple[str, ...]) -> Broken:
    from core.extra_files import broken

    return next((found for each in value if (found := broken(each)) is not None), None)


def host(value: str) -> Broken:
    if re.fullmatch(r"[A-Za-z0-9_:][A-Za-z0-9._:-]{0,254}", value):
        return None
    return f"{value[:60]!r} is not a valid host", "Write its name or address, without user, brackets or port."


def ssh_path(value: str) -> Broken:
    """Require a path that OpenSSH neither splits nor expands to another file."""
    if re.search(r"[\s%\"'$~\\]", value):
        return f"{value[:60]!r} cannot be passed to ssh", "Use a path without spaces, quotes, %, $, ~ and backslashes."
    return absolute(value)


def remote_path(value: str) -> Broken:
    if re.search(r"[\x00-\x1f\x7f]", value) or value.endswith("/"):
        return f"{value[:60]!r} is not a valid file path", "Write the absolute path of the file, starting with /."
    return absolute(value)


def login(value: str) -> Broken:
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._@\\-]{0,255}", value):
        return None
    return f"{value[:60]!r} is not a valid account", "Write the name of the account on the other machine."


def window(value: str) -> Broken:
    if re.fullmatch(r"(?:[01]\d|2[0-3]):[0-5]\d-(?:[01]\d|2[0-3]):[0-5]\d", value) and value[:5] != value[6:]:
        return None
    return f"{value[:60]!r} is not a valid time range", 'Write it as "02:00-04:00".'


def resolvers(values: tuple[str, ...]) -> Broken:
    """Require addresses: a host name would have to be resolved by a name server first."""
    from ipaddress import ip_address

    for value in values:
        match = re.fullmatch(r"(?:\[([^\[\]]+)\]|([^:\[\]]+))(?::(\d{1,5}))?|([^\[\]]+)", value, re.ASCII)
        try:
            if match is None or not 0 < int(match[3] or 53) < 65536:
                raise ValueError
            ip_address(match[1] or match[2] or match[4])
        except ValueError:
            return (
                f"{value[:60]!r} is not a valid name server address",
                'Write, for example, "192.0.2.1", "127.0.0.1:8053" or "[2001:db8::1]:53".',
            )
    return None


def endpoints(values: tuple[str, ...]) -> Broken:
    """Require client URLs of etcd, with nothing after the port."""
    if not values:
        return "this is empty", 'Write, for example, endpoints = ["https://etcd1.example.com:2379"].'
    for value in values:
        if re.fullmatch(r"https?://(?:\[[0-9A-Fa-f:.]+\]|[^\s/@?#:\[\]]+)(?::\d{1,5})?/?", value, re.ASCII) is None:
            given = value.rpartition("@")[2]  # what precedes the @ may be a password
            return f"{given[:80]!r} is not a valid etcd endpoint", "Write, for example, https://etcd1.example.com:2379."
    return None


def file_mode(value: str) -> Broken:
    if re.fullmatch(r"0?[0-7]{3}", value) and not int(value, 8) & 0o007 and int(value, 8) & 0o400:
        return None
    return (
        f"{value!r} is not a valid mode for a key",
        'Write it in octal, without permissions for others, for example "0640".',
    )


def account(value: str) -> Broken:
    """Require an owner or group. The number 2^32 - 1 means "unchanged" to the system."""
    if value.isdigit():
        is_good = value.isascii() and len(value) <= 10 and int(value) < 2**32 - 1
    else:
        is_good = re.fullmatch(r"[^\s:/\0-\x1f\x7f]{1,256}", value) is not None
    return (
        None
        if is_good
        else (f"{value[:60]!r} is not a valid account", "Write the account's name, or its number from 0 to 4294967294.")
    )


def command(values: tuple[str, ...]) -> Broken:
    if not values or (values[0] and all("\0" not in value for value in values)):
        return None
    return "the program is missing", 'Write, for example, ["systemctl", "reload", "nginx"].'


def domains(values: tuple[str, ...]) -> Broken:
    if all(values):
        return None
    return "one of the names is empty", "Remove it."


def zones(values: tuple[str, ...]) -> Broken:
    """Require names of zones: A-labels, no wildcard, no address."""
    for value in values:
        if re.fullmatch(_ZONE, value) is None or not value.strip("0123456789."):
            return (
                f"{value[:60]!r} is not a valid zone name",
                'Write only the name of the zone, for example "example.com".',
            )
    return None


def delegations(values: Mapping[str, str]) -> Broken:
    return zones((*values, *values.values()))


RULES: dict[tuple[type, str], Rule] = {
    (Appliance, "name"): not_empty,
    (Appliance, "hostname"): not_empty,
    (Appliance, "external_url"): web_address,
    (IssuerConfig, "directory"): directory,
    (IssuerConfig, "ca_bundle"): absolute,
    (IssuerConfig, "staging"): name,
    (IssuerConfig, "email"): email,
    (IssuerConfig, "max_orders"): between(1, 64),
    (IssuerConfig, "limits"): limits,
    (IssuerConfig, "orders_per_run"): between(1, 100_000),
    (Defaults, "issuer"): name,
    (Defaults, "fallback_issuers"): names,
    (Defaults, "key_type"): one_of(*KEY_TYPES),
    (Defaults, "challenge"): one_of(*CHALLENGES),
    (Defaults, "renew_days_before"): between(1, 825),
    (Defaults, "fallback_certificate"): name,
    (Defaults, "reminders"): between(1, 3650),
    (Web, "hsts"): one_of("staged", "full", "off"),
    (Web, "http_port"): between(1, 65535),
    (Http01, "mode"): one_of("standalone", "webroot"),
    (Http01, "webroot"): absolute,
    (Http01, "address"): not_empty,
    (Http01, "port"): between(1, 65535),
    (Dns01, "resolvers"): resolvers,
    (Dns01, "timeout_seconds"): between(1, 86400),
    (TargetConfig, "kind"): name,
    (TargetConfig, "certificate"): absolute,
    (TargetConfig, "key"): absolute,
    (TargetConfig, "chain"): absolute,
    (TargetConfig, "test"): command,
    (TargetConfig, "reload"): command,
    (TargetConfig, "probe"): probe,
    (TargetConfig, "probe_key"): one_of("rsa", "ec"),
    (TargetConfig, "probe_timeout_seconds"): between(1, 600),
    (TargetConfig, "timeout_seconds"): between(1, 3600),
    (TargetConfig, "mode"): one_of("link", "copy"),
    (TargetConfig, "file_mode"): file_mode,
    (TargetConfig, "layout"): one_of("separate", "combined", "key-first", "leaf"),
    (TargetConfig, "files_of"): name,
    (TargetConfig, "socket"): socket,
    (TargetConfig, "window"): window,
    (TargetConfig, "host"): host,
    (TargetConfig, "user"): login,
    (TargetConfig, "port"): between(1, 65535),
    (TargetConfig, "remote_certificate"): remote_path,
    (TargetConfig, "remote_key"): remote_path,
    (TargetConfig, "remote_chain"): remote_path,
    (TargetConfig, "remote_test"): command,
    (TargetConfig, "remote_reload"): command,
    (TargetConfig, "identity_file"): ssh_path,
    (TargetConfig, "known_hosts"): ssh_path,
    (TargetConfig, "also"): also,
    (TargetConfig, "names"): domains,
    (TargetConfig, "pfx_passphrase_file"): absolute,
    (TargetConfig, "owner"): account,
    (TargetConfig, "group"): account,
    (Log, "level"): one_of("warning", "debug"),
    (Log, "keep_days"): between(30, 36500),
    (Log, "keep_megabytes"): between(1, 100_000),
    (Log, "save_requests_days"): between(1, 400),
    (DnsProviderConfig, "kind"): not_empty,
    (DnsProviderConfig, "zones"): zones,
    (DnsProviderConfig, "delegations"): delegations,
    (NotificationConfig, "kind"): notification_kind,
    (NotificationConfig, "on"): some_of(*NOTIFICATION_EVENTS),
    (Schedule, "ping_url"): web_address,
    (Metrics, "file"): absolute,
    (Fleet, "endpoints"): endpoints,
    (Fleet, "ca_bundle"): absolute,
    (Fleet, "certificate"): absolute,
    (Fleet, "key"): absolute,
    (Fleet, "role"): one_of("hub", "device", "both"),
    (Fleet, "name"): not_empty,
    (Fleet, "username"): not_empty,
    (Fleet, "targets"): names,
    (Fleet, "lease_seconds"): between(2, 600),
    (LineageConfig, "domains"): domains,
    (LineageConfig, "issuer"): name,
    (LineageConfig, "dns"): name,
    (LineageConfig, "key_type"): one_of(*KEY_TYPES),
    (LineageConfig, "challenge"): one_of(*CHALLENGES),
    (LineageConfig, "fallback_issuers"): names,
    (LineageConfig, "fallback_certificate"): name,
    (LineageConfig, "targets"): names,
    (LineageConfig, "renew_days_before"): between(1, 825),
}
