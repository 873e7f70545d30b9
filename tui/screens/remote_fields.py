"""The fields of a target on another machine (kind `ssh`); the target form shows them only for that kind."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from core.config.model import TargetConfig
from core.config.rules import remote_path, ssh_path
from core.errors import CertdeckError, UsageError
from tui.screens.form import needed
from tui.widgets.field import Check, Field

REMOTE: Final = "ssh"
"""The kind that has these fields."""
_COMMANDS: Final = ("remote-test", "remote-reload")
_TEXTS: Final = ("host", "user", "remote-certificate", "remote-key", "remote-chain", "identity-file", "known-hosts")
IDS: Final = (
    "host",
    "user",
    "port",
    "remote-certificate",
    "remote-key",
    "remote-chain",
    *_COMMANDS,
    "identity-file",
    "known-hosts",
)
"""In the order in which they are shown."""


def remote_fields(known: TargetConfig, words: Check) -> Iterator[Field]:
    """Yield the fields. `words`: the check for a command."""
    host = needed("The other machine", "printer.example.com")
    yield Field("Machine", value=known.host or "", hint="e.g. printer.example.com", check=host, id="host")
    yield Field("Account", value=known.user or "", hint="(as OpenSSH is configured)", id="user")
    yield Field("Port", value="" if known.port == 22 else str(known.port), hint="(22)", check=_wrong_port, id="port")
    yield Field(
        "Cert. there", value=known.remote_certificate or "", hint="e.g. /etc/ssl/printer.crt",
        note="Paths on the other machine. The paths above are a local copy of what it gets.",
        check=_path(remote_path), id="remote-certificate",
    )  # fmt: skip
    yield Field(
        "Key there",
        value=known.remote_key or "",
        hint="e.g. /etc/ssl/private/printer.key",
        check=_path(remote_path),
        id="remote-key",
    )
    yield Field(
        "Chain there", value=known.remote_chain or "", hint="(none)", check=_path(remote_path), id="remote-chain"
    )
    yield Field("Test there", value=shlex.join(known.remote_test), hint="e.g. nginx -t", check=words, id="remote-test")
    yield Field(
        "Reload there",
        value=shlex.join(known.remote_reload),
        hint="e.g. systemctl reload nginx",
        check=words,
        id="remote-reload",
    )
    yield Field(
        "Login key",
        value=known.identity_file or "",
        hint="e.g. /root/.ssh/printer, without a passphrase",
        check=_path(ssh_path),
        id="identity-file",
    )
    yield Field(
        "Host keys", value=known.known_hosts or "", hint="(those of OpenSSH)", check=_path(ssh_path), id="known-hosts"
    )


def remote_values(value: Callable[[str], str], words: Callable[[str], tuple[str, ...]]) -> Mapping[str, Any]:
    """Return the settings in the fields, by name. `value`: returns the text of a field; `words`: splits a command."""
    return {
        **{id.replace("-", "_"): value(id) or None for id in _TEXTS},
        **{id.replace("-", "_"): words(value(id)) for id in _COMMANDS},
        "port": int(value("port") or 22),
    }


def _wrong_port(value: str) -> CertdeckError | None:
    if not value or (value.isascii() and value.isdecimal() and 0 < int(value) < 65536):
        return None
    return UsageError("This is not a port.", "A port is a number from 1 to 65535.", "Leave it empty for 22.")


def _path(rule: Callable[[str], tuple[str, str] | None]) -> Check:
    def check(value: str) -> CertdeckError | None:
        broken = rule(value) if value else None
        return UsageError(f"{broken[0]}.", "ssh gets it unchanged.", broken[1]) if broken else None

    return check
