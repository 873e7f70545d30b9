"""The program `certdeck`: without arguments the console, with arguments a command.

It only chooses the front end, and handles unexpected exceptions: the traceback goes to the debug log, and the user gets an error
that names the log.
"""

import _signal  # type: ignore[import-not-found]  # built in; `signal` itself takes 3 ms, in which somebody may press ^C
import sys

if (__name__ == "__main__" or sys.argv[0].endswith("certdeck")) and _signal.getsignal(
    _signal.SIGINT
) == _signal.default_int_handler:
    # When run as a program, ^C ends it silently until there is something to stop (tui.interrupts). Nothing is imported before this,
    # not even from __future__: during an import, ^C would print a traceback.
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import os

import core
import tui
from tui import interrupts

TYPE_CHECKING = False  # importing `typing` takes longer than an idle scheduled run should
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    from core.engine import Engine


_RARELY = 100_000
"""New objects between two garbage collections; Python's default is 700. An issuance creates 60,000 objects, all of which stay:
three collections would take a tenth of its processor time."""


def open_engine() -> "Engine":
    """Return the engine with the real environment."""
    from core.engine import Engine

    return Engine.open()


def main(argv: "Sequence[str] | None" = None, *, engine_factory: "Callable[[], Engine]" = open_engine) -> int:
    """Run certdeck and return the exit status.

    Args:
        argv: without the program's name. None: the arguments of this process.
        engine_factory: creates the engine, at most once, on first use.
    """
    interrupts.end_silently()
    try:
        return _run(argv, engine_factory)
    finally:
        if argv is not None:
            interrupts.raise_again()  # the caller continues


def program() -> "NoReturn":
    """Run certdeck as the program, and end the process without freeing its modules, which takes a fifth of an issuance.

    Every file is closed by then. If a thread still runs, or a stream cannot be written, Python ends as usual.
    """
    status = main()
    threads = sys.modules.get("threading")
    if (threads is None or threads.active_count() == 1) and _is_written():
        os._exit(status)
    sys.exit(status)


def _is_written() -> bool:
    """Flush the streams. Returns whether everything was written."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return False
    return True


def _run(argv: "Sequence[str] | None", engine_factory: "Callable[[], Engine]") -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    _check_whole()
    if not arguments or arguments == ["--plain"]:
        return _console(engine_factory, plain=bool(arguments))
    try:
        if engine_factory is open_engine:
            from tui.cli.nothing_due import said_again

            if said_again(arguments, os.environ):
                return 0
        return _rarely_collecting(arguments, engine_factory, ends=argv is None)
    except (ImportError, OSError, EOFError) as exc:  # later ones are caught where every command runs
        return _incomplete(exc, as_json="--json" in arguments)


def _incomplete(exc: Exception, *, as_json: bool) -> int:
    """Report that the program cannot be loaded, without its own code for errors (`ProgramIncomplete`). Returns the exit status."""
    what = "A part of certdeck could not be loaded."
    why = f"{getattr(exc, 'name', None) or 'A module'} is missing or damaged."
    fix = "Wait until the update has finished, then try again, or install certdeck again."
    if as_json:
        import json

        error = {"code": "program-incomplete", "what": what, "why": why, "fix": fix}
        sys.stdout.write(f"{json.dumps({'error': error})}\n")
    else:
        sys.stderr.write(f"certdeck: {what}\n   why: {why}\n   fix: {fix}\n")
    return 1


def _console(engine_factory: "Callable[[], Engine]", *, plain: bool) -> int:
    import gc

    from tui.cli.dispatch import guarded, refuse_hidden_console, refuse_without_terminal

    def run_console(engine: "Engine") -> int:
        from tui.app import run
        from tui.cli.crash import log_quietly

        log_quietly(engine.paths.debug_log)
        return run(engine, plain=plain)

    if not (sys.stdin and sys.stdin.isatty() and sys.stdout and sys.stdout.isatty()):
        return refuse_without_terminal(os.environ)
    if not (sys.__stderr__ and sys.__stderr__.isatty()):
        return refuse_hidden_console(os.environ)
    gc.disable()  # until the first screen is drawn (tui.app)
    try:
        return guarded(lambda: run_console(engine_factory()), os.environ)
    finally:
        gc.enable()


def _rarely_collecting(arguments: "Sequence[str]", engine_factory: "Callable[[], Engine]", *, ends: bool) -> int:
    """Run a command with rare garbage collections: imported objects stay, and most commands end before there is garbage.

    `ends`: the process ends afterwards. Restoring the usual threshold would start a collection, a twentieth of the run.
    """
    import gc

    usual = gc.get_threshold()
    gc.set_threshold(_RARELY, *usual[1:])
    try:
        from tui.cli.dispatch import dispatch

        return dispatch(arguments, engine_factory, os.environ)
    finally:
        if not ends:
            gc.set_threshold(*usual)


def _check_whole() -> None:
    """Refuse to run with the `core` of another package, because the name is common.

    Raises SystemExit after an error message.
    """
    ours, theirs = (os.path.dirname(os.path.dirname(os.path.abspath(str(each.__file__)))) for each in (tui, core))
    if ours != theirs:
        sys.stderr.write(
            "certdeck: This installation is mixed with another package.\n"
            f"   why: `tui` comes from {ours!r} and `core` from {theirs!r}.\n"
            "   fix: Install certdeck into a separate environment, e.g. with `pipx install`.\n"
        )
        raise SystemExit(1)


if __name__ == "__main__":
    program()
