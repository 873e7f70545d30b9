"""`certdeck undelete`: what was deleted, and bringing it back."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tui.cli import exits
from tui.cli.jsonout import rfc3339
from tui.cli.parser import Command
from tui.cli.tables import table
from tui.glyphs import printable
from tui.text import moment

if TYPE_CHECKING:
    from core.kept import DeletedLineage
    from tui.cli.call import Call


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="the certificate to bring back (without: list them)")


def _run(call: Call) -> int:
    if call.args.name is None:
        return _list(call)
    with call.working() as report:
        done = call.engine.undelete(call.args.name, report=report)
    name = printable(done.name)
    state = f"Version {done.version} is live." if done.live else "It has no certificate yet."
    following = f"`certdeck status {name}` shows it, `certdeck deploy {name} --target …` gives it to a service again."
    value = {"name": done.name, "version": done.version, "live": done.live}
    call.result(value, [f"Brought {name} back. {state} {following}"])
    return exits.DONE


def _list(call: Call) -> int:
    found = call.engine.deleted()
    rows = [[printable(each.name), *_times(each), "there again" if each.in_the_way else ""] for each in found]
    none = ["Nothing was deleted in the last 30 days."]
    value = [
        {
            "name": each.name,
            "deleted": None if each.deleted is None else rfc3339(each.deleted),
            "kept_until": None if each.kept_until is None else rfc3339(each.kept_until),
            "in_the_way": each.in_the_way,
        }
        for each in found
    ]
    call.result({"deleted": value}, table(["NAME", "DELETED", "KEPT UNTIL", ""], rows) if rows else none)
    return exits.DONE


def _times(each: DeletedLineage) -> list[str]:
    deleted = "its settings are gone" if each.deleted is None else moment(each.deleted)
    return [deleted, "–" if each.kept_until is None else moment(each.kept_until)]


COMMANDS = (
    Command(
        words="undelete",
        arguments=_arguments,
        run=_run,
        examples=("undelete", "undelete shop"),
        notes=(
            "Brings back all versions and the settings; nothing is deployed. Also a certificate whose file in\n"
            "certificates.d is gone while its versions are still stored."
        ),
    ),
)
