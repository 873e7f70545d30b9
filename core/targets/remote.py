"""Copies certificate and key of a target to another machine with the system's OpenSSH.

The target's own paths have what the other machine should have; the transaction switches them as for any other target. `push`
brings the other machine to that state. A mark next to the local files records what it has confirmed, and is `pending` from before
its first change until its last confirmation: after any failure in between, the next push repeats it.
"""

from __future__ import annotations

import errno
import os
import shlex
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from core.config.model import TargetConfig
from core.errors import CertdeckError
from core.foreign.attributes import Attributes
from core.ports import CancelToken, Completed, Environment
from core.regular import read_without_waking
from core.targets import remote_script as script
from core.targets.command_result import CommandResult, plain
from core.targets.kinds import IDLE_SIGNS
from core.targets.site import Site

_PENDING = "pending"
_UNSURE = "?"
"""Suffix of the mark: the files are there, but the service may not have loaded them."""
_UNDONE = (script.TEST_FAILED, script.RELOAD_FAILED, script.SERVICE_UNKNOWN)
_LOST = 255
"""Exit status of ssh itself."""
_NOT_STARTED = 127
_CONNECT_SECONDS = 10
_OPTIONS = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "ControlMaster=no",
    "ControlPath=none",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "LogLevel=ERROR",
    f"ConnectTimeout={_CONNECT_SECONDS}",
)
_CAUSES = (
    (
        "host key verification failed",
        "Its host key is unknown or has changed. Verify it, then add it to known_hosts.",
    ),
    ("permission denied", "The login was refused. Authorize the public key of identity_file there."),
    ("could not resolve", "Its name cannot be resolved. Correct host."),
    ("connection refused", "No SSH server is listening there. Start it, or correct port."),
    ("timed out", "It does not respond. Check the network, host and port."),
)


def push(
    env: Environment, target: TargetConfig, cancel: CancelToken | None = None, *, restoring: bool = False
) -> CommandResult:
    """Bring the other machine to the state of the target's own paths, and reload its service. Blocks. Raises Cancelled.

    Without local files, the files from before the first deployment are restored.

    Args:
        restoring: the local files are the old ones again; nothing is done if the other machine still has these.
    """
    pairs = remote_paths(target)
    try:
        contents = [(remote, read_without_waking(local)) for local, remote in pairs]
    except FileNotFoundError:
        contents = []
    except OSError as exc:
        return CommandResult(ok=False, why=f"{exc.filename or target.certificate} cannot be read: {exc.strerror}.")
    wanted = sha256(b"\0".join(sha256(content).digest() for _, content in contents)).hexdigest() if contents else ""
    known = _marked(target)
    if restoring and known == wanted:
        return CommandResult(ok=True)
    paths = [remote for _, remote in pairs]
    for path, content in contents:
        mode = "600" if b"PRIVATE KEY" in content else "644"
        ended = _ssh(env, target, script.upload(target.name, path, len(content), mode), cancel, content)
        if ended.returncode or ended.timed_out:
            # Not reset here: an earlier change may be pending, and the mark says so.
            return _failed(target, ended, "The files could not be written there.")
    try:
        _mark(target, _PENDING)
    except OSError as exc:
        return CommandResult(ok=False, why=f"{_mark_of(target)} cannot be written: {exc.strerror}.")
    except CertdeckError as exc:
        return CommandResult(ok=False, why=f"{exc.what} {exc.why}")
    ended = _ssh(
        env,
        target,
        script.switch(target.name, paths, target.remote_test, target.remote_reload)
        if contents
        else script.restore(target.name, paths, target.remote_reload),
        cancel if contents else None,
    )
    if ended.returncode == 0 and not ended.timed_out:
        return _settled(target, wanted, CommandResult(ok=True))
    verdict = _failed(target, ended, "It did not accept the new files.")
    is_undone = not ended.timed_out and ended.returncode in _UNDONE
    if not is_undone or known == _PENDING:
        return verdict
    is_unsure = ended.returncode == script.SERVICE_UNKNOWN
    return _settled(target, known.rstrip(_UNSURE) + (_UNSURE if is_unsure else ""), verdict)


