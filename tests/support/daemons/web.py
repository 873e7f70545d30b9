"""Web servers and proxies."""

from __future__ import annotations

import os
from collections.abc import Mapping

from msgspec.structs import replace

from core.config.model import TargetConfig
from core.targets.kind import COMBINED
from tests.support.daemons.base import NAME, Daemon, Restarted, write
from tests.support.programs import free_port


class Nginx(Daemon):
    kind = "nginx"
    programs = ("nginx",)
    needs_root = False

    def configure(self) -> None:
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{kind}_temp_path {self.folder}/temp-{kind};\n" for kind in kinds)
        user = "user root;\n" if os.geteuid() == 0 else ""
        write(
            self.folder / "nginx.conf",
            f"{user}daemon off;\nworker_processes 1;\npid {self.pid_file};\nevents {{}}\nhttp {{ access_log off; {temporary}"
            f"server {{ listen 127.0.0.1:{self.port} ssl; ssl_certificate {self.certificate}; "
            f"ssl_certificate_key {self.key}; }} }}\n",
        )

    def _words(self, *more: str) -> tuple[str, ...]:
        folder = self.folder
        return ("nginx", "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf", *more)

    has_own_pid_file = True

    def command(self) -> list[str]:
        return [*self._words()]

    def test(self) -> tuple[str, ...]:
        return self._words("-t")

    def reload(self) -> tuple[str, ...]:
        return self._words("-s", "reload")


class Haproxy(Daemon):
    kind = "haproxy"
    programs = ("haproxy",)
    needs_root = False
    layout = COMBINED
    reload_signal = "USR2"

    def configure(self) -> None:
        write(
            self.folder / "haproxy.cfg",
            f"global\n  stats socket {self.folder}/admin.sock mode 600 level admin\n"
            "defaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 5s\n"
            f"frontend site\n  bind 127.0.0.1:{self.port} ssl crt {self.certificate}\n  http-request return status 200\n",
        )

    def command(self) -> list[str]:
        return ["haproxy", "-W", "-db", "-f", f"{self.folder}/haproxy.cfg"]

    def test(self) -> tuple[str, ...]:
        return ("haproxy", "-c", "-q", "-f", f"{self.folder}/haproxy.cfg")


class HaproxyRuntime(Haproxy):
    kind = "haproxy-runtime"

    def reload(self) -> tuple[str, ...]:
        return ()

    def target(self, name: str = "svc") -> TargetConfig:
        return replace(super().target(name), socket=f"{self.folder}/admin.sock")


class Apache(Daemon):
    kind = "apache"
    programs = ("apache2",)
    has_own_pid_file = True

    def configure(self) -> None:
        modules = "/usr/lib/apache2/modules"
        loaded = "".join(
            f"LoadModule {name}_module {modules}/mod_{name}.so\n" for name in ("mpm_event", "authz_core", "ssl")
        )
        write(
            self.folder / "apache.conf",
            f"ServerRoot {self.folder}\nServerName {NAME}\nPidFile {self.pid_file}\nErrorLog {self.folder}/error.log\n"
            f"{loaded}User www-data\nGroup www-data\nMutex file:{self.folder} default\nListen 127.0.0.1:{self.port}\n"
            f"<VirtualHost 127.0.0.1:{self.port}>\nSSLEngine on\nSSLCertificateFile {self.certificate}\n"
            f"SSLCertificateKeyFile {self.key}\n</VirtualHost>\n",
        )

    def command(self) -> list[str]:
        return ["apache2", "-f", f"{self.folder}/apache.conf", "-D", "FOREGROUND"]

    def test(self) -> tuple[str, ...]:
        return ("apache2", "-f", f"{self.folder}/apache.conf", "-t")

    def reload(self) -> tuple[str, ...]:
        return ("apache2", "-f", f"{self.folder}/apache.conf", "-k", "graceful")


class Lighttpd(Daemon):
    kind = "lighttpd"
    programs = ("lighttpd",)
    account = "www-data"
    reload_signal = "USR1"

    def configure(self) -> None:
        (self.folder / "www").mkdir(exist_ok=True)
        write(
            self.folder / "lighttpd.conf",
            'server.modules = ("mod_openssl")\nserver.bind = "127.0.0.1"\nserver.username = "www-data"\n'
            f'server.groupname = "www-data"\nserver.port = {self.port}\nserver.document-root = "{self.folder}/www"\n'
            f'ssl.engine = "enable"\nssl.pemfile = "{self.certificate}"\nssl.privkey = "{self.key}"\n',
        )

    def command(self) -> list[str]:
        return ["lighttpd", "-D", "-f", f"{self.folder}/lighttpd.conf"]

    def test(self) -> tuple[str, ...]:
        return ("lighttpd", "-tt", "-f", f"{self.folder}/lighttpd.conf")


