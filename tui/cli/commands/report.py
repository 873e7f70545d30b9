"""`certdeck report`: writes one file for a bug report, without secrets."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import CertdeckError, UsageError
from tui.cli import exits
from tui.cli.output import Stream
from tui.cli.parser import Command
from tui.glyphs import printable

if TYPE_CHECKING:
    from tui.cli.call import Call

_READ_IT = (
    "It contains no keys, passwords or tokens, but names of domains, hosts and accounts. Read it before you send it."
)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", required=True, metavar="FILE", help="output file (tar.gz); an existing file is replaced"
    )


def _run(call: Call) -> int:
    if call.args.out == "-":
        raise UsageError(
            "A report is written to a file.", "It is a compressed archive.", "Run: certdeck report --out FILE"
        )
    out = Path(call.args.out)
    plain = Stream(None, {}, must_arrive=False)
    with call.working(tell=False):
        texts = {
            "status.txt": _said(lambda: _status(call, plain)),
            "status.json": _said(lambda: [_status_json(call)]),
            "doctor.txt": _said(lambda: _doctor(call, plain)),
        }
        files = call.engine.write_report(out, texts=texts)
    call.result({"path": str(out), "files": list(files)}, [f"Wrote {printable(str(out))}. {_READ_IT}"])
    return exits.DONE


def _said(lines: Callable[[], Iterable[str]]) -> str:
    """Return lines as text. If they cannot be produced, return the error."""
    try:
        return "".join(f"{line}\n" for line in lines())
    except CertdeckError as exc:
        return f"{exc.code}: {exc}\n"


def _status(call: Call, plain: Stream) -> Iterable[str]:
    from tui.cli.status_text import problem_lines, status_lines

    status = call.engine.status()
    yield from status_lines(status, plain)
    yield from problem_lines(status, plain)


def _status_json(call: Call) -> str:
    from tui.cli.jsonout import dumped, status_json

    return dumped(status_json(call.engine.status())).rstrip()


def _doctor(call: Call, plain: Stream) -> Iterable[str]:
    from tui.cli.results_text import finding_lines

    return finding_lines(call.engine.doctor(cancel=call.cancel), plain)


COMMANDS = (
    Command(
        words="report",
        arguments=_arguments,
        run=_run,
        examples=("report --out certdeck-report.tar.gz",),
        notes=(
            "Contains versions, settings, status, doctor's findings, the last entries of the log, and modes and "
            "sizes of certdeck's\n"
            "files, as text. Private keys, passwords, tokens and similar strings are removed. Readable only by you\n"
            "(0600). Read it before you send it."
        ),
    ),
)
