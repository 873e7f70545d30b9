"""`certdeck doctor`: finds what would prevent an issuance, without spending an order."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.errors import UsageError
from tui.cli import exits
from tui.cli.commands.issue import domains_argument, request_arguments, request_of
from tui.cli.jsonout import findings_json, listening_json
from tui.cli.parser import Command
from tui.cli.results_text import finding_lines
from tui.glyphs import printable
from tui.wording.text import plural

if TYPE_CHECKING:
    from core.operations import Listening, Visit
    from tui.cli.call import Call


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lineage", metavar="NAME", nargs="?", help="a certificate of this box; default: the whole box")
    domains_argument(parser, "names without a certificate")
    parser.add_argument(
        "--listen",
        action="store_true",
        help="serve /.well-known/acme-challenge/test.txt for a test from outside, and show each request",
    )
    parser.add_argument("--seconds", metavar="N", type=int, help="with --listen: how long; default: until Ctrl-C")
    request_arguments(parser)


def _run(call: Call) -> int:
    args = call.args
    if args.listen:
        return _listen(call)
    if args.seconds is not None:
        raise UsageError(
            "--seconds needs --listen.", "It sets how long the test file is served.", "Add --listen, or omit --seconds."
        )
    if args.lineage and args.domains:
        raise UsageError(
            "Give either the name of a certificate or domains.",
            f"{args.lineage} is a certificate of this box; -d is for names without a certificate.",
            "Omit one of them.",
        )
    request = request_of(args) if args.domains else None
    with call.working(tell=False):
        findings = call.engine.doctor(request, name=args.lineage, cancel=call.cancel)
    call.result(findings_json(findings), finding_lines(findings, call.output.out))
    return exits.FAILED if any(finding.status == "fail" for finding in findings) else exits.DONE


def _listen(call: Call) -> int:
    args = call.args
    if args.lineage or args.domains:
        raise UsageError(
            "--listen cannot be used with a certificate or domains.",
            "The test file is the same for every name of this box.",
            "Omit them.",
        )
    if args.seconds is not None and not 1 <= args.seconds <= 86400:
        raise UsageError(
            f"{args.seconds} is out of range.", "--seconds must be from 1 to 86400.", "Give a number in this range."
        )

    def ready(listening: Listening) -> None:
        where = f"in {listening.webroot}" if listening.webroot else f"on {listening.address}, port {listening.port}"
        call.output.err.line(
            printable(f"{listening.path} is available {where}. Open http://NAME{listening.path} from outside.")
        )
        call.output.err.line("Stop with Ctrl-C." if args.seconds is None else f"Stops after {args.seconds} s.")

    def visited(visit: Visit) -> None:
        call.output.err.line(printable(_visit_line(visit)))

    with call.working(tell=False):
        listening = call.engine.listen(seconds=args.seconds, ready=ready, visited=visited, cancel=call.cancel)
    call.result(listening_json(listening), [_summary(listening)])
    return exits.DONE


def _visit_line(visit: Visit) -> str:
    answer = "found" if visit.is_found else "not found"
    return f"{visit.at:%H:%M:%S} {visit.address} requested {visit.host or '(no host)'}{visit.path}: {answer}"


def _summary(listening: Listening) -> str:
    if listening.webroot:
        return f"The test file was in {listening.webroot}. The web server's log has the requests."
    found = {visit.address for visit in listening.visits if visit.is_found}
    if not found:
        others = f" ({plural(listening.count, 'other request')})" if listening.count else ""
        return f"No request for the test file arrived{others}."
    return f"{plural(listening.count, 'request')}; the test file was read from {', '.join(sorted(found)[:10])}."


COMMANDS = (
    Command(
        words="doctor",
        arguments=_arguments,
        run=_run,
        examples=("doctor", "doctor shop", "doctor -d www.example.com --issuer letsencrypt", "doctor --listen"),
        notes="Changes nothing, but serves a test file on port 80 while it runs. The exit status is 1 if something would prevent "
        "issuing.",
    ),
)
