"""A box of a fleet whose commands run as processes: its home, its targets, and what it is in the fleet."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.command import Answer, process, started
from tests.support.etcd import EtcdCluster
from tests.support.pebble import PebbleServer
from tests.support.programs import wait_until


class FleetBox:
    """One box. `before`: what starts its commands.

    `target`: it has a target `web` of the kind files, which always succeeds unless `break_target` is called.
    """

    def __init__(
        self,
        home: Path,
        etcd: EtcdCluster,
        role: str,
        *,
        pebble: PebbleServer | None = None,
        target: bool = True,
        more: str = "",
        fleet: str = "",
        before: tuple[str, ...] = (),
    ) -> None:
        self.home = home
        self.name = home.name
        self.etcd = etcd
        self.before = before
        self.role = role
        self.certificate = home / "service" / "cert.pem"
        self.key = home / "service" / "key.pem"
        self._flag = home / "service" / "refuse"
        self._pebble = pebble
        self._target = target
        self._more = more
        self._fleet = fleet
        self.configure()

    def configure(self, fleet: str = "") -> None:
        """Write the configuration."""
        (self.home / "etc").mkdir(parents=True, exist_ok=True)
        self.certificate.parent.mkdir(exist_ok=True)
        endpoints = ", ".join(f'"{each}"' for each in self.etcd.endpoints)
        text = f'[fleet]\nendpoints = [{endpoints}]\nrole = "{self.role}"\nname = "{self.name}"\n'
        text += f"{'' if 'serve_challenges' in self._fleet + fleet else 'serve_challenges = false'}\n{self._fleet}\n{fleet}\n"
        if "lease_seconds" not in self._fleet:
            text += "lease_seconds = 3\n"
        if self._pebble is not None:
            text += (
                f'[issuers.ca]\ndirectory = "{self._pebble.directory_url}"\nca_bundle = "{self._pebble.ca_pem}"\n'
                'agree_tos = true\n[defaults]\nissuer = "ca"\n'
                f'[http01]\naddress = "127.0.0.1"\nport = {self._pebble.http01_port}\n'
            )
        if self._target:
            text += (
                f'[targets.web]\ncertificate = "{self.certificate}"\nkey = "{self.key}"\n'
                f'test = ["/usr/bin/test", "!", "-e", "{self._flag}"]\n'
            )
        (self.home / "etc" / "certdeck.toml").write_text(text + self._more)

    def break_target(self) -> None:
        """Make the target's test fail from now on."""
        self._flag.touch()

    def mend_target(self) -> None:
        self._flag.unlink()

    def run(self, *argv: str, **options: Any) -> Answer:
        return process(*argv, home=self.home, **{"before": self.before, **options})

    def done(self, *argv: str, **options: Any) -> dict[str, Any]:
        """Run a command with --json that has to succeed."""
        answer = self.run(*argv, "--json", **options)
        assert answer.status == 0, answer.out + answer.err
        return answer.json

    def refused(self, *argv: str, status: int = 1, **options: Any) -> dict[str, Any]:
        """Run a command with --json that has to fail, and return its error."""
        answer = self.run(*argv, "--json", **options)
        assert answer.status == status, answer.out + answer.err
        assert "Traceback" not in answer.err
        return answer.error

    def join(self, hub: FleetBox, **options: Any) -> str:
        """Ask, be approved, take up the answer. Returns the id."""
        id = str(self.done("fleet", "join", **options)["id"])
        hub.done("fleet", "approve", id)
        assert self.done("fleet", "join")["state"] == "approved"
        return id

    @contextlib.contextmanager
    def watching(self) -> Iterator[Any]:
        """Run `fleet watch` meanwhile."""
        with started("fleet", "watch", "--debug", home=self.home, before=self.before) as child:
            yield child

    def live(self, name: str) -> Path:
        return self.home / "state" / "live" / name

    def served(self) -> bytes:
        """Return what the target has; empty where it has nothing."""
        return self.certificate.read_bytes() if self.certificate.exists() else b""

    def wait_serves(self, fullchain: bytes, *, timeout: float = 60.0) -> None:
        wait_until(lambda: self.served() == fullchain, f"{self.name} serves the certificate", timeout=timeout)

    def wait_serves_something(self) -> None:
        wait_until(self.served, f"{self.name} serves a certificate")

    def log(self) -> str:
        return self.run("log").out
