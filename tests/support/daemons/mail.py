"""Mail servers."""

from __future__ import annotations

import os
import shutil
import subprocess

from tests.support.daemons.base import NAME, Daemon, write
from tests.support.programs import find_program


class Postfix(Daemon):
    kind = "postfix"
    programs = ("postfix",)
    dialect = "smtp"

    def configure(self) -> None:
        etc, data, queue = self.folder / "etc", self.folder / "data", self.folder / "queue"
        for folder in (data, queue):
            folder.mkdir(exist_ok=True)
        shutil.chown(data, "postfix", "postfix")
        write(
            etc / "main.cf",
            f"compatibility_level = 3.6\nmyhostname = {NAME}\nqueue_directory = {queue}\ndata_directory = {data}\n"
            f"smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {self.certificate}\nsmtpd_tls_key_file = {self.key}\n"
            f"inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n"
            "mydestination =\nalias_maps =\nlocal_recipient_maps =\n",
        )
        services = (
            f"127.0.0.1:{self.port} inet n - n - - smtpd\npickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\n"
            "qmgr unix n - n 300 1 qmgr\ntlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\n"
            "bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n"
            "anvil unix - - n - 1 anvil\nproxymap unix - - n - - proxymap\nscache unix - - n - 1 scache\n"
            "showq unix n - n - - showq\nerror unix - - n - - error\nretry unix - - n - - error\n"
        )
        write(etc / "master.cf", services)

    def command(self) -> list[str]:
        return ["postfix", "-c", f"{self.folder}/etc", "start-fg"]

    def stop(self) -> None:
        if self._program is not None and self._program.is_running:
            argv = [find_program("postfix"), "-c", f"{self.folder}/etc", "stop"]
            # No pipe: what goes on in the background would hold it open.
            subprocess.run(argv, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30)
        super().stop()

    def test(self) -> tuple[str, ...]:
        return ("postfix", "-c", f"{self.folder}/etc", "check")

    def reload(self) -> tuple[str, ...]:
        return ("postfix", "-c", f"{self.folder}/etc", "reload")


class Dovecot(Daemon):
    kind = "dovecot"
    programs = ("dovecot", "doveadm")

    def configure(self) -> None:
        os.makedirs(self.folder / "run", exist_ok=True)
        write(
            self.folder / "dovecot.conf",
            f"base_dir = {self.folder}/run\nstate_dir = {self.folder}/run\nlog_path = {self.folder}/dovecot.log\n"
            f"protocols = imap\nlisten = 127.0.0.1\nssl = required\nssl_cert = <{self.certificate}\nssl_key = <{self.key}\n"
            "passdb {\n  driver = static\n  args = nopassword=y\n}\nuserdb {\n  driver = static\n"
            "  args = uid=65534 gid=65534 home=/nonexistent\n}\n"
            "service imap-login {\n  inet_listener imap {\n    port = 0\n  }\n"
            f"  inet_listener imaps {{\n    port = {self.port}\n    ssl = yes\n  }}\n}}\n",
        )

    def command(self) -> list[str]:
        return ["dovecot", "-F", "-c", f"{self.folder}/dovecot.conf"]

    def test(self) -> tuple[str, ...]:
        return ("doveconf", "-n", "-c", f"{self.folder}/dovecot.conf")

    def reload(self) -> tuple[str, ...]:
        return ("doveadm", "-c", f"{self.folder}/dovecot.conf", "reload")
