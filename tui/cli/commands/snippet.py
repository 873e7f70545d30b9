"""`certdeck snippet SERVER`: shows the configuration with which a web server shares port 80 with certdeck (SF-07, SO-22)."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tui.cli import exits
from tui.cli.parser import Command

if TYPE_CHECKING:
    from tui.cli.call import Call


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "server", nargs="?", choices=("nginx", "haproxy", "apache"), help="only for this web server (default: all)"
    )


def _run(call: Call) -> int:
    every = call.engine.http01_snippets()
    wanted = {name: lines for name, lines in every.items() if call.args.server in (None, name)}
    if call.args.server:
        told = wanted[call.args.server].splitlines()
    else:
        told = [line for name, lines in wanted.items() for line in (f"== {name}", *lines.splitlines(), "")]
    call.result({"snippets": wanted}, told)
    return exits.DONE


COMMANDS = (
    Command(
        words="snippet",
        arguments=_arguments,
        run=_run,
        examples=("snippet nginx", "snippet haproxy"),
        notes="For HTTP-01 with a web server on port 80: the server passes the CA's request on, or serves a webroot.",
    ),
)
