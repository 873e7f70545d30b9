"""Messaging, DNS, FTP and logging."""

from __future__ import annotations

import shutil

from msgspec.structs import replace

from core.config.model import TargetConfig
from tests.support.authority import Leaf
from tests.support.daemons.base import NAME, Daemon, Restarted, write
from tests.support.programs import free_port


class Mosquitto(Daemon):
    kind = "mosquitto"
    programs = ("mosquitto",)
    account = "mosquitto"

    def configure(self) -> None:
        write(
            self.folder / "mosquitto.conf",
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\ncertfile {self.certificate}\nkeyfile {self.key}\n",
        )

    def command(self) -> list[str]:
        return ["mosquitto", "-c", f"{self.folder}/mosquitto.conf"]


class Ngircd(Daemon):
    kind = "ngircd"
    programs = ("ngircd",)
    account = "irc"

    def configure(self) -> None:
        write(
            self.folder / "ngircd.conf",
            f"[Global]\nName = irc.example.com\nListen = 127.0.0.1\nPorts = {free_port()}\nServerUID = irc\nServerGID = irc\n"
            f"[Options]\nIdent = no\nPAM = no\nDNS = no\n[SSL]\nCertFile = {self.certificate}\nKeyFile = {self.key}\n"
            f"Ports = {self.port}\n",
            0o644,
        )

    def command(self) -> list[str]:
        return ["ngircd", "-n", "-f", f"{self.folder}/ngircd.conf"]


class Prosody(Daemon):
    kind = "prosody"
    programs = ("prosody", "setpriv")
    account = runs_as = "prosody"
    dialect = "xmpp"

    def configure(self) -> None:
        (self.folder / "data").mkdir(exist_ok=True)
        (self.folder / "data").chmod(0o777)
        write(
            self.folder / "prosody.cfg.lua",
            f'data_path = "{self.folder}/data"\npidfile = "{self.folder}/data/pid"\ninterfaces = {{ "127.0.0.1" }}\n'
            f'c2s_ports = {{ {self.port} }}\ns2s_ports = {{}}\nmodules_enabled = {{ "tls", "saslauth", "disco" }}\n'
            'modules_disabled = { "s2s" }\nlog = { info = "*console" }\n'
            f'ssl = {{ certificate = "{self.certificate}", key = "{self.key}" }}\nVirtualHost "{NAME}"\n',
        )

    def command(self) -> list[str]:
        return ["prosody", "-F", "--config", f"{self.folder}/prosody.cfg.lua"]


class Coturn(Daemon):
    kind = "coturn"
    programs = ("turnserver", "setpriv")
    account = runs_as = "turnserver"
    reload_signal = "USR2"

    def configure(self) -> None:
        (self.folder / "data").mkdir(exist_ok=True)
        (self.folder / "data").chmod(0o777)
        write(
            self.folder / "turn.conf",
            f"listening-ip=127.0.0.1\nlistening-port={free_port()}\ntls-listening-port={self.port}\nno-udp\nno-dtls\n"
            f"cert={self.certificate}\npkey={self.key}\nrealm={NAME}\nno-cli\nuserdb={self.folder}/data/db\n"
            f"pidfile={self.folder}/data/pid\nlog-file=stdout\nrelay-ip=127.0.0.1\n",
        )

    def command(self) -> list[str]:
        return ["turnserver", "-c", f"{self.folder}/turn.conf"]


class Bind(Daemon):
    kind = "bind9"
    programs = ("named", "rndc")
    account = "bind"

    def __init__(self) -> None:
        super().__init__()
        self.control, self.plain = free_port(), free_port()

    def configure(self) -> None:
        key = 'key "k" { algorithm hmac-sha256; secret "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"; };\n'
        (self.folder / "work").mkdir(exist_ok=True)
        (self.folder / "work").chmod(0o777)
        write(
            self.folder / "named.conf",
            f'{key}controls {{ inet 127.0.0.1 port {self.control} allow {{ 127.0.0.1; }} keys {{ "k"; }}; }};\n'
            f'tls site {{ cert-file "{self.certificate}"; key-file "{self.key}"; }};\n'
            f'options {{ directory "{self.folder}/work"; pid-file none; recursion no; listen-on-v6 {{ none; }};\n'
            f"listen-on port {self.plain} {{ 127.0.0.1; }}; listen-on port {self.port} tls site {{ 127.0.0.1; }}; }};\n",
        )
        options = f'options {{ default-key "k"; default-server 127.0.0.1; default-port {self.control}; }};\n'
        write(self.folder / "rndc.conf", key + options)

    def command(self) -> list[str]:
        return ["named", "-g", "-u", "bind", "-n", "1", "-c", f"{self.folder}/named.conf"]

    def test(self) -> tuple[str, ...]:
        return ("named-checkconf", f"{self.folder}/named.conf")

    def reload(self) -> tuple[str, ...]:
        return ("rndc", "-c", f"{self.folder}/rndc.conf", "reconfig")


