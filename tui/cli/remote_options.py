"""The options of `target add` for a target on another machine (kind `ssh`)."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

_TEXTS = {
    "host": ("HOST", "kind ssh: name or address of the other machine"),
    "user": ("USER", "kind ssh: user name there"),
    "remote_certificate": ("PATH", "kind ssh: path of the certificate there"),
    "remote_key": ("PATH", "kind ssh: path of the key there"),
    "remote_chain": ("PATH", "kind ssh: path of the chain there"),
    "identity_file": ("PATH", "kind ssh: private key for the login, without a passphrase"),
    "known_hosts": ("PATH", "kind ssh: file with the host keys that are accepted"),
}
_COMMANDS = {
    "remote_test": "kind ssh: command there that tests the configuration; quoted",
    "remote_reload": "kind ssh: command there that makes the service load the files; quoted",
}


def add_remote_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to a parser."""
    for name, (metavar, text) in _TEXTS.items():
        parser.add_argument(_option(name), metavar=metavar, help=text)
    parser.add_argument("--port", metavar="PORT", type=int, help="kind ssh: port of its SSH server (default: 22)")
    for name, text in _COMMANDS.items():
        parser.add_argument(_option(name), metavar="COMMAND", help=text)


def remote_settings(args: argparse.Namespace, words: Callable[[str, str | None], tuple[str, ...]]) -> dict[str, Any]:
    """Return the settings that were given, by name. `words` splits the command of an option; raises what it raises."""
    given = {name: value for name in (*_TEXTS, "port") if (value := getattr(args, name)) is not None}
    commands = {name: words(_option(name), value) for name in _COMMANDS if (value := getattr(args, name))}
    return {**given, **commands}


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
