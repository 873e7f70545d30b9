"""`certdeck issue` and `certdeck complete`: issue and deploy a certificate, and continue an open order."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.errors import TermsNotAgreed
from core.fleet_choice import Choice
from core.identifiers import BadIdentifier
from core.operations import Issued, IssueRequest, Pending
from tui.cli import exits
from tui.cli.jsonout import issue_json
from tui.cli.parser import Command
from tui.cli.prompts import agree_to_terms
from tui.glyphs import printable

if TYPE_CHECKING:
    from tui.cli.call import Call


def domains_argument(parser: argparse.ArgumentParser, help: str, *, required: bool = False) -> None:
    """Add `-d DOMAIN …`, which may be repeated."""
    parser.add_argument(
        "-d", "--domain", dest="domains", metavar="DOMAIN", nargs="+", action="extend", required=required, help=help
    )


def request_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that describe a certificate to issue, which `doctor` also takes."""
    parser.add_argument("--name", metavar="NAME", help="name of the certificate (default: its first domain)")
    parser.add_argument("--issuer", metavar="ISSUER", help="the CA (`certdeck issuer list`)")
    parser.add_argument(
        "--challenge",
        metavar="TYPE",
        help="how the CA validates the names: http-01, dns-01, dns-account-01, dns-persist-01",
    )
    dns = parser.add_mutually_exclusive_group()
    dns.add_argument("--dns", metavar="PROVIDER", help="validate through DNS with this entry of `certdeck dns list`")
    dns.add_argument("--manual", action="store_true", help="validate through DNS, with records that you set manually")
    parser.add_argument("--key-type", metavar="TYPE", help="ec-256 (default), ec-384, ec-521, rsa-2048, rsa-3072 …")
    parser.add_argument("--profile", metavar="PROFILE", help="a profile of the CA, e.g. shortlived")
    parser.add_argument("--email", metavar="ADDRESS", help="contact for a new account")
    parser.add_argument("--target", metavar="TARGET", nargs="+", action="extend", help="deploy to these services")


def _domains(given: Sequence[str]) -> tuple[str, ...]:
    """Return the names. Raises BadIdentifier for a name with a space, which is a quoting error."""
    for name in given:
        if len(name.split()) > 1:
            raise BadIdentifier(
                f"{printable(name)!r} is not a valid certificate name.",
                "It contains a space.",
                "Give each name separately: -d a.example.com -d b.example.com.",
            )
    return tuple(given)


def request_of(args: argparse.Namespace) -> IssueRequest:
    """Return the request that the arguments describe."""
    return IssueRequest(
        domains=_domains(args.domains or ()),
        name=args.name,
        issuer=args.issuer,
        challenge=args.challenge,
        dns=args.dns,
        manual=args.manual,
        key_type=args.key_type,
        profile=args.profile,
        email=args.email,
        targets=None if args.target is None else tuple(args.target),
    )


def _issue_arguments(parser: argparse.ArgumentParser) -> None:
    domains_argument(parser, "a name or an IP address; the first one is the primary", required=True)
    request_arguments(parser)
    parser.add_argument("--agree-tos", action="store_true", help="accept the CA's terms of service")
    parser.add_argument(
        "--staging", action="store_true", help="order from the CA's staging directory; keep and deploy nothing"
    )
    rehearsal = parser.add_mutually_exclusive_group()
    rehearsal.add_argument(
        "--rehearse",
        dest="rehearse",
        action="store_const",
        const=True,
        help="order from staging first, then automatically from the CA (default for the first order of these names)",
    )
    rehearsal.add_argument(
        "--no-rehearsal", dest="rehearse", action="store_const", const=False, help="do not order from staging first"
    )
    also = parser.add_mutually_exclusive_group()
    also.add_argument("--with-www", action="store_true", help="add www. to each bare domain")
    also.add_argument(
        "--with-wildcard", action="store_true", help="add *. to each bare domain (needs validation through DNS)"
    )
    _fleet_arguments(parser)
    parser.add_argument("--force", action="store_true", help="order even if a valid certificate exists")
    _qr_argument(parser)


