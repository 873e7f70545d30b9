"""Runs a service's own commands and describes their results.

A command's output is foreign text: for the user, control characters are removed and only the last lines are kept.
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
"""How nginx, haproxy, apache and others mark the relevant line."""
NOT_STARTED = 127
"""Return code of a program that could not be started, used by shells and by our Runner."""


def check_commands(env: Environment, targets: Sequence[TargetConfig]) -> None:
    """Raise UntrustedPath (`untrusted-path`) if root may not run a target's commands, before anything is changed."""
    for target in targets:
        env.check_command(target.test)
        env.check_command(target.reload)
        if is_pushed(target):
            env.check_command(("ssh",))


def run_test(env: Environment, target: TargetConfig, cancel: CancelToken | None = None) -> CommandResult:
    """Run the configuration test of a target; without one, it passes. Blocks up to its time limit. Raises Cancelled."""
    return _run(env, target, target.test, cancel)


def run_reload(
    env: Environment, target: TargetConfig, cancel: CancelToken | None = None, *, restoring: bool = False
) -> CommandResult:
    """Make the service read its files again. Blocks up to the target's time limit for each step. Raises Cancelled.

    The output decides together with the exit status: many services exit with success and report a failure, or the other way round.

    Args:
        restoring: the old files are restored.
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
    """Return whether the files of a target are copied to another machine."""
    return kind_of(target).action.push


def unsettled(targets: Sequence[TargetConfig]) -> bool:
    """Return whether another machine may be in the middle of a change."""
    pushed = [target for target in targets if is_pushed(target)]
    if not pushed:
        return False
    from core.targets.remote import is_confirmed

    return not all(map(is_confirmed, pushed))


def action_of(target: TargetConfig) -> tuple[object, ...]:
    """Return what distinguishes the actions of targets: targets with the same action share a service, which is reloaded once."""
    action = kind_of(target).action
    if target.reload and not (action.stdin and is_own(target.reload, action)):
        return target.reload
    return (target.name,)


def by_action(
    targets: Sequence[TargetConfig],
    key: Callable[[TargetConfig], tuple[object, ...]],
    run: Callable[[TargetConfig], CommandResult],
) -> dict[str, CommandResult]:
    """Run a function for each target in parallel, once for those with the same key; return target name → result."""
    first = {key(target): target for target in reversed(targets)}
    verdicts = dict(zip(first, map_concurrently(run, list(first.values())), strict=True))
    return {target.name: verdicts[key(target)] for target in targets}


def run_recover(env: Environment, target: TargetConfig) -> CommandResult | None:
    """Restore a service that a reload does not restore; None if its kind has no such command or the target has its own command."""
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
    except UntrustedPath as exc:  # during a rollback, this must not prevent the restore of the files
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
    """Return the line that names the cause: many programs end with a line that only reports a failure."""
    for line in lines:
        if any(sign in line.lower() for sign in _SIGNS):
            return line
    return lines[-1]
