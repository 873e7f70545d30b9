"""`certdeck doctor`: what would stop an issuance, before an order is spent on finding out."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.errors import UsageError
from tui.cli import exits
from tui.cli.commands.issue import request_arguments, request_of
from tui.cli.jsonout import findings_json
from tui.cli.parser import Command
from tui.cli.results_text import finding_lines

if TYPE_CHECKING:
    from tui.cli.call import Call


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lineage", metavar="NAME", nargs="?", help="a certificate that is here; without, the whole box")
    parser.add_argument(
        "-d",
        "--domain",
        dest="domains",
        metavar="DOMAIN",
        nargs="+",
        action="extend",
        help="for a certificate to be had",
    )
    request_arguments(parser)


def _run(call: Call) -> int:
    args = call.args
    if args.lineage and args.domains:
        raise UsageError(
            "Either a certificate's name or domains can be looked at.",
            f"{args.lineage} is one that is here, -d is for one that is not.",
            "Leave one of the two out.",
        )
    request = request_of(args) if args.domains else None
    with call.working(tell=False):
        findings = call.engine.doctor(request, name=args.lineage, cancel=call.cancel)
    call.result(findings_json(findings), finding_lines(findings, call.output.out))
    return exits.FAILED if any(finding.status == "fail" for finding in findings) else exits.DONE


COMMANDS = (
    Command(
        words="doctor",
        arguments=_arguments,
        run=_run,
        examples=("doctor", "doctor shop", "doctor -d www.example.com --issuer letsencrypt"),
        notes="Changes nothing. The exit status is 1 when something would stop an issuance.",
    ),
)
