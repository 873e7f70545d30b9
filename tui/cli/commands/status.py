"""`certdeck status`: shows the state of every certificate, with live probes of the services."""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.errors import CertdeckError, NotFound, UsageError
from core.garbage_collection import rarely_collecting
from tui.cli import exits
from tui.cli.parser import Command
from tui.glyphs import printable

if TYPE_CHECKING:
    from core.operations import OpenOrder, Status
    from core.upload.values import SigningRequest
    from tui.cli.call import Call


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help="show these certificates in detail (default: an overview of all)"
    )
    parser.add_argument(
        "--what-if", metavar="DATE", help="show the effect of announced lifetimes on this day, e.g. 2027-02-10"
    )
    parser.add_argument("--check", action="store_true", help="print one line for monitoring, and set the exit status")


def _run(call: Call) -> int:
    with rarely_collecting():
        return _show(call)


def _show(call: Call) -> int:
    if call.args.what_if is not None:
        return _what_if(call)
    if call.args.check:
        return _check(call)
    orders = _open_orders(call)
    requests = _open_requests(call)
    status = _status(call, {order.name for order in orders} | {request.name for request in requests})
    if call.wants_json:
        from tui.cli.jsonout import dumped, status_json

        call.output.out.raw(dumped(status_json(status, orders, requests)))
    else:
        from tui.cli.status_text import lineages_lines, problem_lines, status_lines

        out = call.output.out
        out.lines((lineages_lines if call.args.names else status_lines)(status, out, orders, requests))
        call.output.err.lines(problem_lines(status, call.output.err))
    # An unreadable certificate is a failure only if it was requested by name.
    return exits.FAILED if call.args.names and status.problems else exits.DONE


def _what_if(call: Call) -> int:
    from tui.cli.forecast_text import day_of, forecast_json, forecast_lines

    if call.args.check:
        raise UsageError(
            "--check and --what-if cannot be used together.",
            "One is about now, the other about later.",
            "Omit one of them.",
        )
    found = call.engine.what_if(day_of(call.args.what_if), call.args.names)
    call.result(forecast_json(found), forecast_lines(found, call.output.out))
    return exits.DONE


def _open_orders(call: Call) -> list[OpenOrder]:
    """Return the requested open orders. An unreadable one is left out; continuing it reports the error."""
    found: list[OpenOrder] = []
    with suppress(CertdeckError):
        for name in call.engine.open_orders():
            if not call.args.names or name in call.args.names:
                with suppress(CertdeckError):
                    found.append(call.engine.open_order(name))
    return found


def _open_requests(call: Call) -> list[SigningRequest]:
    """Return the requested open signing requests. Errors are ignored, so that they do not hide certificates."""
    found: list[SigningRequest] = []
    with suppress(CertdeckError):
        found += [each for each in call.engine.csrs() if not call.args.names or each.name in call.args.names]
    return found


def _status(call: Call, ordered: set[str]) -> Status:
    """Return the requested state. A name with only an open order or signing request is not an error."""
    names = list(call.args.names)
    while True:
        try:
            return call.engine.status(names, probe=True)
        except NotFound as exc:
            if exc.lineage not in ordered or exc.lineage not in names:
                raise
            names = [name for name in names if name != exc.lineage]
            if not names:
                return replace(call.engine.status(), lineages=(), problems=())


def _check(call: Call) -> int:
    """Print one line as a monitoring plugin does. An error is critical, and is reported in the same way."""
    from core.summary import summary_of
    from tui.cli.status_text import check_line

    try:
        is_brief = not call.args.names and not call.wants_json
        status = None if is_brief else call.engine.status(call.args.names, probe=True)
        summary = call.engine.summary() if status is None else summary_of(status)
        stored = () if call.args.names else call.engine.daily_look()
    except CertdeckError as exc:
        if call.wants_json:
            from tui.cli.jsonout import dumped, error_json

            call.output.out.raw(dumped({"error": error_json(exc)}))
        else:
            call.say(
                f"CERTDECK CRITICAL - {printable(exc.what)} {printable(exc.why)} {printable(exc.fix)}".replace("|", "/")
            )
        return exits.CRITICAL
    level, line = check_line(summary, stored)
    if status is not None and call.wants_json:
        from tui.cli.jsonout import dumped, findings_json, status_json

        found = {"store": findings_json(stored)["findings"]} if stored else {}
        call.output.out.raw(dumped({**status_json(status), **found}))
    else:
        call.say(line)
    return level


COMMANDS = (
    Command(
        words="status",
        arguments=_arguments,
        run=_run,
        examples=(
            "status",
            "status shop",
            "status --json",
            "status --check    # for Nagios, Icinga and the like",
            "status --what-if 2028-02-16    # Let's Encrypt issues for 45 days then",
        ),
        notes="With --check, the exit status is 0 for ok, 1 for warning, 2 for critical: the worst `health` of all certificates,\n"
        "which --json shows with its reasons. A timer that is absent, off or failed and a clock in doubt are warnings; state\n"
        "that cannot be read is critical.",
    ),
)
