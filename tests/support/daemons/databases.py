"""Databases, directories, and what is told over SQL, LDAP or a protocol of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.support.daemons.base import Daemon, write
from tests.support.programs import find_program


def _given(folder: Path, account: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.chown(folder, account)
    return folder


class Postgresql(Daemon):
    kind = "postgresql"
    programs = ("postgres", "initdb", "psql", "setpriv")
    account = runs_as = "postgres"
    dialect = "postgres"

    def configure(self) -> None:
        data = self.folder / "data"
        if not data.exists():
            _given(data, "postgres").chmod(0o700)
            subprocess.run(
                ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", find_program("initdb"), "-D",
                 str(data), "-A", "trust", "--no-sync", "-N"],
                check=True, capture_output=True, cwd="/",
            )  # fmt: skip
        _given(self.folder / "sock", "postgres")

    def command(self) -> list[str]:
        settings = {
            "ssl": "on",
            "ssl_cert_file": self.certificate,
            "ssl_key_file": self.key,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder / "sock",
            "fsync": "off",
        }
        more = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return ["postgres", "-D", f"{self.folder}/data", "-p", str(self.port), *more]

    def reload(self) -> tuple[str, ...]:
        where = ("-h", f"{self.folder}/sock", "-p", str(self.port), "-U", "postgres")
        return ("psql", *where, "-XAtq", "-c", "select pg_reload_conf()")


class Pgbouncer(Daemon):
    kind = "pgbouncer"
    programs = ("pgbouncer", "setpriv")
    account = runs_as = "postgres"
    dialect = "postgres"

    def configure(self) -> None:
        self.log.touch()
        write(
            self.folder / "pgbouncer.ini",
            "[databases]\nx = host=127.0.0.1\n[pgbouncer]\nlisten_addr = 127.0.0.1\nunix_socket_dir =\n"
            f"listen_port = {self.port}\nauth_type = any\nclient_tls_sslmode = require\nclient_tls_cert_file = {self.certificate}\n"
            f"client_tls_key_file = {self.key}\n",
        )

    def command(self) -> list[str]:
        return ["pgbouncer", f"{self.folder}/pgbouncer.ini"]


class Mariadb(Daemon):
    kind = "mariadb"
    programs = ("mariadbd", "mariadb-admin", "setpriv")
    account = runs_as = "mysql"
    dialect = "mysql"

    def configure(self) -> None:
        _given(self.folder / "data", "mysql")

    def command(self) -> list[str]:
        return [
            "mariadbd", "--no-defaults", f"--datadir={self.folder}/data", f"--socket={self.folder}/data/sock",
            f"--port={self.port}", "--bind-address=127.0.0.1", "--skip-grant-tables", "--skip-networking=0",
            "--innodb=OFF", "--default-storage-engine=Aria", f"--pid-file={self.folder}/data/pid",
            f"--ssl-cert={self.certificate}", f"--ssl-key={self.key}",
        ]  # fmt: skip

    def reload(self) -> tuple[str, ...]:
        return ("mariadb-admin", "--no-defaults", f"--socket={self.folder}/data/sock", "flush-ssl")


class Redis(Daemon):
    kind = "redis"
    programs = ("redis-server", "redis-cli", "setpriv")
    account = runs_as = "redis"

    def configure(self) -> None:
        _given(self.folder / "data", "redis")

    def command(self) -> list[str]:
        return [
            "redis-server", "--port", "0", "--tls-port", str(self.port), "--bind", "127.0.0.1", "--dir",
            f"{self.folder}/data", "--save", "", "--unixsocket", f"{self.folder}/data/sock", "--tls-auth-clients", "no",
            "--tls-cert-file", str(self.certificate), "--tls-key-file", str(self.key),
        ]  # fmt: skip

    def reload(self) -> tuple[str, ...]:
        paths = ("tls-cert-file", str(self.certificate), "tls-key-file", str(self.key))
        return ("redis-cli", "-s", f"{self.folder}/data/sock", "CONFIG", "SET", *paths)


class Memcached(Daemon):
    kind = "memcached"
    programs = ("memcached",)
    account = "memcache"

    def command(self) -> list[str]:
        return [
            "memcached", "-Z", "-l", "127.0.0.1", "-p", str(self.port), "-u", "memcache", "-o",
            f"ssl_chain_cert={self.certificate},ssl_key={self.key}",
        ]  # fmt: skip

    def reload(self) -> tuple[str, ...]:
        return ()


class Slapd(Daemon):
    kind = "slapd"
    programs = ("slapd", "slapadd", "ldapmodify")
    account = "openldap"
    dialect = "ldap"

    def configure(self) -> None:
        etc = self.folder / "slapd.d"
        if etc.exists():
            return
        _given(etc, "openldap")
        _given(self.folder / "run", "openldap")
        who = "gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth"
        ldif = write(
            self.folder / "config.ldif",
            f"dn: cn=config\nobjectClass: olcGlobal\ncn: config\nolcPidFile: {self.folder}/run/pid\n"
            f"olcTLSCertificateFile: {self.certificate}\nolcTLSCertificateKeyFile: {self.key}\n\n"
            "dn: cn=schema,cn=config\nobjectClass: olcSchemaConfig\ncn: schema\n\n"
            "dn: olcDatabase={0}config,cn=config\nobjectClass: olcDatabaseConfig\nolcDatabase: {0}config\n"
            f'olcAccess: to * by dn.exact="{who}" manage by * break\n',
        )
        subprocess.run(
            [find_program("slapadd"), "-F", str(etc), "-n", "0", "-l", str(ldif)], check=True, capture_output=True
        )
        for folder, folders, names in os.walk(etc):
            for name in (*folders, *names):
                shutil.chown(Path(folder) / name, "openldap", "openldap")

    @property
    def _socket(self) -> str:
        return "ldapi://" + str(self.folder / "run" / "ldapi").replace("/", "%2F")

    def command(self) -> list[str]:
        urls = f"ldap://127.0.0.1:{self.port}/ {self._socket}"
        return ["slapd", "-d", "0", "-u", "openldap", "-g", "openldap", "-F", f"{self.folder}/slapd.d", "-h", urls]

    def test(self) -> tuple[str, ...]:
        return ("slaptest", "-u", "-F", f"{self.folder}/slapd.d")

    def reload(self) -> tuple[str, ...]:
        return ("ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", self._socket)
