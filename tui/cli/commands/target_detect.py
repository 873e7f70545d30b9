"""`certdeck target detect`: finds the TLS services of this box and what each serves, and adds them as targets."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tui.cli import exits
from tui.cli.detect_text import detected_json, detected_lines, target_json
from tui.cli.parser import Command
from tui.glyphs import printable

if TYPE_CHECKING:
    from tui.cli.call import Call


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--add", metavar="ID", nargs="+", help="add these services as targets")


def _run(call: Call) -> int:
    if call.args.add:
        return _add(call)
    with call.working(tell=False):
        found = call.engine.detect(cancel=call.cancel)
    call.result(detected_json(found), detected_lines(found, call.output.out))
    return exits.DONE


def _add(call: Call) -> int:
    with call.working(tell=False) as report:
        added = call.engine.take_over(call.args.add, cancel=call.cancel, report=report)
    lines = [
        f"{printable(each.name)} is now a target. `certdeck deploy NAME --target {printable(each.name)}` "
        "deploys a certificate to it."
        for each in added
    ]
    call.result({"added": [target_json(each) for each in added]}, lines)
    return exits.DONE


COMMANDS = (
    Command(
        words="target detect",
        arguments=_arguments,
        run=_run,
        examples=("target detect", "target detect --json", "target detect --add nginx postfix"),
        notes="Detection changes nothing. Only root can see services of other users. `status` shows the last result.",
    ),
)
