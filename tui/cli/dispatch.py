"""Runs one command line, and turns every result and failure into output and an exit status.

All results and failures pass through here, so that `--json` prints exactly one object on stdout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from core.errors import Cancelled, CertdeckError, UsageError
from tui import interrupts
from tui.cli import exits
from tui.cli.output import Output
from tui.cli.parser import parse, wants_json

if TYPE_CHECKING:
    from core.engine import Engine


def dispatch(argv: Sequence[str], engine_factory: Callable[[], Engine], variables: Mapping[str, str]) -> int:
    """Run the command in `argv`. Returns the exit status. Never raises."""
    return _guarded(lambda output: _carry_out(argv, engine_factory, output), variables, argv=argv)


def guarded(run: Callable[[], int], variables: Mapping[str, str]) -> int:
    """Run the console. Its errors are reported as for a command."""
    return _guarded(lambda _output: run(), variables)


def refuse_without_terminal(variables: Mapping[str, str]) -> int:
    """Report that the console cannot be shown without a terminal, and what to do (SF-10: every task has a command)."""
    error = UsageError(
        "The console needs a terminal.",
        "Input or output is a pipe or a file, so the console cannot be drawn or controlled.",
        "Use a command instead: `certdeck status`, `certdeck issue`, `certdeck --renew`; `certdeck --help` lists them all.",
    )
    return _guarded(lambda _output: _raise(error), variables)


def refuse_hidden_console(variables: Mapping[str, str]) -> int:
    """Report on standard output, which is the terminal, that the console is not visible because standard error is redirected."""
    error = UsageError(
        "The console cannot be shown.",
        "It uses standard error, which is redirected to a file or a pipe.",
        "Start certdeck without `2>`, or use a command: `certdeck --help` lists them all.",
    )
    from tui.cli.plain import error_lines

    output = Output(variables)
    output.out.lines(error_lines(error, output.out))
    output.finish()
    return exits.status_of(error)


def _raise(error: CertdeckError) -> int:
    raise error


def _carry_out(argv: Sequence[str], engine_factory: Callable[[], Engine], output: Output) -> int:
    parsed = parse(argv)
    if isinstance(parsed, str):
        output.out.raw(parsed if output.out.unicode else parsed.encode("ascii", "replace").decode())
        return exits.DONE
    from tui.cli.call import Call

    command, arguments = parsed
    return command.run(Call(arguments, engine_factory(), output))


def _guarded(run: Callable[[Output], int], variables: Mapping[str, str], *, argv: Sequence[str] = ()) -> int:
    output = Output(variables)
    try:
        try:
            interrupts.raise_again()
            status = run(output)
            interrupts.end_silently()
        except CertdeckError as exc:
            interrupts.end_silently()
            status = _failed(exc, output, argv)
        except KeyboardInterrupt:
            interrupts.end_silently()
            if output.err.is_terminal:
                output.err.line()  # the terminal has echoed ^C
            status = _failed(_interrupted(), output, argv)
        except OSError as exc:
            from tui.cli.crash import refused_by_system

            status = _failed(refused_by_system(exc, variables), output, argv)
        except Exception as exc:  # noqa: BLE001 - the last line of defence: a bug must not show a traceback
            from tui.cli.crash import internal_error

            status = _failed(internal_error(exc, variables), output, argv)
        output.finish()
    except CertdeckError as exc:  # stdout cannot be written: report it on stderr
        status = _failed(exc, output, ())
    return status


def _failed(error: CertdeckError, output: Output, argv: Sequence[str]) -> int:
    if wants_json(argv) and not output.out.is_lost:
        from tui.cli.jsonout import dumped, error_json

        output.out.raw(dumped({"error": error_json(error)}))
    else:
        from tui.cli.plain import error_lines

        for line in error_lines(error, output.err):
            output.err.line(line)
    return exits.status_of(error)


def _interrupted() -> Cancelled:
    return Cancelled(
        "Interrupted.",
        "Ctrl-C or a signal stopped it.",
        "Run the command again at any time. Live certificates are unchanged.",
    )
