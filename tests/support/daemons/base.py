"""A real service on loopback ports, in a folder of its own, with the target that certdeck deploys to."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from core.config.model import TargetConfig
from core.system.prober import TlsProber
from core.targets.fingerprint import sha256_of_der
from core.targets.kind import COMBINED, LEAF, SEPARATE
from tests.support.authority import Leaf
from tests.support.programs import NotThere, Program, find_program, free_port, wait_until

NAME = "svc.example.com"


def write(path: Path, content: str, mode: int = 0o644) -> Path:
    """Write a file of a daemon's configuration, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(mode)
    return path


class Daemon:
    """One service. A subclass says how it is configured, started, tested and told to read its files.

    Its folder is not one of pytest's: those let no other account in, and services read their key as their own.
    """

    kind: ClassVar[str]
    programs: ClassVar[tuple[str, ...]]
    """It is left out where one of these is missing."""
    needs_root: ClassVar[bool] = True
    account: ClassVar[str] = "root"
    """Which account reads the key."""
    layout: ClassVar[str] = SEPARATE
    dialect: ClassVar[str] = ""
    reload_signal: ClassVar[str] = "HUP"
    runs_as: ClassVar[str] = ""
    """Started as this account; empty: as root, or as whoever runs the tests."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"certdeck-{self.kind}-"))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.tls = self.folder / "tls"
        self.tls.mkdir(mode=0o755)
        is_one = self.layout == COMBINED
        self.certificate = self.tls / ("site.pem" if is_one else "site.crt")
        self.key = self.certificate if is_one else self.tls / "site.key"
        self.chain = self.tls / "chain.crt" if self.layout == LEAF else None
        self.log = self.folder / "output.log"
        self._program: Program | None = None

    # -- what a subclass says ------------------------------------------------------------------------------------------

    def configure(self) -> None:
        """Write its configuration."""

    def command(self) -> list[str]:
        """Return what starts it in the foreground."""
        raise NotImplementedError

    def test(self) -> tuple[str, ...]:
        """Return its configuration test; none where it has none."""
        return ()

    def reload(self) -> tuple[str, ...]:
        """Return what makes it read the files again."""
        return ("pkill", f"-{self.reload_signal}", "-F", str(self.pid_file))

    def variables(self) -> Mapping[str, str]:
        """Return more environment variables for it."""
        return {"HOME": str(self.folder)}

    @property
    def pid_file(self) -> Path:
        return self.folder / "daemon.pid"

    @property
    def address(self) -> str:
        return f"{self.dialect}://127.0.0.1:{self.port}" if self.dialect else f"127.0.0.1:{self.port}"

    # -- the target ----------------------------------------------------------------------------------------------------

    def target(self, name: str = "svc") -> TargetConfig:
        """Return it as a target."""
        return TargetConfig(
            name=name,
            kind=self.kind,
            certificate=str(self.certificate),
            key="" if self.key == self.certificate else str(self.key),
            chain=None if self.chain is None else str(self.chain),
            test=self.test(),
            reload=self.reload(),
            probe=(self.address,),
            probe_name=NAME,
        )

    def install(self, leaf: Leaf) -> None:
        """Put a pair where it is read, as an administrator would."""
        if self.layout == COMBINED:
            self.certificate.write_bytes(leaf.fullchain_pem + leaf.key_pem)
        else:
            self.certificate.write_bytes(leaf.certificate_pem if self.layout == LEAF else leaf.fullchain_pem)
            self.key.write_bytes(leaf.key_pem)
        if self.chain is not None:
            self.chain.write_bytes(leaf.chain_pem)
        self.key.chmod(0o600)
        if os.geteuid() == 0 and self.account != "root":
            self.key.chmod(0o640)
            os.chown(self.key, 0, grp.getgrgid(pwd.getpwnam(self.account).pw_gid).gr_gid)

    def install_again(self, leaf: Leaf) -> None:
        """Put a pair in the place of whatever deployments have left, and start the service where a test has left it ended.

        Its files are newer than those: some services read no others.
        """
        shown = max((path.stat().st_mtime for path in (self.certificate, self.key) if path.exists()), default=0.0)
        shutil.rmtree(self.tls)
        self.tls.mkdir(mode=0o755)
        self.install(leaf)
        for path in self.tls.iterdir():
            newer = max(shown + 1, path.stat().st_mtime)
            os.utime(path, (newer, newer))
        if self._program is None or self.served() is None:
            self.stop()
            self.start()

    # -- running -------------------------------------------------------------------------------------------------------

    def start(self, *, patience: float = 60.0) -> None:
        """Start it and return when it serves a certificate. Raises NotThere."""
        self.configure()
        argv = [find_program(self.command()[0]), *self.command()[1:]]
        if self.runs_as and os.geteuid() == 0:
            argv = ["setpriv", f"--reuid={self.runs_as}", f"--regid={self._group()}", "--init-groups", *argv]
        self._program = Program(argv, self.log, self.variables())
        if not self.has_own_pid_file:
            self.pid_file.write_text(f"{self._program.pid}\n")

        def is_up() -> bool:
            if self._program is not None and not self._program.is_running:
                raise NotThere(f"{argv[0]} ended: {self.log.read_text(errors='replace')[-2000:]}")
            return self.served() is not None

        wait_until(is_up, f"{self.kind} serving at {self.address}", timeout=patience)

    has_own_pid_file: ClassVar[bool] = False

    def _group(self) -> str:
        return grp.getgrgid(pwd.getpwnam(self.runs_as).pw_gid).gr_name

    def stop(self) -> None:
        """End it. May be called again."""
        if self._program is not None:
            self._program.stop()
            self._program = None

    def remove(self) -> None:
        """End it, and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- looking -------------------------------------------------------------------------------------------------------

    def served(self) -> str | None:
        """Return the fingerprint of what it serves; None where no handshake comes to its end."""
        seen = TlsProber().served(self.address, server_name=NAME, timeout=10)
        return None if seen.certificate is None else sha256_of_der(seen.certificate)

    def must_serve(self, sha256: str) -> None:
        """Wait until it serves a certificate: a deployment has seen it, but a process that is ending may still answer."""
        self.wait_served(sha256)

    def wait_served(self, sha256: str) -> None:
        wait_until(lambda: self.served() == sha256, f"{self.kind} serving {sha256[:11]}")


class Restarted(Daemon):
    """A service that only a restart makes read its files: a script stands for `systemctl restart`."""

    def reload(self) -> tuple[str, ...]:
        return ("/bin/sh", str(self.folder / "restart.sh"))

    def configure(self) -> None:
        variables = "".join(f"export {name}={value}\n" for name, value in self.variables().items())
        argv = " ".join([find_program(self.command()[0]), *self.command()[1:]])
        write(
            self.folder / "restart.sh",
            f"pid=$(cat {self.pid_file})\nkill $pid 2>/dev/null\n"
            "i=0; while grep -qs '^State:.[^Z]' /proc/$pid/status && [ $i -lt 100 ]; do sleep 0.05; i=$((i+1)); done\n"
            f"{variables}setsid {argv} >>{self.log} 2>&1 </dev/null &\necho $! >{self.pid_file}\n",
            0o755,
        )

    def stop(self) -> None:
        if self._program is not None:
            pid = int(self.pid_file.read_text())
            if pid != self._program.pid:
                try:
                    os.kill(pid, signal.SIGTERM)
                    wait_until(lambda: not Path(f"/proc/{pid}").exists(), f"{self.kind} ending")
                except ProcessLookupError:
                    pass
        super().stop()
