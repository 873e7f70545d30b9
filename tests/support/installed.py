"""Real services on loopback ports, each with a certificate and a configuration in a folder of its own, as found on a box."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.authority import Leaf, self_signed
from tests.support.programs import Program, find_program, free_port

POSTGRES = "/usr/lib/postgresql/15/bin"


@contextmanager
def open_folder() -> Iterator[Path]:
    """Give a folder that accounts of services may pass through, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="certdeck-service-"))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Installed:
    """A service that runs with `certificate` and `key`."""

    def __init__(self, folder: Path, name: str, *, owner: str | None = None) -> None:
        self.folder = folder / name
        self.folder.mkdir(mode=0o755)
        self.name = name
        self.port = free_port()
        self.leaf: Leaf = self_signed([f"{name}.example.com"], subject=f"{name} as installed")
        self.certificate = self.folder / f"{name}.crt"
        self.key = self.folder / f"{name}.key"
        self.leaf.write(self.certificate, self.key)
        self.certificate.chmod(0o644)
        self.key.chmod(0o600)
        if owner is not None:
            account = pwd.getpwnam(owner)
            for path in (self.folder, self.certificate, self.key):
                os.chown(path, account.pw_uid, account.pw_gid)
        self.more: list[int] = []
        """Further ports on which it speaks TLS."""
        self.programs: list[Program] = []
        self.end: list[str] = []
        """Ends it, where its first process is not all of it."""

    def combine(self) -> None:
        """Put the key into the file of the certificate."""
        self.certificate.write_bytes(self.certificate.read_bytes() + self.key.read_bytes())
        self.certificate.chmod(0o600)
        self.key.unlink()
        self.key = self.certificate

    def write(self, name: str, text: str) -> Path:
        """Write a file of the service's configuration, for root alone to change."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)
        return path

    def run(self, argv: list[str], *ports: int, env: dict[str, str] | None = None) -> None:
        """Start a program and return when its ports answer."""
        self.programs.append(Program(argv, self.folder / "output.log", env))
        for port in ports or (self.port,):
            self.programs[-1].wait_for_port(port)

    def stop(self) -> None:
        if self.end:
            subprocess.run(self.end, check=False, capture_output=True)
        for program in self.programs:
            program.stop()


def postfix(folder: Path) -> Installed:
    """Start Postfix, with STARTTLS on `port` and TLS on the next one in `more`."""
    service = Installed(folder, "postfix")
    wrapped = free_port()
    service.more = [wrapped]
    etc = service.folder / "etc"
    for name in ("queue", "data"):
        (service.folder / name).mkdir()
    shutil.chown(service.folder / "data", "postfix", "postfix")
    service.write(
        "etc/main.cf",
        f"compatibility_level = 3.6\nqueue_directory = {service.folder}/queue\ndata_directory = {service.folder}/data\n"
        "mail_owner = postfix\nsetgid_group = postdrop\nmyhostname = mx.example.com\ninet_interfaces = 127.0.0.1\n"
        f"tls_folder = {service.folder}\nsmtpd_tls_cert_file = $tls_folder/postfix.crt\n"
        f"smtpd_tls_key_file = {service.key}\nsmtpd_tls_security_level = may\n"
        f"maillog_file = {service.folder}/log\nmaillog_file_prefixes = {service.folder}\n",
    )
    service.write(
        "etc/master.cf",
        f"127.0.0.1:{service.port} inet n - n - - smtpd\n"
        f"127.0.0.1:{wrapped} inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n"
        "cleanup unix n - n - 0 cleanup\nrewrite unix - - n - - trivial-rewrite\ntlsmgr unix - - n 1000? 1 tlsmgr\n"
        "anvil unix - - n - 1 anvil\npostlog unix-dgram n - n - 1 postlogd\nproxymap unix - - n - - proxymap\n",
    )
    service.end = [find_program("postfix"), "-c", str(etc), "stop"]
    service.run([find_program("postfix"), "-c", str(etc), "start-fg"], service.port, wrapped)
    return service


def dovecot(folder: Path) -> Installed:
    """Start Dovecot, with IMAP and STARTTLS on `port`."""
    service = Installed(folder, "dovecot")
    home = service.folder
    configuration = service.write(
        "dovecot.conf",
        f"base_dir = {home}/run\nprotocols = imap\nlog_path = {home}/log\nssl = yes\n"
        f"ssl_cert = <{service.certificate}\nssl_key = <{service.key}\n"
        "service imap-login {\n  chroot =\n  inet_listener imap {\n    address = 127.0.0.1\n"
        f"    port = {service.port}\n  }}\n  inet_listener imaps {{\n    port = 0\n  }}\n}}\n"
        "passdb {\n  driver = static\n  args = nopassword=y\n}\n"
        "userdb {\n  driver = static\n  args = uid=65534 gid=65534 home=/tmp\n}\n",
    )
    service.run([find_program("dovecot"), "-F", "-c", str(configuration)])
    return service


def postgresql(folder: Path) -> Installed:
    """Start PostgreSQL, which reads its certificate as its own user."""
    service = Installed(folder, "postgresql", owner="postgres")
    data = service.folder / "data"
    as_user = [find_program("runuser"), "-u", "postgres", "--"]
    subprocess.run(
        [*as_user, f"{POSTGRES}/initdb", "-D", str(data), "-A", "trust", "--no-sync", "--no-instructions"],
        check=True,
        capture_output=True,
        cwd="/",
    )
    with (data / "postgresql.conf").open("a") as file:
        file.write(
            f"listen_addresses = '127.0.0.1'\nport = {service.port}\nunix_socket_directories = ''\nfsync = off\nssl = on\n"
            f"ssl_cert_file = '{service.certificate}'\nssl_key_file = '{service.key}'\n"
        )
    service.run([*as_user, f"{POSTGRES}/postgres", "-D", str(data)])
    return service
