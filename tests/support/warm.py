"""Processes of certdeck that do not load their modules: each is forked from one that has loaded them all.

A command spends nine tenths of its processor time on imports, and the tests run thousands of commands. A forked process has its own
environment, descriptors, exit status and end as any other; what it does not show is what is loaded when, which
`tests/architecture/test_imports.py` looks at, and how Python sets up its streams.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

PACKAGES = ("core", "tui.cli", "tui.wording")
ROOT = Path(__file__).resolve().parents[2]
_SERVE = [sys.executable, "-c", "from tests.support.warm import serve; serve()"]
_MOST_BYTES = 128 * 1024
_running: list[socket.socket] = []
_starting = threading.Lock()


def run(
    argv: Sequence[str], *, env: Mapping[str, str], stdin: bytes = b"", timeout: float
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end. Raises subprocess.TimeoutExpired, as `subprocess.run` does."""
    with _starting:
        if not _running:
            _running.append(_start())
    reply, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pipes = [os.pipe() for _ in range(3)]
    given = [pipes[0][0], pipes[1][1], pipes[2][1], theirs.fileno()]
    socket.send_fds(_running[0], [json.dumps([list(argv), dict(env)]).encode()], given)
    for handle in given[:3]:
        os.close(handle)
    theirs.close()
    said: list[bytes] = [b"", b""]

    def read(number: int) -> None:
        with os.fdopen(pipes[number + 1][0], "rb") as pipe:
            said[number] = pipe.read()

    readers = [threading.Thread(target=read, args=(number,), daemon=True) for number in range(2)]
    for reader in readers:
        reader.start()
    with reply:
        reply.settimeout(timeout)
        pid = int(reply.recv(32))
        try:
            with os.fdopen(pipes[0][1], "wb") as pipe:
                pipe.write(stdin)
        except BrokenPipeError:
            pass  # it did not read it
        try:
            status = int(reply.recv(32))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(argv), timeout) from None
    for reader in readers:
        reader.join()
    return subprocess.CompletedProcess(list(argv), status, said[0], said[1])


def _start() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "TZ": "UTC"}
    env |= {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    child = subprocess.Popen(_SERVE, cwd=ROOT, env=env, stdin=theirs, start_new_session=True)
    theirs.close()

    def end() -> None:
        ours.close()  # it ends when nobody can ask it any more
        child.wait()

    atexit.register(end)
    return ours


# -- in the process that all are forked from ---------------------------------------------------------------------------


def serve() -> None:
    """Load everything, and fork a process for each request on standard input, until there can be none."""
    from tui.__main__ import main

    for name in PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            importlib.import_module(module.name)
    gc.freeze()
    control = socket.socket(fileno=os.dup(0))
    while True:
        request, handles, _, _ = socket.recv_fds(control, _MOST_BYTES, 4)
        if not request:
            return
        if os.fork() == 0:
            pid = os.fork()
            if pid == 0:
                control.close()
                argv, env = json.loads(request)
                _become(argv, env, handles)
                _end(main)
            _tell(pid, handles)
        for handle in handles:
            os.close(handle)
        _reap()


def _end(main: Callable[[], int]) -> NoReturn:
    """Do it and end as Python does, without taking apart a thousand modules."""
    try:
        status = main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - Python would print it, too
        traceback.print_exc()
        status = 1
    try:
        threading._shutdown()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except OSError:
        status = 120
    os._exit(status)


def _tell(pid: int, handles: Sequence[int]) -> None:
    """Tell a process and its end to who asked for it; returns never."""
    for handle in (*handles[:3], 1, 2):
        os.close(handle)
    with socket.socket(fileno=handles[3]) as reply:
        reply.send(str(pid).encode())
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        try:
            reply.send(str(status).encode())
        finally:
            os._exit(0)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        pass


def _become(argv: Sequence[str], env: Mapping[str, str], handles: Sequence[int]) -> None:
    """Have the arguments, the environment and the streams of a process that was started for this command."""
    for number, handle in enumerate(handles[:3]):
        os.dup2(handle, number)
    for handle in handles:
        os.close(handle)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    sys.argv = ["-c", *argv]
    # As Python makes them under LANG=C.UTF-8 where they are no terminal.
    sys.stdin = os.fdopen(0, encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
