"""`certdeck renew` and `certdeck --renew`: the scheduled run. With nothing due, it loads and prints as little as possible."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tui.cli import exits
from tui.cli.parser import Command

if TYPE_CHECKING:
    from core.operations import RenewalReport
    from tui.cli.call import Call


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="*", help="only these certificates")
    parser.add_argument("--force", action="store_true", help="renew even if nothing is due")
    parser.add_argument("--dry-run", action="store_true", help="show what would be renewed; change nothing")


def _in_json(report: RenewalReport) -> str:
    from tui.cli.jsonout import dumped, renewal_json

    return dumped(renewal_json(report, dry_run=False))


def _run(call: Call) -> int:
    args = call.args
    with call.working() as report:
        done = call.engine.renew(
            args.names, force=args.force, dry_run=args.dry_run, report=report, cancel=call.cancel, in_json=_in_json
        )
    if call.wants_json:
        from tui.cli.jsonout import renewal_json

        call.result(renewal_json(done, dry_run=args.dry_run), ())
    else:
        from tui.cli.renewal_text import failure_lines, renewal_lines

        now = call.engine.env.clock.now()
        call.result({}, renewal_lines(done, now=now, named=bool(args.names), dry_run=args.dry_run))
        call.output.err.lines(failure_lines(done, call.output.err))
    if done.failed:
        return exits.FAILED
    waits = args.names and any(skipped.needs_you for skipped in done.skipped)
    return exits.PENDING if waits else exits.DONE


COMMANDS = (
    Command(
        words="renew",
        arguments=_arguments,
        run=_run,
        examples=(
            "--renew                # for a timer, once or twice a day",
            "renew shop --force     # now, even if it is not due",
            "renew --dry-run        # what would happen",
        ),
        notes="One failure does not stop the others; the exit status is 1 if any failed. For a certificate with manual DNS "
        "records, give its name to start an order; the exit status is then 3, and `complete` continues it.",
    ),
)
