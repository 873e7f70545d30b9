"""A box whose commands run as processes, over a real folder, with a real CA and a real nginx."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import Any

from tests.support.command import Answer, process
from tests.support.nginx import NginxServer
from tests.support.pebble import PebbleServer


class RealBox:
    """A box: its home, the CA that it orders from, and the nginx that it deploys to."""

    def __init__(self, home: Path, pebble: PebbleServer, nginx: NginxServer | None) -> None:
        self.home = home
        self.pebble = pebble
        self.nginx = nginx
        self.configure()

    def configure(self, more: str = "", *, agree: bool = True) -> None:
        """Write the configuration, with `more` at its end."""
        (self.home / "etc").mkdir(parents=True, exist_ok=True)
        (self.home / "etc" / "certdeck.toml").write_text(
            f'[issuers.ca]\ndirectory = "{self.pebble.directory_url}"\nca_bundle = "{self.pebble.ca_pem}"\n'
            f"agree_tos = {str(agree).lower()}\n\n"
            '[defaults]\nissuer = "ca"\n\n'
            f'[http01]\naddress = "127.0.0.1"\nport = {self.pebble.http01_port}\n\n'
            f"{self.nginx.target_toml('web') if self.nginx else ''}\n{more}"
        )

    def run(self, *argv: str, **options: Any) -> Answer:
        return process(*argv, home=self.home, **options)

    def done(self, *argv: str) -> dict[str, Any]:
        """Run a command with --json that has to succeed."""
        answer = self.run(*argv, "--json")
        assert answer.status == 0, answer.out + answer.err
        return answer.json

    def refused(self, *argv: str, status: int = 1) -> dict[str, Any]:
        """Run a command with --json that has to fail, and return its error."""
        answer = self.run(*argv, "--json")
        assert answer.status == status, answer.out + answer.err
        assert "Traceback" not in answer.err
        return answer.error

    def certificate(self, name: str) -> dict[str, Any]:
        """Return what `status` says of a lineage."""
        found: dict[str, Any] = self.done("status", name)["certificates"][0]
        return found

    def serves(self, name: str) -> str:
        """Wait until nginx serves what is live, and return the fingerprint."""
        sha256: str = self.certificate(name)["sha256"]
        self.nginx.wait_served(sha256)
        return sha256

    def live(self, name: str) -> Path:
        return self.home / "state" / "live" / name

    def check_pair(self, name: str) -> None:
        """Fail unless the live key belongs to the live certificate, and nginx accepts its own files."""
        for certificate, key in (
            (self.live(name) / "fullchain.pem", self.live(name) / "privkey.pem"),
            (self.nginx.certificate, self.nginx.key),
        ):
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        assert subprocess.run(self.nginx.test_command, check=False, capture_output=True).returncode == 0
