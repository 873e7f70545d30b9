"""Runs a service's own commands and puts what they say into words.

A command's output comes from outside: what reaches a person is stripped of control characters and cut to its last lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.concurrently import map_concurrently
from core.config.model import TargetConfig
from core.errors import UntrustedPath
from core.ports import CancelToken, Environment
from core.targets.answers import is_own, judged, tell
from core.targets.command_result import CommandResult, plain, shown
from core.targets.kind import Action
from core.targets.kinds import IDLE_SIGNS, kind_of
from core.targets.resolved import in_text

_SIGNS = ("[emerg]", "[alert]", "error:", "[error]", "fatal")
"""How nginx, haproxy, apache and others mark the line that matters."""
NOT_STARTED = 127
"""Return code of a program that could not be started, of a shell and of our Runner alike."""


def check_commands(env: Environment, targets: Sequence[TargetConfig]) -> None:
    """Raise UntrustedPath (`untrusted-path`) where root may not run the commands of a target, before anything is touched."""
    for target in targets:
        env.check_command(target.test)
        env.check_command(target.reload)
        if is_pushed(target):
            env.check_command(("ssh",))


def run_test(env: Environment, target: TargetConfig, cancel: CancelToken | None = None) -> CommandResult:
    """Run the configuration test of a target; one without any passes. Blocks up to its time limit. Raises Cancelled."""
    return _run(env, target, target.test, cancel)


def run_reload(
    env: Environment, target: TargetConfig, cancel: CancelToken | None = None, *, restoring: bool = False
) -> CommandResult:
    """Make the service read its files again. Blocks up to the target's time limit for each step. Raises Cancelled.

    What the service says decides together with the exit status: many report success with words of failure, or the other way round.

    Args:
        restoring: the old files are back.
    """
    action = kind_of(target).action
    if action.push:
        from core.targets.remote import push

        return push(env, target, cancel, restoring=restoring)
    if not target.reload and action.exchange is not None:
        return tell(env, target, action)
    if action.before is not None and target.reload:

        def output_of(argv: Sequence[str]) -> str | None:
            ended = env.runner.run(argv, timeout=target.timeout_seconds, cancel=cancel)
            return ended.output if ended.returncode == 0 else None

        for argv in action.before(output_of, target.reload):
            verdict = _run(env, target, argv, cancel)
            if not verdict.ok:
                return verdict
    if not is_own(target.reload, action):
        return _run(env, target, target.reload, cancel)
    stdin = in_text(action.stdin, target).encode() if action.stdin else None
    return _run(env, target, target.reload, cancel, stdin, action)


def is_pushed(target: TargetConfig) -> bool:
    """Tell whether the files of a target go to another machine."""
    return kind_of(target).action.push


def unsettled(targets: Sequence[TargetConfig]) -> bool:
    """Tell whether another machine may be in the middle of a change."""
    pushed = [target for target in targets if is_pushed(target)]
    if not pushed:
        return False
    from core.targets.remote import is_confirmed

    return not all(map(is_confirmed, pushed))


def action_of(target: TargetConfig) -> tuple[object, ...]:
    """Return what tells the actions of targets apart: those with the same one are one service, and it is told once."""
    action = kind_of(target).action
    if target.reload and not (action.stdin and is_own(target.reload, action)):
        return target.reload
    return (target.name,)


def by_action(
    targets: Sequence[TargetConfig],
    key: Callable[[TargetConfig], tuple[object, ...]],
    run: Callable[[TargetConfig], CommandResult],
) -> dict[str, CommandResult]:
    """Run something for each target, side by side, and once for those with the same key; return name → how it ended."""
    first = {key(target): target for target in reversed(targets)}
    verdicts = dict(zip(first, map_concurrently(run, list(first.values())), strict=True))
    return {target.name: verdicts[key(target)] for target in targets}


def run_recover(env: Environment, target: TargetConfig) -> CommandResult | None:
    """Bring a service back that does not come back by its reload; None where its kind knows no way, or the target has its own."""
    action = kind_of(target).action
    if not action.recover or (action.command and not is_own(target.reload, action)):
        return None
    return _run(env, target, action.recover, None)


def _run(
    env: Environment,
    target: TargetConfig,
    argv: Sequence[str],
    cancel: CancelToken | None,
    stdin: bytes | None = None,
    judge: Action | None = None,
) -> CommandResult:
    if not argv:
        return CommandResult(ok=True, did_run=False)
    try:
        env.check_command(argv)
    except UntrustedPath as exc:  # while going back, this must not stand in the way of the files
        return CommandResult(ok=False, why=f"{exc.what} {exc.why} {exc.fix}.")
    ended = env.runner.run(argv, timeout=target.timeout_seconds, cancel=cancel, stdin=stdin)
    output = plain(ended.output)
    if ended.returncode == 0 and not ended.timed_out:
        return CommandResult(ok=True) if judge is None else judged(output, judge.says, judge.failure_signs, shown(argv))
    last = _telling(output.split("\n"))
    if ended.timed_out:
        why = f"{shown(argv)} did not finish within {target.timeout_seconds} s and was stopped."
    elif ended.returncode == NOT_STARTED:
        why = f"It could not be started: {last or shown(argv)}"
    elif ended.returncode < 0:
        why = f"{shown(argv)} was killed by signal {-ended.returncode}."
    else:
        why = f"{shown(argv)} exited with status {ended.returncode}{': ' if last else '.'}{last}"
    said = output.lower()
    return CommandResult(
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
