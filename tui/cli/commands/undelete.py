"""`certdeck undelete`: lists and restores deleted certificates."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tui.cli import exits
from tui.cli.jsonout import rfc3339
from tui.cli.parser import Command
from tui.cli.tables import table
from tui.glyphs import printable
from tui.wording.text import moment

if TYPE_CHECKING:
    from core.kept import DeletedLineage, Restored
    from tui.cli.call import Call


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="the certificate to restore (default: list them)")


def _run(call: Call) -> int:
    if call.args.name is None:
        return _list(call)
    with call.working() as report:
        done = call.engine.undelete(call.args.name, report=report)
    name = printable(done.name)
    value = {"name": done.name, "version": done.version, "live": done.live}
    call.result(value, [f"Restored {name}. {_state(done)} {_following(done)}"])
    return exits.DONE


def _state(done: Restored) -> str:
    if not done.live:
        kept = "" if done.version is None else f" Version {done.version} is kept, but not live."
        return f"It has no live certificate.{kept}" if kept else "It has no certificate yet."
    newer = f"; version {done.rolled_back_from} is kept too" if done.rolled_back_from else ""
    return f"Version {done.version} is live{newer}."


def _following(done: Restored) -> str:
    """Return what is left to do. Nothing, if its services already serve it."""
    name = printable(done.name)
    shows = f"`certdeck status {name}` shows it"
    waiting = [printable(target) for target in done.targets if target not in done.shown_by]
    if waiting:
        return f"{shows}, `certdeck deploy {name}` deploys it to {', '.join(waiting)} again."
    if done.targets:
        serve = "serves" if len(done.targets) == 1 else "serve"
        return f"{', '.join(map(printable, done.targets))} already {serve} it. {shows}."
    return f"{shows}, `certdeck deploy {name} --target …` deploys it to a service again."


def _list(call: Call) -> int:
    found = call.engine.deleted()
    rows = [[printable(each.name), *_times(each), "restored" if each.in_the_way else ""] for each in found]
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
    deleted = "its settings are missing" if each.deleted is None else moment(each.deleted)
    return [deleted, "–" if each.kept_until is None else moment(each.kept_until)]


COMMANDS = (
    Command(
        words="undelete",
        arguments=_arguments,
        run=_run,
        examples=("undelete", "undelete shop"),
        notes=(
            "Restores all versions and the settings; deploys nothing. Also restores a certificate whose file in\n"
            "certificates.d is missing while its versions are still stored."
        ),
    ),
)