class Unbound(Restarted):
    kind = "unbound"
    programs = ("unbound",)

    def configure(self) -> None:
        super().configure()
        write(
            self.folder / "unbound.conf",
            f'server:\n  interface: 127.0.0.1@{self.port}\n  tls-port: {self.port}\n  tls-service-pem: "{self.certificate}"\n'
            f'  tls-service-key: "{self.key}"\n  directory: "{self.folder}"\n  chroot: ""\n  pidfile: ""\n  use-syslog: no\n'
            "  username: unbound\n  num-threads: 1\nremote-control:\n  control-enable: no\n",
        )

    def command(self) -> list[str]:
        return ["unbound", "-d", "-c", f"{self.folder}/unbound.conf"]

    def test(self) -> tuple[str, ...]:
        return ("unbound-checkconf", f"{self.folder}/unbound.conf")


class Vsftpd(Restarted):
    kind = "vsftpd"
    programs = ("vsftpd",)
    dialect = "ftp"

    def configure(self) -> None:
        super().configure()
        (self.folder / "empty").mkdir(exist_ok=True)
        write(
            self.folder / "vsftpd.conf",
            f"listen=YES\nlisten_ipv6=NO\nlisten_address=127.0.0.1\nlisten_port={self.port}\nbackground=NO\nssl_enable=YES\n"
            f"rsa_cert_file={self.certificate}\nrsa_private_key_file={self.key}\nanonymous_enable=NO\nlocal_enable=YES\n"
            f"secure_chroot_dir={self.folder}/empty\nxferlog_enable=NO\n",
        )

    def command(self) -> list[str]:
        return ["vsftpd", f"{self.folder}/vsftpd.conf"]


class SyslogNg(Daemon):
    kind = "syslog-ng"
    programs = ("syslog-ng", "syslog-ng-ctl")

    def configure(self) -> None:
        write(
            self.folder / "syslog-ng.conf",
            '@version: 3.38\nsource s { network(ip("127.0.0.1") port(' + str(self.port) + ') transport("tls") tls('
            f'key-file("{self.key}") cert-file("{self.certificate}") peer-verify(optional-untrusted))); }};\n'
            f'destination d {{ file("{self.folder}/messages"); }};\nlog {{ source(s); destination(d); }};\n',
        )

    def command(self) -> list[str]:
        folder = self.folder
        return [
            "syslog-ng", "-F", "-f", f"{folder}/syslog-ng.conf", "--control", f"{folder}/ctl", "--persist-file",
            f"{folder}/persist", "--pidfile", f"{folder}/pid", "--no-caps",
        ]  # fmt: skip

    def test(self) -> tuple[str, ...]:
        return ("syslog-ng", "-s", "-f", f"{self.folder}/syslog-ng.conf")

    def reload(self) -> tuple[str, ...]:
        return ("syslog-ng-ctl", "reload", f"--control={self.folder}/ctl")


class KnotResolver(Daemon):
    kind = "knot-resolver"
    programs = ("kresd", "setpriv")
    account = runs_as = "knot-resolver"

    def configure(self) -> None:
        run = self.folder / "run"
        run.mkdir(exist_ok=True)
        shutil.chown(run, self.account, self.account)
        write(
            self.folder / "kresd.conf",
            f"net.listen('127.0.0.1', {self.port}, {{ kind = 'tls' }})\nnet.tls('{self.certificate}', '{self.key}')\n"
            "modules.unload('ta_update')\nmodules.unload('ta_signal_query')\nmodules.unload('priming')\n"
            "cache.size = 1 * MB\n",
        )

    def start(self, *, patience: float = 60.0) -> None:
        super().start(patience=patience)
        link = self.folder / "control"
        link.unlink(missing_ok=True)
        link.symlink_to(self.folder / "run" / "control" / self.pid_file.read_text().strip())

    def command(self) -> list[str]:
        return ["kresd", "-n", "-c", f"{self.folder}/kresd.conf", f"{self.folder}/run"]

    def reload(self) -> tuple[str, ...]:
        return ()

    def target(self, name: str = "svc") -> TargetConfig:
        return replace(super().target(name), socket=f"{self.folder}/control")


