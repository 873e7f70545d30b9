"""OpenSSH's server on loopback, with its own keys and configuration, for the account that runs the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from core.config.model import TargetConfig
from core.ports import OUTPUT_LIMIT_BYTES, CancelToken, Completed
from core.system.processes import SystemRunner

PROGRAM = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class Server(Struct, frozen=True, kw_only=True):
    """A server that runs, and the files that a client needs."""

    port: int
    identity: Path
    known_hosts: Path

    def target(self, local: Path, remote: Path, **more: object) -> TargetConfig:
        """Return a target `web` with its local copy in `local`, and its files in `remote` on the server."""
        local.mkdir(exist_ok=True)
        remote.mkdir(exist_ok=True)
        target = TargetConfig(
            name="web",
            kind="ssh",
            certificate=str(local / "web.crt"),
            key=str(local / "web.key"),
            host="127.0.0.1",
            port=self.port,
            user=pwd.getpwuid(os.getuid()).pw_name,
            remote_certificate=str(remote / "it's $(a) site.crt"),
            remote_key=str(remote / "site.key"),
            identity_file=str(self.identity),
            known_hosts=str(self.known_hosts),
            timeout_seconds=20,
        )
        return replace(target, **more)


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Start a server on a free port of 127.0.0.1; it ends with the block."""
    assert PROGRAM is not None
    folder.mkdir(mode=0o700)
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "authorized").write_bytes((folder / "client.pub").read_bytes())
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\nPidFile none\nAuthorizedKeysFile {folder}/authorized\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nPrintMotd no\n"
        "KexAlgorithms curve25519-sha256\n"  # the cheapest of those that every client offers
    )
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen([PROGRAM, "-D", "-e", "-f", folder / "config"], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield Server(port=port, identity=folder / "client", known_hosts=folder / "known_hosts")
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 10).close()
        except OSError:
            assert time.monotonic() < end, "sshd does not listen"
            time.sleep(0.02)
        else:
            return


class BreakingRunner:
    """Runs programs for real. The connection breaks at step `at` (0 is the first): `before` it, or `after` it was done there."""

    def __init__(self) -> None:
        self.real = SystemRunner({"PATH": os.environ["PATH"]})
        self.at: int | None = None
        self.when = "before"
        self.steps: list[Sequence[str]] = []
        self.is_down = False

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
        step = len(self.steps)
        self.steps.append(argv)
        words = [*argv]
        is_broken = self.at == step
        self.is_down = self.is_down or is_broken
        if self.is_down and not (is_broken and self.when == "after"):
            words[words.index("-p") + 1] = "1"  # nothing listens there
        ended = self.real.run(
            words, timeout=timeout, cancel=cancel, extra_env=extra_env, stdin=stdin, output_limit=output_limit
        )
        return Completed(returncode=255, output="") if is_broken else ended