def check(env: Environment, target: TargetConfig, cancel: CancelToken | None = None) -> CommandResult:
    """Check, without changing anything, whether a deployment would succeed. Blocks. Raises Cancelled."""
    programs = [argv[0] for argv in (target.remote_test, target.remote_reload) if argv]
    paths = [remote for _, remote in remote_paths(target)]
    ended = _ssh(env, target, script.check(paths, programs), cancel)
    if ended.returncode == 0 and not ended.timed_out:
        return CommandResult(ok=True)
    return _failed(target, ended, "A deployment would fail there.")


def is_confirmed(target: TargetConfig) -> bool:
    """Return whether the other machine is known not to be in the middle of a change."""
    return _marked(target) != _PENDING


def remote_paths(target: TargetConfig) -> list[tuple[Path, str]]:
    """Return each local path with its path on the other machine; the certificate comes first."""
    named = (
        (target.certificate, target.remote_certificate),
        (target.key, target.remote_key),
        (target.chain, target.remote_chain),
    )
    return [(Path(local), remote) for local, remote in named if local and remote]


def _ssh(
    env: Environment, target: TargetConfig, text: str, cancel: CancelToken | None, content: bytes = b""
) -> Completed:
    words = ["ssh", "-T"]
    for option in _OPTIONS:
        words += ["-o", option]
    if target.identity_file:
        words += ["-o", "IdentitiesOnly=yes", "-i", target.identity_file]
    if target.known_hosts:
        words += ["-o", f"UserKnownHostsFile={target.known_hosts}", "-o", "GlobalKnownHostsFile=/dev/null"]
    if target.user:
        words += ["-l", target.user]
    words += ["-p", str(target.port), "--", target.host or "", f"exec sh -c {shlex.quote(text)}"]
    return env.runner.run(words, timeout=target.timeout_seconds, cancel=cancel, stdin=content)


def _failed(target: TargetConfig, ended: Completed, otherwise: str) -> CommandResult:
    output = plain(ended.output)
    said = output.lower()
    where = f"{target.host} port {target.port}"
    last = output.splitlines()[-1] if output.strip() else ""
    if ended.timed_out:
        why = f"{where} did not finish within {target.timeout_seconds} s."
    elif ended.returncode == _NOT_STARTED:
        why = "The program ssh could not be started. Install openssh-client."
    elif ended.returncode == _LOST:
        cause = next((fix for sign, fix in _CAUSES if sign in said), "The connection was lost.")
        why = f"{where} could not be reached over SSH. {cause} Output of ssh: {last or 'none'}"
    elif ended.returncode == script.BUSY:
        why = f"An earlier deployment is still running on {where}. Wait until it finishes."
    elif ended.returncode == script.TEST_FAILED:
        why = f"remote_test failed on {where}, and its previous files were restored: {last}"
    elif ended.returncode == script.RELOAD_FAILED:
        why = f"remote_reload failed on {where}, and its previous files were restored and reloaded: {last}"
    elif ended.returncode == script.SERVICE_UNKNOWN:
        why = f"remote_reload failed on {where}, also with the previous files: {last}"
    else:
        why = f"{where}: {otherwise} {last or f'It exited with status {ended.returncode}.'}"
    return CommandResult(
        ok=False,
        why=why if why.endswith(".") else f"{why}.",
        output=output,
        is_idle=not ended.timed_out
        and ended.returncode == script.SERVICE_UNKNOWN
        and any(sign in said for sign in IDLE_SIGNS),
    )


def _settled(target: TargetConfig, state: str, verdict: CommandResult) -> CommandResult:
    with suppress(OSError, CertdeckError):  # it stays pending, and the next push repeats it
        _mark(target, state)
    return verdict


def _mark_of(target: TargetConfig) -> Path:
    return Path(target.certificate).parent / f".certdeck-remote-{target.name}"


def _marked(target: TargetConfig) -> str:
    try:
        return read_without_waking(_mark_of(target)).decode("ascii", "replace").strip()
    except FileNotFoundError:
        return ""
    except OSError:
        return _PENDING


def _mark(target: TargetConfig, state: str) -> None:
    """Write the mark durably. Raises OSError, CertdeckError."""
    place = _mark_of(target)
    with Site(target) as site:
        if site.home is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(place.parent))
        site.home.put_file(place.name, f"{state}\n".encode(), Attributes(mode=0o600), f"{place.name}-new")
        site.home.sync()
