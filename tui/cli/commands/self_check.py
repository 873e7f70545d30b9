"""`certdeck self-check`: checks that the program is complete and can read its state."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tui.cli import exits
from tui.cli.jsonout import findings_json
from tui.cli.parser import Command
from tui.cli.results_text import finding_lines

if TYPE_CHECKING:
    from tui.cli.call import Call


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Add no argument: the command has none."""


def _run(call: Call) -> int:
    import tui
    from core.modules import loaded

    sys.dont_write_bytecode = True  # the check must not write files
    findings = (*loaded(tui.__name__, list(tui.__path__)), *call.engine.self_check())
    is_good = all(finding.status != "fail" for finding in findings)
    lines = list(finding_lines(findings, call.output.out))
    lines[-1] = "Everything can be loaded and read." if is_good else "Something cannot be loaded or read."
    call.result(findings_json(findings), lines)
    return exits.DONE if is_good else exits.FAILED


COMMANDS = (
    Command(
        words="self-check",
        arguments=_arguments,
        run=_run,
        examples=("self-check", "self-check --json    # after an update"),
        notes="Loads every module, opens the vault, reads every file and verifies the log. Changes nothing. The exit status is 1\n"
        "if something cannot be loaded or read.",
    ),
)
