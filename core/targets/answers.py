"""Judges how a service responds to a reload by its output, because its exit status is not reliable."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

from core.config.model import TargetConfig
from core.ports import Environment
from core.regular import read_without_waking
from core.targets.command_result import CommandResult, plain
from core.targets.kind import Action
from core.targets.resolved import in_text

_SECRET_CHARACTERS = 8
_WRAPPERS = ("runuser", "sudo", "setpriv", "env", "nsenter")


def is_own(argv: Sequence[str], action: Action) -> bool:
    """Return whether a command runs the same program as the kind's own command, so that its output means the same. Pure."""
    return bool(argv) and bool(action.command) and program_of(argv) == program_of(action.command)


def ends_sessions(target: TargetConfig) -> bool:
    """Return whether a deployment to a target restarts its service, which ends established connections. Pure.

    Args:
        target: with its kind's commands filled in.
    """
    return any(
        word in (*target.reload, *target.remote_reload) for word in ("restart", "try-restart", "reload-or-restart")
    )


def program_of(argv: Sequence[str]) -> str:
    """Return the name of the program that a command runs, without wrappers such as `runuser -u postgres --` and `env A=B`."""
    words = [*argv]
    if PurePath(words[0]).name in _WRAPPERS and "--" in words[:-1]:
        words = words[words.index("--") + 1 :]
    elif PurePath(words[0]).name == "env":
        words = next((words[at:] for at in range(1, len(words)) if "=" not in words[at]), words)
    return PurePath(words[0]).name


def judged(output: str, says: Sequence[str], failure_signs: Sequence[str], who: str) -> CommandResult:
    """Return the verdict on a command or a reply that succeeded formally: its text may report a failure. Pure."""
    lines = [line.strip().lower() for line in output.splitlines()]
    failed = next((line for line in lines if any(sign in line for sign in failure_signs)), None)
    is_said = not says or any(line.startswith(word.lower()) for line in lines for word in says)
    if failed is None and is_said:
        return CommandResult(ok=True)
    said = output.splitlines()[-1].strip() if output.strip() else "nothing"
    return CommandResult(ok=False, why=f"{who} did not report success. It said: {said.rstrip('.')}.", output=output)


def tell(env: Environment, target: TargetConfig, action: Action) -> CommandResult:
    """Tell a service over its socket to load the files at the target's paths. Blocks up to the target's time limit."""
    exchange = action.exchange
    assert exchange is not None
    address = target.socket or exchange.socket
    if address == "{probe}":
        if not target.probe:
            return CommandResult(
                ok=False,
                why=f"The target {target.name} has no probe, and certdeck reloads its service through that address.",
            )
        address = target.probe[0]
    try:
        pem = _pem(target)
    except OSError as exc:
        return CommandResult(ok=False, why=f"{exc.filename or target.certificate} cannot be read: {exc.strerror}.")

    def say(message: str) -> CommandResult:
        text = in_text(message, target).replace("{pem}", pem)
        ended = env.talker.say(address, text.encode(), timeout=target.timeout_seconds)
        output = plain(_without(ended.output, pem))
        if ended.returncode:
            return CommandResult(ok=False, why=output, output=output, is_idle=_is_idle(output))
        return judged(output, action.says, action.failure_signs, address)

    for message in exchange.say:
        verdict = say(message)
        if not verdict.ok:
            if exchange.on_failure and not verdict.is_idle:
                say(exchange.on_failure)
            return verdict
    return CommandResult(ok=True)


def _pem(target: TargetConfig) -> str:
    """Return certificate, chain and key as one text, without empty lines, which would end it early. Raises OSError."""
    paths = dict.fromkeys((target.certificate, target.key))
    texts = [read_without_waking(Path(path)).decode("ascii", "replace") for path in paths if path]
    return "".join(f"{line}\n" for text in texts for line in text.splitlines() if line.strip())


def _without(answer: str, pem: str) -> str:
    """Return a reply without what was sent: a service that does not understand a message repeats it, and it contains a key."""
    for line in pem.splitlines():
        if len(line) >= _SECRET_CHARACTERS:
            answer = answer.replace(line, "…")
    return answer


def _is_idle(output: str) -> bool:
    said = output.lower()
    return "no such file" in said or "connection refused" in said
