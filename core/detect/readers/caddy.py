"""Caddy: `caddy adapt` prints its Caddyfile as JSON (2.0 and newer). Certificates that Caddy gets itself are only reported."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.detect.reading import Look, Pair, Reading, Unreadable, absolute, shown

_MOST_SHOWN = 5


def read(look: Look) -> Reading:
    """Return the certificates that the configuration names. Raises Unreadable."""
    configuration = look.configuration(*look.how.options)
    whole = _object(look.text(configuration))
    if whole is None:
        whole = _object(look.run([look.tool("caddy"), "adapt", "--config", str(configuration)], configuration))
    if whole is None:
        raise Unreadable("`caddy adapt` printed no configuration.")
    apps = _table(whole.get("apps"))
    problems = []
    pairs = []
    for each in _list(_table(_table(apps.get("tls")).get("certificates")).get("load_files")):
        certificate, key = str(_table(each).get("certificate", "")), str(_table(each).get("key", ""))
        try:
            pairs.append(Pair(certificate=absolute(certificate, Path("/")), key=absolute(key, Path("/"))))
        except Unreadable as exc:
            problems.append(str(exc))
    managed = dict.fromkeys(_managed(apps))
    if managed:
        names = [shown(each) for each in managed]
        more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
        problems.append(
            f"Caddy gets and renews certificates itself: {', '.join(names[:_MOST_SHOWN])}{more}. "
            "No action is needed. To use a certificate of certdeck, write `tls CERTIFICATE KEY` into that site."
        )
    return Reading(pairs=tuple(pairs), problems=tuple(problems))


def _managed(apps: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of TLS sites for which no certificate is configured."""
    for server in map(_table, _table(_table(apps.get("http")).get("servers")).values()):
        automatic = _table(server.get("automatic_https"))
        if automatic.get("disable") or automatic.get("disable_certificates"):
            continue
        if all(str(each).endswith(":80") for each in _list(server.get("listen"))):
            continue
        given = [_table(each) for each in _list(server.get("tls_connection_policies"))]
        given = [each for each in given if each.get("certificate_selection")]
        if any(not each.get("match") for each in given):
            continue  # one certificate for all names
        own = {name for each in given for name in _list(_table(each.get("match")).get("sni"))}
        own |= {*_list(automatic.get("skip")), *_list(automatic.get("skip_certificates"))}
        for route in map(_table, _list(server.get("routes"))):
            for match in map(_table, _list(route.get("match"))):
                yield from (name for name in map(str, _list(match.get("host"))) if name not in own)


def _object(text: str) -> Mapping[str, Any] | None:
    """Return the configuration in a text: the whole text as JSON, or one line of it among the warnings of `caddy adapt`."""
    for part in (text, *(line for line in text.splitlines() if line.startswith("{"))):
        try:
            found = json.loads(part)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and "apps" in found:
            return found
    return None


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
