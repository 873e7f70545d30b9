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
    from collections.abc import Iterable, Iterator

    from core.findings import Finding
    from tui.cli.call import Call


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Add no argument: the command has none."""


def _is_good(findings: Iterable[Finding]) -> bool:
    return all(finding.status != "fail" for finding in findings)


def _themes(call: Call) -> Iterator[Finding]:
    from tui.theming import findings_of

    return findings_of(call.engine)


def _run(call: Call) -> int:
    import tui
    from core.modules import loaded

    sys.dont_write_bytecode = True  # the check must not write files
    program = tuple(loaded(tui.__name__, list(tui.__path__)))
    findings = (*program, *(_themes(call) if _is_good(program) else ()), *call.engine.self_check())
    is_good = _is_good(findings)
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
        notes="Loads every module, opens the vault, reads every file and every theme, and verifies the log. Changes nothing.\n"
        "The exit status is 1 if something cannot be loaded or read.",
    ),
)