class Caddy(Daemon):
    kind = "caddy"
    programs = ("caddy", "setpriv")
    account = runs_as = "caddy"

    def __init__(self) -> None:
        super().__init__()
        self.admin = free_port()

    def configure(self) -> None:
        (self.folder / "home").mkdir(exist_ok=True)
        (self.folder / "home").chmod(0o777)
        write(
            self.folder / "Caddyfile",
            f"{{\n  admin 127.0.0.1:{self.admin}\n  auto_https off\n}}\n"
            f"https://{NAME}:{self.port} {{\n  bind 127.0.0.1\n  tls {self.certificate} {self.key}\n  respond ok\n}}\n",
        )

    def command(self) -> list[str]:
        return ["caddy", "run", "--config", f"{self.folder}/Caddyfile"]

    def variables(self) -> Mapping[str, str]:
        return {"HOME": f"{self.folder}/home"}

    def test(self) -> tuple[str, ...]:
        return ("caddy", "validate", "--config", f"{self.folder}/Caddyfile")

    def reload(self) -> tuple[str, ...]:
        address = f"127.0.0.1:{self.admin}"
        return ("caddy", "reload", "--force", "--address", address, "--config", f"{self.folder}/Caddyfile")


class Hitch(Daemon):
    kind = "hitch"
    programs = ("hitch",)
    layout = COMBINED

    def configure(self) -> None:
        write(
            self.folder / "hitch.conf",
            f'frontend = "[127.0.0.1]:{self.port}"\nbackend = "[127.0.0.1]:9"\npem-file = "{self.certificate}"\n'
            'workers = 1\nuser = "nobody"\ndaemon = off\n',
        )

    def command(self) -> list[str]:
        return ["hitch", f"--config={self.folder}/hitch.conf"]

    def test(self) -> tuple[str, ...]:
        return ("hitch", "--test", f"--config={self.folder}/hitch.conf")


class Stunnel(Daemon):
    kind = "stunnel"
    programs = ("stunnel",)
    account = "stunnel4"

    def configure(self) -> None:
        write(
            self.folder / "stunnel.conf",
            f"foreground = yes\npid =\nsetuid = stunnel4\nsetgid = stunnel4\n[site]\naccept = 127.0.0.1:{self.port}\n"
            f"connect = 127.0.0.1:9\ncert = {self.certificate}\nkey = {self.key}\n",
        )

    def command(self) -> list[str]:
        return ["stunnel", f"{self.folder}/stunnel.conf"]


class Cockpit(Restarted):
    """Cockpit's TLS front. Its folder below /run is fixed, so each has a file system of its own there."""

    kind = "cockpit"
    programs = ("/usr/lib/cockpit/cockpit-tls", "unshare", "setpriv")

    def __init__(self) -> None:
        super().__init__()
        self.tls = self.folder / "etc" / "cockpit" / "ws-certs.d"
        self.tls.mkdir(parents=True)
        self.certificate, self.key = self.tls / "zz-site.cert", self.tls / "zz-site.key"

    def configure(self) -> None:
        super().configure()
        write(
            self.folder / "run.sh",
            "mkdir -p /run/cockpit && mount -t tmpfs none /run/cockpit || exit 1\n"
            "chmod 755 /run/cockpit && mkdir -m 755 /run/cockpit/tls /run/cockpit/wsinstance\n"
            "chown cockpit-ws:cockpit-ws /run/cockpit/tls\n"
            f"export RUNTIME_DIRECTORY=/run/cockpit/tls XDG_CONFIG_DIRS={self.folder}/etc\n"
            "/usr/lib/cockpit/cockpit-certificate-ensure --for-cockpit-tls || exit 1\n"
            "exec setpriv --reuid=cockpit-ws --regid=cockpit-ws --clear-groups "
            f"/usr/lib/cockpit/cockpit-tls --port {self.port} --idle-timeout 0\n",
        )

    def command(self) -> list[str]:
        return ["unshare", "-m", "sh", f"{self.folder}/run.sh"]

    def test(self) -> tuple[str, ...]:
        settings = f"XDG_CONFIG_DIRS={self.folder}/etc"
        return ("env", settings, "/usr/lib/cockpit/cockpit-certificate-ensure", "--check")