def _fleet_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("on a hub of a fleet")
    group.add_argument("--local", action="store_true", help="order for this box only")
    group.add_argument("--key-policy", metavar="POLICY", help="master (default), hybrid, device: who can open the key")
    group.add_argument(
        "--device",
        dest="boxes",
        metavar="ID",
        nargs="+",
        action="extend",
        help="deploy to these devices only; `all` for all devices",
    )
    group.add_argument(
        "--all-or-none",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="switch only when all devices are ready",
    )
    group.add_argument("--allow-weaker-policy", action="store_true", help="allow a weaker key policy than before")


def _qr_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--qr", action="store_true", help="show the values of records as QR codes, on a terminal")


def _issue(call: Call) -> int:
    args = call.args
    request = replace(
        request_of(args),
        agree_tos=args.agree_tos,
        staging=args.staging,
        rehearse=args.rehearse,
        with_www=args.with_www,
        with_wildcard=args.with_wildcard,
        force=args.force,
        local=args.local,
        for_fleet=Choice(
            policy=args.key_policy,
            boxes=None if args.boxes is None else tuple(each for each in args.boxes if each != "all"),
            all_or_none=args.all_or_none,
            allow_weaker=args.allow_weaker_policy,
        ),
    )
    try:
        outcome = _attempt(call, request)
    except TermsNotAgreed as exc:
        agree_to_terms(call, exc)
        outcome = _attempt(call, replace(request, agree_tos=True))
    return _show(call, outcome)


def _attempt(call: Call, request: IssueRequest) -> Issued | Pending:
    with call.working() as report:
        return call.engine.issue(request, report=report, cancel=call.cancel)


def _complete_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--anyway", action="store_true", help="let the CA validate even if some name servers lack the records"
    )
    how.add_argument("--give-up", action="store_true", help="cancel the order instead")
    _qr_argument(parser)


def _complete(call: Call) -> int:
    if call.args.give_up:
        return _give_up(call)
    with call.working() as report:
        outcome = call.engine.complete(call.args.name, anyway=call.args.anyway, report=report, cancel=call.cancel)
    return _show(call, outcome)


def _give_up(call: Call) -> int:
    with call.working(tell=False) as report:
        call.engine.give_up(call.args.name, report=report)
    name = printable(call.args.name)
    said = f"The order for {name} was cancelled. You can delete the DNS records created for it."
    call.result({"name": call.args.name, "state": "given-up"}, [said])
    return exits.DONE


def _show(call: Call, outcome: Issued | Pending) -> int:
    if isinstance(outcome, Pending):
        call.result(issue_json(outcome), _pending_lines(call, outcome))
        return exits.PENDING
    from tui.cli.results_text import issued_lines

    call.result(issue_json(outcome), issued_lines(outcome, call.engine.paths.live))
    return exits.DONE


def _pending_lines(call: Call, outcome: Pending) -> Iterator[str]:
    from tui.cli.records_text import code_lines, pending_lines

    out = call.output.out
    yield from pending_lines(outcome, call.engine.env.clock.now(), out)
    if call.args.qr and out.is_terminal:
        yield from code_lines(outcome.records, out)
    elif call.args.qr:
        call.output.err.line("No QR code: the output is not a terminal.")


COMMANDS = (
    Command(
        words="issue",
        arguments=_issue_arguments,
        run=_issue,
        examples=(
            "issue -d www.example.com --email admin@example.com --agree-tos --target nginx",
            "issue -d example.com --with-www                    # and www.example.com",
            "issue -d example.com --with-wildcard --dns cf      # and *.example.com, through DNS",
            "issue -d example.com --no-rehearsal                # do not order from staging first",
            "issue -d box.lan --issuer appliance-ca             # from this box's own CA, no network needed",
            "issue -d '*.example.com' example.com --dns cf      # through DNS, with an entry of `certdeck dns add`",
            "issue -d '*.example.com' --manual --qr             # through DNS, with records that you set manually",
        ),
        notes="If there is a valid certificate for the same names, it is deployed without a new order; --force orders anyway.\n"
        "ACME CAs validate only control over the names (DV). For OV or EV, which also name the organization, create\n"
        "a request with `certdeck csr` and order from a commercial CA. `certdeck issuer compare` compares the CAs.",
    ),
    Command(
        words="complete",
        arguments=_complete_arguments,
        run=_complete,
        examples=(
            "complete shop",
            "complete shop --anyway     # respond now: a failed challenge ends the order",
            "complete shop --give-up",
        ),
        notes="certdeck first checks your DNS records at all name servers of the zone. While a record is missing, the order\n"
        "stays open with the same values, and the exit status is 3.",
    ),
)
