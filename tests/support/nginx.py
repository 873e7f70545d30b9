"""nginx as an appliance runs it: TLS with one certificate, tested and reloaded from outside, on free loopback ports."""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
from pathlib import Path

from tests.support.authority import self_signed
from tests.support.programs import Program, find_program, free_port, wait_until


class NginxServer:
    """One nginx in a folder of its own.

    It reads `certificate` (fullchain) and `key` from the paths given, or from two in the folder; when nothing is there at the
    start, a self-signed pair is put there first, as distributions do.
    """

    def __init__(
        self,
        folder: Path,
        *,
        certificate: Path | None = None,
        key: Path | None = None,
        http_port: int | None = None,
        webroot: Path | None = None,
        challenge_upstream: str | None = None,
    ) -> None:
        self.folder = folder
        self.certificate = certificate or folder / "tls" / "domain.crt"
        self.key = key or folder / "tls" / "domain.key"
        self.port = free_port()
        self.http_port = http_port
        """Speaks plain HTTP here when given: files of `webroot`, and challenges from `challenge_upstream` (`HOST:PORT`)."""
        self.webroot = webroot
        self.challenge_upstream = challenge_upstream
        self.configuration = folder / "nginx.conf"
        self._program: Program | None = None

    @property
    def address(self) -> str:
        """`HOST:PORT` where TLS is spoken: what a target's `probe` names."""
        return f"127.0.0.1:{self.port}"

    def _command(self, *arguments: str) -> list[str]:
        folder = str(self.folder)
        return [
            find_program("nginx"),
            "-p",
            folder,
            "-e",
            f"{folder}/error.log",
            "-c",
            str(self.configuration),
            *arguments,
        ]

    @property
    def test_command(self) -> list[str]:
        return self._command("-t")

    @property
    def reload_command(self) -> list[str]:
        return self._command("-s", "reload")

    def target_toml(self, name: str = "nginx", kind: str = "nginx") -> str:
        """Return the `[targets.NAME]` table that makes this server a target."""

        def words(argv: list[str]) -> str:
            return "[" + ", ".join(f'"{word}"' for word in argv) + "]"

        return (
            f'[targets.{name}]\nkind = "{kind}"\ncertificate = "{self.certificate}"\nkey = "{self.key}"\n'
            f"test = {words(self.test_command)}\nreload = {words(self.reload_command)}\n"
            f'probe = "{self.address}"\n'
        )

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it and return when it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.certificate.exists():
            self_signed(["localhost"], subject="As Installed").write(self.certificate, self.key)
        self.configuration.write_text(self._text())
        self._program = Program(self._command(), self.folder / "output.log")
        self._program.wait_for_port(self.port)

    def stop(self) -> None:
        """End it. Idempotent."""
        if self._program is not None:
            self._program.stop()
            self._program = None

    @property
    def is_running(self) -> bool:
        return self._program is not None and self._program.is_running

    def break_config(self) -> None:
        """Make `test_command` and `reload_command` fail, while the running server goes on."""
        self.configuration.write_text(self._text() + "\nsomebody made a typing mistake here;\n")

    def mend_config(self) -> None:
        """Undo `break_config`."""
        self.configuration.write_text(self._text())

    # -- looking -----------------------------------------------------------------------------------------------------

    def served_sha256(self, server_name: str | None = None) -> str:
        """Return the fingerprint (`AA:BB:…`) of the certificate that a client gets right now."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=30) as plain,
            context.wrap_socket(plain, server_hostname=server_name) as secured,
        ):
            certificate = secured.getpeercert(binary_form=True)
        assert certificate is not None
        return hashlib.sha256(certificate).digest().hex(":").upper()

    def wait_served(self, sha256: str, *, timeout: float = 60.0) -> None:
        """Return when clients get this certificate: after a reload old workers may still answer for a moment."""
        wait_until(lambda: self.served_sha256() == sha256, f"{self.address} serving {sha256}", timeout=timeout)

    def _text(self) -> str:
        user = "user root;\n" if os.geteuid() == 0 else ""
        temporary = "".join(
            f"  {kind}_temp_path {self.folder}/temp-{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        return (
            f"{user}daemon off;\nworker_processes 1;\npid {self.folder}/nginx.pid;\n"
            f"error_log {self.folder}/error.log notice;\n"
            "events { worker_connections 256; }\n"
            f"http {{\n  access_log {self.folder}/access.log;\n  default_type text/plain;\n{temporary}"
            f"  server {{\n    listen 127.0.0.1:{self.port} ssl;\n"
            f"    ssl_certificate {self.certificate};\n    ssl_certificate_key {self.key};\n"
            '    location / { return 200 "served\\n"; }\n  }\n'
            f"{self._plain_server()}}}\n"
        )

    def _plain_server(self) -> str:
        if self.http_port is None:
            return ""
        root = f"    root {self.webroot};\n" if self.webroot else ""
        upstream = (
            "    location /.well-known/acme-challenge/ { "
            f"proxy_pass http://{self.challenge_upstream}; proxy_set_header Host $host; }}\n"
            if self.challenge_upstream
            else ""
        )
        return f"  server {{\n    listen 127.0.0.1:{self.http_port};\n{root}{upstream}  }}\n"
