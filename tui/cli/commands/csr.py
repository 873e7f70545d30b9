"""`certdeck csr`: creates signing requests for CAs without ACME. Their keys stay on this box (CL-15)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UsageError
from core.key_types import KEY_TYPES
from core.upload.values import CsrRequest
from tui.cli import exits
from tui.cli.jsonout import request_json
from tui.cli.parser import Command
from tui.cli.prompts import confirm
from tui.cli.tables import table
from tui.glyphs import printable
from tui.wording import text

if TYPE_CHECKING:
    from core.upload.values import SigningRequest
    from tui.cli.call import Call


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="name of the request (default: list the open requests)")
    parser.add_argument(
        "-d",
        "--domain",
        metavar="DOMAIN",
        nargs="+",
        action="extend",
        dest="domains",
        help="a name for the certificate",
    )
    parser.add_argument("--key-type", choices=KEY_TYPES, metavar="TYPE", help=", ".join(KEY_TYPES))
    parser.add_argument(
        "--subject", metavar="TEXT", help='further subject fields that the CA requires: "O=Acme Ltd,C=DE"'
    )
    parser.add_argument("--out", metavar="FILE", help="write the request to a file instead of standard output")
    parser.add_argument("--replace", action="store_true", help="replace the open request with that name, and its key")
    parser.add_argument("--remove", action="store_true", help="remove the request and its key")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation (with --remove)")


def _run(call: Call) -> int:
    args = call.args
    _refuse_senseless(args)
    if args.name is None:
        return _list(call)
    if args.remove:
        return _remove(call)
    if args.domains:
        with call.working(tell=False) as report:
            wanted = CsrRequest(args.name, args.domains, args.key_type, args.subject, args.replace)
            request = call.engine.make_csr(wanted, report=report, cancel=call.cancel)
    else:
        request = call.engine.csr(args.name)
    if args.out is not None:
        call.engine.write_csr(args.name, Path(args.out))
    _show(call, request)
    return exits.DONE


def _refuse_senseless(args: argparse.Namespace) -> None:
    making = {"--key-type": args.key_type, "--subject": args.subject, "--replace": args.replace}
    given = [option for option, value in making.items() if value]
    problem = ""
    if args.name is None and (args.domains or args.out or args.remove or given):
        problem = "A request needs a NAME."
    elif args.remove and (args.domains or args.out or given):
        problem = "--remove cannot be used with other options."
    elif args.yes and not args.remove:
        problem = "--yes can be used only with --remove."
    elif given and not args.domains:
        problem = f"{given[0]} is for a new request, which needs -d DOMAIN."
    elif args.out == "-":
        problem = "Without --out, the request goes to standard output."
    if problem:
        raise UsageError(
            "`certdeck csr` was called with conflicting arguments.",
            problem,
            "For example: certdeck csr shop -d shop.example.com www.shop.example.com --out shop.csr",
        )


def _show(call: Call, request: SigningRequest) -> None:
    """Write only the request to stdout, so that it can be piped, and information about it to stderr."""
    args = call.args
    if call.wants_json:
        call.result({**request_json(request), "new": request.is_new, "out": args.out}, ())
        return
    say = call.output.err.line
    name = printable(request.name)
    if args.out is None:
        call.output.out.raw(request.pem)
    else:
        call.say(f"Wrote the signing request {name} to {printable(args.out)}.")
    call.output.out.finish()
    made = "" if request.is_new else f", created on {text.moment_in_words(request.created)}"
    say(f"For {text.names_shown(request.domains)}, with a key {text.key_shown(request.key_type)}{made}.")
    for advice in request.advice:
        say(f"note: {printable(advice)}")
    say("Its private key stays on this box. Give the request to your CA.")
    say(f"When you have the certificate: certdeck import {name} --cert FILE. It finds the key automatically.")


def _list(call: Call) -> int:
    open_ones = call.engine.csrs()
    rows = [
        (printable(each.name), text.names_shown(each.domains), text.key_shown(each.key_type), text.moment(each.created))
        for each in open_ones
    ]
    lines = list(table(("NAME", "FOR", "KEY", "MADE"), rows)) if rows else ["There is no open signing request."]
    call.result({"requests": [request_json(each) for each in open_ones]}, lines)
    return exits.DONE


def _remove(call: Call) -> int:
    name = call.args.name
    call.engine.csr(name)  # raises NotFound before the question
    question = (
        f"Remove the signing request {printable(name)} and its key? A certificate for it can then no longer be used."
    )
    confirm(call, question, "Removing the key")
    with call.working(tell=False) as report:
        call.engine.remove_csr(name, report=report)
    call.result({"name": name, "removed": True}, [f"Removed the signing request {printable(name)} and its key."])
    return exits.DONE


COMMANDS = (
    Command(
        words="csr",
        arguments=_arguments,
        run=_run,
        examples=(
            "csr shop -d shop.example.com www.shop.example.com --out shop.csr",
            'csr wild -d "*.example.com" example.com --key-type rsa-2048 --subject "O=Acme Ltd,C=DE"',
            "csr  # list the open requests",
            "import shop --cert shop.crt  # with the CA's certificate; no key file is needed",
        ),
        notes=(
            "For the same names, certdeck returns the same request with the same key. The first name is also the common name\n"
            "if it has at most 64 characters; all names are subject alternative names."
        ),
    ),
)
