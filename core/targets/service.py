"""Runs a service's own commands and puts what they say into words.

A command's output comes from outside: what reaches a person is stripped of control characters and cut to its last lines.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from msgspec import Struct

from core.config.model import TargetConfig
from core.errors import UntrustedPath
from core.ports import CancelToken, Environment
from core.targets.kinds import IDLE_SIGNS, kind_of
from core.text import tail

MAX_LINES = 12
MAX_LINE_CHARACTERS = 300
_SIGNS = ("[emerg]", "[alert]", "error:", "[error]", "fatal")
"""How nginx, haproxy, apache and others mark the line that matters."""
NOT_STARTED = 127
"""Return code of a program that could not be started, of a shell and of our Runner alike."""


class Verdict(Struct, frozen=True, kw_only=True):
    """How a command of a service ended."""

    ok: bool
    why: str = ""
    """One sentence; empty when it went well."""
    output: str = ""
    is_idle: bool = False
    """The service does not run at all, so there was nothing to reload."""


def check_commands(env: Environment, targets: Sequence[TargetConfig]) -> None:
    """Raise UntrustedPath (`untrusted-path`) where root may not run the commands of a target, before anything is touched."""
    for target in targets:
        env.check_command(target.test)
        env.check_command(target.reload)


def run_test(env: Environment, target: TargetConfig, cancel: CancelToken | None = None) -> Verdict:
    """Run the configuration test of a target; one without any passes. Blocks up to its time limit. Raises Cancelled."""
    return _run(env, target, target.test, cancel)


def run_reload(env: Environment, target: TargetConfig, cancel: CancelToken | None = None) -> Verdict:
    """Make the service read its files again. Blocks up to the target's time limit. Raises Cancelled."""
    return _run(env, target, target.reload, cancel)


def shown(argv: Sequence[str]) -> str:
    """Return a command as a person would type it."""
    return plain(shlex.join(argv))


def plain(text: str) -> str:
    """Return the last lines of what a program said, without anything that a terminal would act on."""
    return tail(text, MAX_LINES, MAX_LINE_CHARACTERS)


def _run(env: Environment, target: TargetConfig, argv: Sequence[str], cancel: CancelToken | None) -> Verdict:
    if not argv:
        return Verdict(ok=True)
    try:
        env.check_command(argv)
    except UntrustedPath as exc:  # while going back, this must not stand in the way of the files
        return Verdict(ok=False, why=f"{exc.what} {exc.why} {exc.fix}.")
    ended = env.runner.run(argv, timeout=target.timeout_seconds, cancel=cancel)
    if ended.returncode == 0 and not ended.timed_out:
        return Verdict(ok=True)
    output = plain(ended.output)
    last = _telling(output.split("\n"))
    if ended.timed_out:
        why = f"{shown(argv)} did not end within {target.timeout_seconds} s and was stopped."
    elif ended.returncode == NOT_STARTED:
        why = f"It could not be started: {last or shown(argv)}"
    elif ended.returncode < 0:
        why = f"{shown(argv)} was killed by signal {-ended.returncode}."
    else:
        why = f"{shown(argv)} ended with status {ended.returncode}{': ' if last else '.'}{last}"
    said = output.lower()
    return Verdict(
        ok=False,
        why=why if why.endswith(".") else f"{why}.",
        output=output,
        is_idle=not ended.timed_out and any(sign in said for sign in (*IDLE_SIGNS, *kind_of(target).action.idle_signs)),
    )


def _telling(lines: Sequence[str]) -> str:
    """Return the line that says what is wrong: most programs end with another one that only says that something is."""
    for line in lines:
        if any(sign in line.lower() for sign in _SIGNS):
            return line
    return lines[-1]
