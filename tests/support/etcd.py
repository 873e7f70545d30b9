"""etcd, real: one member or several, on loopback and free ports, each in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.programs import Program, find_program, free_port, wait_until


class EtcdMember:
    """One process."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.client_port, self.peer_port = free_port(), free_port()
        self.process: Program | None = None
        self.tls: tuple[Path, Path] | None = None
        self.host = "127.0.0.1"
        self.before: tuple[str, ...] = ()
        """What starts it, and etcdctl where it is: `ip netns exec NAME`."""

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.client_port}"

    @property
    def peer_url(self) -> str:
        return f"http://{self.host}:{self.peer_port}"


class EtcdCluster:
    """Members that know each other. `tls`: certificate and key of the client port. `program`: etcd, or the path of another one."""

    def __init__(
        self,
        folder: Path,
        members: int = 1,
        *,
        options: Sequence[str] = (),
        tls: tuple[Path, Path] | None = None,
        program: str = "etcd",
    ) -> None:
        self.folder = folder
        self.program = program
        self.members = [EtcdMember(folder / f"m{number}", f"m{number}") for number in range(members)]
        self._options = list(options)
        for member in self.members:
            member.tls = tls

    @property
    def endpoints(self) -> list[str]:
        return [member.url for member in self.members]

    def start(self) -> None:
        """Start every member and return when they have a leader."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for member in self.members:
            self.start_member(member)
        self.wait_ready()

    def start_member(self, member: EtcdMember) -> None:
        member.folder.mkdir(parents=True, exist_ok=True)
        cluster = ",".join(f"{each.name}={each.peer_url}" for each in self.members)
        tls = [] if member.tls is None else ["--cert-file", str(member.tls[0]), "--key-file", str(member.tls[1])]
        member.process = Program(
            [
                *member.before,
                find_program(self.program),
                *("--name", member.name, "--data-dir", str(member.folder / "data")),
                *("--listen-client-urls", member.url, "--advertise-client-urls", member.url),
                *("--listen-peer-urls", member.peer_url, "--initial-advertise-peer-urls", member.peer_url),
                *("--initial-cluster", cluster, "--initial-cluster-state", "new"),
                *("--heartbeat-interval", "50", "--election-timeout", "500"),
                *tls,
                *self._options,
            ],
            member.folder / "etcd.log",
        )

    def wait_ready(self) -> None:
        for member in self.members:
            if member.process is not None and member.process.is_running and not member.before:
                member.process.wait_for_port(member.client_port)
        wait_until(self.has_leader, "etcd has a leader")

    def has_leader(self) -> bool:
        done = self.ctl("get", "leader-probe", check=False)
        return done.returncode == 0 or "user name is empty" in done.stderr

    def stop(self) -> None:
        for member in self.members:
            if member.process is not None:
                if member.process.is_running:
                    os.kill(member.process.pid, signal.SIGCONT)
                    os.kill(member.process.pid, signal.SIGKILL)
                member.process.stop()

    def kill(self, member: EtcdMember) -> None:
        assert member.process is not None
        os.kill(member.process.pid, signal.SIGKILL)
        member.process.stop()

    def leader(self) -> EtcdMember:
        """Return the member that leads etcd itself."""
        for member in self.members:
            found = self.post(member, "maintenance/status", {})
            if found.get("leader") == found["header"]["member_id"]:
                return member
        raise AssertionError("etcd has no leader")

    def post(self, member: EtcdMember, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(f"{member.url}/v3/{path}", json.dumps(body).encode(), method="POST")  # noqa: S310 - our own
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own
            found: dict[str, Any] = json.loads(answer.read())
            return found

    def ctl(
        self, *argv: str, check: bool = True, user: str = "", at: EtcdMember | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run etcdctl against the members that run, or against one, in its network."""
        members = self.members if at is None else [at]
        running = [each.url for each in members if each.process is not None and each.process.is_running]
        login = ["--user", user] if user else []
        login += [] if self.members[0].tls is None else ["--insecure-skip-tls-verify", "--insecure-transport=false"]
        done = subprocess.run(
            [
                *members[0].before,
                find_program("etcdctl"),
                "--endpoints",
                ",".join(running),
                "--command-timeout",
                "5s",
                *login,
                *argv,
            ],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            env={"ETCDCTL_API": "3", "PATH": os.environ["PATH"]},
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def everything(self, user: str = "") -> str:
        """Return all keys and values."""
        return self.ctl("get", "", "--prefix", user=user).stdout
