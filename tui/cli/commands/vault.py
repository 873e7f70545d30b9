"""`certdeck vault rotate`: every secret sealed anew under a new master key."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tui.cli import exits
from tui.cli.parser import Command
from tui.text import plural

if TYPE_CHECKING:
    from tui.cli.call import Call


def _none(parser: argparse.ArgumentParser) -> None:
    del parser


def _rotate(call: Call) -> int:
    with call.working(tell=False):
        count = call.engine.rotate_vault()
    call.result({"resealed": count}, [f"Sealed {plural(count, 'secret')} under a new master key."])
    return exits.DONE


COMMANDS = (
    Command(
        words="vault rotate",
        arguments=_none,
        run=_rotate,
        examples=("vault rotate",),
        notes="For when somebody may have seen the master key. Backups made before need the old one.",
    ),
)
