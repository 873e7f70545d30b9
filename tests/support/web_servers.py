"""Web servers as a distribution configures them, each in a folder of its own on free loopback ports: for `certdeck web`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support.authority import self_signed
from tests.support.programs import Program, find_program, free_port

MODULES = Path("/usr/lib/apache2/modules")


class WebServer:
    """One running server and the `[targets.web]` for it. `configuration` is the file that names the certificate."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self.port, self.http_port = free_port(), free_port()
        self.certificate, self.key = folder / "tls" / "domain.crt", folder / "tls" / "domain.key"
        self.configuration = folder / ("site.conf" if kind in ("nginx", "apache") else "main.conf")
        folder.mkdir()
        for name in ("run", "htdocs"):
            (folder / name).mkdir()
        self_signed(["localhost"], subject="As Installed").write(self.certificate, self.key)
        self.test, self.reload, self.start = _KINDS[kind](self)
        self.program = Program(self.start, folder / "output.log", env={"HOME": str(folder), "PATH": os.environ["PATH"]})
        self.program.wait_for_port(self.port)

    def toml(self) -> str:
        """Return the target, and the port of plain HTTP."""

        def words(argv: Sequence[str]) -> str:
            return "[" + ", ".join(f'"{word}"' for word in argv) + "]"

        return (
            f'[web]\nhttp_port = {self.http_port}\n[http01]\nport = 8402\n[targets.web]\nkind = "files"\n'
            f'certificate = "{self.certificate}"\nkey = "{self.key}"\n'
            f'test = {words(self.test)}\nreload = {words(self.reload)}\nprobe = "127.0.0.1:{self.port}"\n'
        )

    def stop(self) -> None:
        """End it. Idempotent."""
        self.program.stop()


Commands = tuple[list[str], list[str], list[str]]


def _nginx(server: WebServer) -> Commands:
    folder = server.folder
    temporary = "".join(f"{kind}_temp_path {folder}/run/{kind};\n" for kind in _TEMPORARY)
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user}daemon off;\nworker_processes 1;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n"
        "events { worker_connections 64; }\nhttp {\n"
        f"  access_log off;\n  {temporary}  ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;\n  include site*.conf;\n}}\n"
    )
    server.configuration.write_text(
        f"server {{\n    listen 127.0.0.1:{server.port} ssl;\n    server_name shop.example.com;\n"
        "    ssl_protocols TLSv1.2;  # as somebody set it\n"
        f"    ssl_certificate {server.certificate};\n    ssl_certificate_key {server.key};\n"
        "    add_header X-Frame-Options SAMEORIGIN;\n"
        '    location / { return 200 "a page {\\n"; }\n}\n'
    )
    command = [find_program("nginx"), "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]
    return [*command, "-t"], [*command, "-s", "reload"], command


_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def _apache(server: WebServer) -> Commands:
    folder = server.folder
    modules = ["mpm_event", "authz_core", "ssl", "headers", "alias", "proxy", "proxy_http", "socache_shmcb"]
    loaded = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in modules)
    user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
    (folder / "apache.conf").write_text(
        f"ServerRoot {folder}\nPidFile {folder}/run/apache.pid\nErrorLog {folder}/error.log\n{user}{loaded}"
        f"Listen 127.0.0.1:{server.port}\nListen 127.0.0.1:{server.http_port}\nServerName localhost\n"
        f'DocumentRoot "{folder}/htdocs"\nIncludeOptional site*.conf\n'
    )
    server.configuration.write_text(
        f"<VirtualHost 127.0.0.1:{server.port}>\n    ServerName shop.example.com\n    SSLEngine on\n"
        f"    SSLCertificateFile {server.certificate}\n    SSLCertificateKeyFile {server.key}\n"
        "    Header set X-Frame-Options SAMEORIGIN\n</VirtualHost>\n"
    )
    folder.chmod(0o755)
    command = [find_program("apache2"), "-f", f"{folder}/apache.conf"]
    return [*command, "-t"], [*command, "-k", "graceful"], [*command, "-DFOREGROUND"]


def _haproxy(server: WebServer) -> Commands:
    folder = server.folder
    shutil.copy(server.key, f"{server.certificate}.key")
    server.key = Path(f"{server.certificate}.key")
    server.configuration.write_text(
        f"global\n    pidfile {folder}/haproxy.pid\n    master-worker\n\n"
        "defaults\n    mode http\n    timeout client 5s\n    timeout server 5s\n    timeout connect 5s\n\n"
        f"frontend web\n    bind 127.0.0.1:{server.port} ssl crt {server.certificate}\n"
        "    http-request return status 200 content-type text/plain string page\n"
    )
    command = [find_program("haproxy"), "-f", str(server.configuration)]
    start = [*command, "-W", "-db", "-p", f"{folder}/haproxy.pid"]
    reload = ["sh", "-c", f"kill -USR2 $(head -n1 {folder}/haproxy.pid); sleep 0.3"]
    return [*command, "-c"], reload, start


def _caddy(server: WebServer) -> Commands:
    admin = f"127.0.0.1:{free_port()}"
    server.configuration.write_text(
        f"{{\n    admin {admin}\n    http_port {server.http_port}\n    https_port {server.port}\n}}\n"
        f"https://shop.example.com:{server.port} {{\n    bind 127.0.0.1\n    tls {server.certificate} {server.key}\n"
        "    respond page\n}\n"
    )
    caddy, file = find_program("caddy"), str(server.configuration)
    given = ["--config", file, "--adapter", "caddyfile"]
    return (
        [caddy, "validate", *given],
        [caddy, "reload", *given, "--address", admin, "--force"],
        [caddy, "run", *given],
    )


_KINDS: dict[str, Callable[[WebServer], Commands]] = {
    "nginx": _nginx,
    "apache": _apache,
    "haproxy": _haproxy,
    "caddy": _caddy,
}
