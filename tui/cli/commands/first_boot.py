"""`certdeck first-boot`: sets up HTTPS on a box that has no certificate yet. Idempotent."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tui.cli import exits
from tui.cli.jsonout import certificate_json
from tui.cli.parser import Command
from tui.cli.results_text import first_boot_lines

if TYPE_CHECKING:
    from tui.cli.call import Call


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hostname", metavar="NAME", help="default: the host name of this box")
    parser.add_argument("--external-url", metavar="URL", help="its host name is added to the certificate")


def _run(call: Call) -> int:
    with call.working() as report:
        done = call.engine.first_boot(
            hostname=call.args.hostname, external_url=call.args.external_url, report=report, cancel=call.cancel
        )
    value = {
        "name": done.status.name,
        "created": done.created,
        "remade": done.remade,
        "why": done.why,
        "certificate": certificate_json(done.status),
    }
    call.result(value, first_boot_lines(done, call.engine.paths.live))
    return exits.DONE


COMMANDS = (
    Command(
        words="first-boot",
        arguments=_arguments,
        run=_run,
        examples=("first-boot", "first-boot --hostname box.example.com --external-url https://box.example.com:8443"),
        notes="Does nothing if the certificate exists. Reissues it with the same key if the names of the box have changed.",
    ),
)
