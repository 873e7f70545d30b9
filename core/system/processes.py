"""Runs child processes: never in a shell, in their own session, with a cleaned environment and limited time and output.

A reload command may start a daemon that keeps our pipe open forever. So once the program itself has ended, only what is already in
the pipe is read. A command that takes too long is ended with its whole process group, first with SIGTERM. If certdeck is killed, a
guard ends a group that is still running: a small shell that waits for the end of a pipe that only certdeck holds.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from core.ports import OUTPUT_LIMIT_BYTES, CancelToken, Completed
from core.search_path import SYSTEM_PATH, find_program, search_path

if TYPE_CHECKING:
    import subprocess

KEPT_VARIABLES = ("PATH", "LANG", "LANGUAGE", "HOME", "TZ", "USER", "LOGNAME", "TMPDIR")
"""Variables that a child inherits, besides `LC_*`. No others: they may contain secrets."""
GRACE_SECONDS = 2.0
"""Time between SIGTERM and SIGKILL."""
CANCEL_GRACE_SECONDS = 0.5
"""The same after a cancellation, when the user waits for certdeck to end."""
GUARDED_AFTER_SECONDS = 0.1
"""A guard starts only for a program that runs longer than this: starting one takes some milliseconds."""
_GUARD = 'read -r _; kill -TERM "-$1"; sleep 2; kill -KILL "-$1"'
"""Nothing is ever written to its pipe, which closes when certdeck ends. PR_SET_PDEATHSIG would reach only the program, none of its
children, and needs code between fork and exec, which threads make unsafe."""
LOOK_SECONDS = 0.05
"""How often a silent child is polled. Output, and an end that closes the pipe, are noticed at once."""


def child_environment(variables: Mapping[str, str], extra: Mapping[str, str] | None) -> dict[str, str]:
    """Return the environment of a child: the harmless variables, a complete PATH, and `extra`."""
    kept = {name: value for name, value in variables.items() if name in KEPT_VARIABLES or name.startswith("LC_")}
    return {**kept, "PATH": search_path(kept), **(extra or {})}


class SystemRunner:
    """The port `Runner`: runs child processes in their own process groups."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        cancel: CancelToken | None = None,
        extra_env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        output_limit: int = OUTPUT_LIMIT_BYTES,
    ) -> Completed:
        if not argv or not argv[0]:
            return Completed(returncode=127, output="The command is empty.")
        env = child_environment(self._variables, extra_env)
        program = find_program(argv[0], env["PATH"])
        if program is None:
            return Completed(returncode=127, output=f"{argv[0]}: no such program.")
        try:
            process, source = self._start([*argv], program, env, stdin)
        except (OSError, ValueError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
            return Completed(returncode=127, output=f"{argv[0]}: {reason}.")
        guard = _Guard(process.pid)
        try:
            return self._attend(process, _Output(source, output_limit), timeout, cancel, guard)
        finally:
            guard.dismiss()
            os.close(source)

    @staticmethod
    def _start(
        argv: list[str], program: str, env: dict[str, str], stdin: bytes | None
    ) -> tuple[subprocess.Popen[bytes], int]:
        import subprocess

        source, sink = os.pipe()
        try:
            given: int | None = subprocess.DEVNULL
            if stdin is not None:
                # A file in memory, not a pipe: the child may read it slowly, or never.
                given = os.memfd_create("stdin") if hasattr(os, "memfd_create") else None
                if given is None:  # pragma: no cover - kernels before 3.17
                    raise OSError(0, "this system cannot pass data to a program")
                os.write(given, stdin)
                os.lseek(given, 0, os.SEEK_SET)
            try:
                process = subprocess.Popen(
                    argv,
                    executable=program,
                    stdin=given,
                    stdout=sink,
                    stderr=sink,
                    env=env,
                    cwd="/",
                    start_new_session=True,
                )
            finally:
                if stdin is not None and given is not None:
                    os.close(given)
        except BaseException:
            os.close(source)
            raise
        finally:
            os.close(sink)
        os.set_blocking(source, False)
        return process, source

    def _attend(
        self,
        process: subprocess.Popen[bytes],
        output: _Output,
        timeout: float,
        cancel: CancelToken | None,
        guard: _Guard,
    ) -> Completed:
        import select

        poll = select.poll()  # select() supports no descriptors from 1024 on
        poll.register(output.source, select.POLLIN)
        began = time.monotonic()
        deadline = began + timeout
        is_open = True
        pause = 0.001
        while process.poll() is None:
            if cancel is not None and cancel.is_cancelled:
                self._end(process, CANCEL_GRACE_SECONDS)
                cancel.check()
            now = time.monotonic()
            if now - began >= GUARDED_AFTER_SECONDS:
                guard.begin()
            left = deadline - now
            if left <= 0:
                self._end(process)
                output.drain()
                return Completed(returncode=process.returncode, output=output.text, timed_out=True)
            wait = min(left, pause)
            if is_open and poll.poll(wait * 1000):
                is_open = output.drain()
                continue
            if not is_open:
                time.sleep(wait)
            pause = min(pause * 2, LOOK_SECONDS)
        output.drain()
        return Completed(returncode=process.returncode, output=output.text)

    @staticmethod
    def _end(process: subprocess.Popen[bytes], grace: float = GRACE_SECONDS) -> None:
        """End the whole group, first with SIGTERM, and reap the program."""
        import signal
        import subprocess

        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
        # Also if SIGTERM ended the program itself: others in its group may still run.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class _Output:
    """The last bytes of a program's output."""

    def __init__(self, source: int, limit: int) -> None:
        self.source = source
        self._limit = limit
        self._kept = bytearray()

    @property
    def text(self) -> str:
        return self._kept.decode("utf-8", "replace")

    def drain(self) -> bool:
        """Read what is available. Returns whether more may follow."""
        for _ in range(64):  # endless output must not prevent the check of the deadline
            try:
                chunk = os.read(self.source, 65536)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self._kept += chunk
            del self._kept[: -self._limit]
        return True


class _Guard:
    """Ends a process group if this process ends before it has dismissed the guard."""

    def __init__(self, group: int) -> None:
        self._group = group
        self._pipe = -1
        self._shell: subprocess.Popen[bytes] | None = None
        self._is_begun = False

    def begin(self) -> None:
        """Start the guard. There is none if the box has no shell or cannot start another process."""
        if self._is_begun:
            return
        self._is_begun = True
        import subprocess

        theirs, self._pipe = os.pipe()
        try:
            with contextlib.suppress(OSError):
                self._shell = subprocess.Popen(
                    ["/bin/sh", "-c", _GUARD, "certdeck-guard", str(self._group)],
                    stdin=theirs,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={"PATH": ":".join(SYSTEM_PATH)},
                    cwd="/",
                    start_new_session=True,
                )
        finally:
            os.close(theirs)

    def dismiss(self) -> None:
        """Stop the guard: the group has ended, or what is left of it is meant to keep running."""
        if not self._is_begun:
            return
        if self._shell is not None:
            self._shell.kill()
            self._shell.wait()
        os.close(self._pipe)
