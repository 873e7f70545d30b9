"""`certdeck log`: shows the history, newest last as text and newest first in JSON, and verifies it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.dates import day_shown
from core.errors import Cancelled, UsageError
from tui.cli import exits
from tui.cli.jsonout import log_json
from tui.cli.parser import Command
from tui.cli.prompts import agrees
from tui.glyphs import printable
from tui.wording.text import describe_entry

if TYPE_CHECKING:
    from core.operations import LogEntry
    from tui.cli.call import Call


_NEW_CHAIN = (
    "The log is moved to state/set-aside, and a new one is started: `certdeck log` shows only what happens from now on, and "
    "`log --verify` checks only that. Nothing is deleted. Start a new log?"
)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lineage", metavar="NAME", help="only entries of this certificate")
    parser.add_argument("--limit", metavar="N", type=int, default=50, help="how many entries (default: 50)")
    parser.add_argument("--verify", action="store_true", help="check that no entry was altered")
    parser.add_argument("--new-chain", action="store_true", help="set the log aside and start a new one")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation (with --new-chain)")


def _run(call: Call) -> int:
    if call.args.verify and call.args.new_chain:
        raise UsageError(
            "The log is either checked or replaced by a new one.",
            "--verify and --new-chain are separate steps.",
            "Omit one of them.",
        )
    if call.args.verify:
        return _verify(call)
    if call.args.new_chain:
        return _new_chain(call)
    if call.args.limit < 1:
        raise UsageError("--limit must be 1 or more.", "At least one entry must be shown.", "Give a number such as 50.")
    entries = call.engine.log(lineage=call.args.lineage, limit=call.args.limit)
    call.result(log_json(entries), map(_line, reversed(entries)) if entries else ["The log is empty."])
    return exits.DONE


def _line(entry: LogEntry) -> str:
    at = entry.at.astimezone()
    about = f"{printable(entry.lineage)}: " if entry.lineage else ""
    who = f"  [{printable(entry.who)}]" if entry.who else ""
    return (
        f"{entry.number:>6}  {day_shown(at):>11} {at:%H:%M:%S}  {about}{describe_entry(entry.kind, entry.facts)}{who}"
    )


def _verify(call: Call) -> int:
    checked, problem = call.engine.verify_log()
    value = {"checked": checked, "intact": problem is None, "problem": problem}
    said = f"The log is intact: {_entries(checked)}." if problem is None else printable(problem)
    call.result(value, [said])
    return exits.DONE if problem is None else exits.FAILED


def _new_chain(call: Call) -> int:
    if call.can_ask and not call.args.yes and not agrees(call, _NEW_CHAIN):
        raise Cancelled("Nothing was done.", "You did not confirm.", "Answer y, or add --yes.")
    made = call.engine.new_log_chain()
    place = None if made.set_aside is None else str(made.set_aside)
    lines = ["A new log was started. Its first entry says how the old one ended."]
    if place is not None:
        lines.append(
            f"The old log, {_entries(made.previous_entries)}, is in {printable(place)}. `certdeck log` no longer shows it."
        )
    call.result({"previous_entries": made.previous_entries, "set_aside": place}, lines)
    return exits.DONE


def _entries(count: int) -> str:
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


COMMANDS = (
    Command(
        words="log",
        arguments=_arguments,
        run=_run,
        examples=("log", "log --lineage shop --limit 200", "log --verify", "log --new-chain"),
        meant="--lineage",
        notes="With --verify, the exit status is 1 if an entry was changed or is missing, or if this cannot be verified.\n"
        "A damaged or moved log always fails. --new-chain moves the remaining entries to state/set-aside and starts a\n"
        "new log; in a terminal it asks first.",
    ),
)