class Cups(Daemon):
    kind = "cups"
    programs = ("cupsd",)

    def __init__(self) -> None:
        super().__init__()
        self.certificate, self.key = self.tls / f"{NAME}.crt", self.tls / f"{NAME}.key"

    def configure(self) -> None:
        for folder in ("root", "spool", "cache", "state", "tmp", "data"):
            (self.folder / folder).mkdir(exist_ok=True)
        where = self.folder
        write(
            where / "cups-files.conf",
            f"ServerKeychain {self.tls}\nServerRoot {where}/root\nRequestRoot {where}/spool\nCacheDir {where}/cache\n"
            f"StateDir {where}/state\nTempDir {where}/tmp\nErrorLog {where}/error_log\nAccessLog {where}/access_log\n"
            f"PageLog {where}/page_log\nDataDir {where}/data\nUser lp\nGroup lp\nSystemGroup root\nCreateSelfSignedCerts no\n",
        )
        write(
            where / "cupsd.conf",
            f"ServerName {NAME}\nServerAlias *\nSSLListen 127.0.0.1:{self.port}\nBrowsing Off\nWebInterface No\n"
            "DefaultEncryption IfRequested\n",
        )

    def _words(self, *more: str) -> tuple[str, ...]:
        return ("cupsd", *more, "-c", f"{self.folder}/cupsd.conf", "-s", f"{self.folder}/cups-files.conf")

    def command(self) -> list[str]:
        return [*self._words("-f")]

    def test(self) -> tuple[str, ...]:
        return self._words("-t")

    def reload(self) -> tuple[str, ...]:
        return ()


class Freeradius(Restarted):
    kind = "freeradius"
    programs = ("freeradius",)
    account = "freerad"

    def install(self, leaf: Leaf) -> None:
        super().install(leaf)
        (self.folder / "ca.pem").write_bytes(leaf.fullchain_pem)

    def configure(self) -> None:
        super().configure()
        run = self.folder / "run"
        run.mkdir(exist_ok=True)
        shutil.chown(run, "freerad", "freerad")
        write(self.folder / "raddb" / "dictionary", "$INCLUDE /usr/share/freeradius/dictionary\n")
        write(
            self.folder / "raddb" / "radiusd.conf",
            f"prefix = /usr\nexec_prefix = /usr\nlocalstatedir = {run}\nname = freeradius\n"
            f"raddbdir = {self.folder}/raddb\nlibdir = /usr/lib/freeradius\nlogdir = {run}\n"
            f"run_dir = {run}\nlog {{\n  destination = stdout\n}}\nsecurity {{\n  user = freerad\n  group = freerad\n}}\n"
            "thread pool {\n  start_servers = 1\n}\nmodules {\n  always reject {\n    rcode = reject\n  }\n}\n"
            "clients radsec {\n  client here {\n    ipaddr = 127.0.0.1\n    proto = tls\n    secret = radsec\n  }\n}\n"
            f"server default {{\n  listen {{\n    ipaddr = 127.0.0.1\n    port = {self.port}\n    type = auth\n    proto = tcp\n"
            f"    clients = radsec\n    tls {{\n      private_key_file = {self.key}\n      certificate_file = {self.certificate}\n"
            f'      ca_file = {self.folder}/ca.pem\n      require_client_cert = no\n      tls_min_version = "1.2"\n'
            '      tls_max_version = "1.2"\n    }\n  }\n  authorize {\n    reject\n  }\n}\n',
        )

    def command(self) -> list[str]:
        return ["freeradius", "-f", "-d", f"{self.folder}/raddb"]

    def test(self) -> tuple[str, ...]:
        return ("freeradius", "-C", "-d", f"{self.folder}/raddb")
