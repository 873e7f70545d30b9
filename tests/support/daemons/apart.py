"""Services whose packages exclude others, or one another: unpacked into `.servers/apart`, beside what is installed."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from core.targets.kind import COMBINED, LEAF
from tests.support.authority import Leaf
from tests.support.daemons.base import NAME, Daemon, Restarted, write
from tests.support.programs import ROOT

APART = ROOT / ".servers" / "apart"


def _program(name: str) -> str:
    return str(APART / "usr" / "sbin" / name)


def _libraries() -> str:
    return ":".join(str(each) for each in (APART / "usr" / "lib").glob("*-linux-gnu"))


def _modules(module: str) -> Path:
    """Return the folder that a module lies in."""
    return next((each.parent for each in (APART / "usr" / "lib").glob(f"**/{module}")), APART)


class Proftpd(Daemon):
    kind = "proftpd"
    programs = (_program("proftpd"),)
    layout = LEAF
    dialect = "ftp"

    def configure(self) -> None:
        write(
            self.folder / "proftpd.conf",
            f"ModulePath {_modules('mod_tls.so')}\nLoadModule mod_tls.c\nServerType standalone\nServerName x\nUseIPv6 off\n"
            f"DefaultAddress 127.0.0.1\nPort {self.port}\nUser nobody\nGroup nogroup\nPidFile {self.pid_file}\n"
            f"ScoreboardFile {self.folder}/scoreboard\nSystemLog {self.folder}/system.log\nWtmpLog off\nTransferLog none\n"
            f"TLSEngine on\nTLSRSACertificateFile {self.certificate}\nTLSRSACertificateKeyFile {self.key}\n"
            f"TLSCertificateChainFile {self.chain}\nTLSRequired off\n",
        )

    has_own_pid_file = True

    def variables(self) -> Mapping[str, str]:
        return {"LD_LIBRARY_PATH": _libraries()}

    def command(self) -> list[str]:
        return [_program("proftpd"), "-n", "-c", f"{self.folder}/proftpd.conf"]

    def test(self) -> tuple[str, ...]:
        script = f"LD_LIBRARY_PATH={_libraries()} exec {_program('proftpd')} -t -c {self.folder}/proftpd.conf"
        return ("/bin/sh", str(write(self.folder / "test.sh", script, 0o755)))

    def reload(self) -> tuple[str, ...]:
        return ()


class PureFtpd(Restarted):
    kind = "pure-ftpd"
    programs = (_program("pure-ftpd"),)
    layout = COMBINED
    dialect = "ftp"

    def command(self) -> list[str]:
        return [_program("pure-ftpd"), "-S", f"127.0.0.1,{self.port}", "-Y", "1", "-2", str(self.certificate), "-4", "-E",
                "-g", f"{self.folder}/pure.pid"]  # fmt: skip


class RsyslogGtls(Daemon):
    kind = "rsyslog-gtls"
    programs = (_program("rsyslogd"),)
    driver: ClassVar[str] = "gtls"

    def install(self, leaf: Leaf) -> None:
        super().install(leaf)
        (self.folder / "ca.pem").write_bytes(leaf.fullchain_pem)

    def configure(self) -> None:
        (self.folder / "work").mkdir(exist_ok=True)
        write(
            self.folder / "rsyslog.conf",
            f'global(workDirectory="{self.folder}/work" DefaultNetstreamDriver="{self.driver}" '
            f'DefaultNetstreamDriverCAFile="{self.folder}/ca.pem" DefaultNetstreamDriverCertFile="{self.certificate}" '
            f'DefaultNetstreamDriverKeyFile="{self.key}")\n'
            f'module(load="imtcp" StreamDriver.Name="{self.driver}" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")\n'
            f'input(type="imtcp" port="{self.port}" address="127.0.0.1")\n*.* action(type="omfile" file="{self.folder}/all")\n',
        )

    def variables(self) -> Mapping[str, str]:
        return {"LD_LIBRARY_PATH": _libraries()}

    def _words(self, *more: str) -> list[str]:
        return [_program("rsyslogd"), *more, "-f", f"{self.folder}/rsyslog.conf", "-M", str(_modules("lmnet.so"))]

    def command(self) -> list[str]:
        return [*self._words("-n"), "-i", f"{self.folder}/rsyslog.pid"]

    def test(self) -> tuple[str, ...]:
        words = " ".join(self._words("-N1"))
        script = f"LD_LIBRARY_PATH={_libraries()} exec {words}"
        return ("/bin/sh", str(write(self.folder / "test.sh", script, 0o755)))

    def reload(self) -> tuple[str, ...]:
        return ()


class RsyslogOssl(Restarted, RsyslogGtls):
    kind = "rsyslog-ossl"
    driver = "ossl"

    def configure(self) -> None:
        Restarted.configure(self)
        RsyslogGtls.configure(self)

    def reload(self) -> tuple[str, ...]:
        return Restarted.reload(self)


class Squid(Daemon):
    kind = "squid"
    programs = (_program("squid"),)

    def configure(self) -> None:
        run = self.folder / "run"
        run.mkdir(exist_ok=True)
        shutil.chown(run, "proxy", "proxy")
        share = APART / "usr" / "share" / "squid"
        write(
            self.folder / "squid.conf",
            f"https_port 127.0.0.1:{self.port} accel defaultsite=x tls-cert={self.certificate} tls-key={self.key}\n"
            f"http_access deny all\npid_filename {run}/squid.pid\ncache_log {run}/cache.log\naccess_log none\n"
            f"cache_store_log none\ncache deny all\ncoredump_dir {run}\nvisible_hostname x\ncache_effective_user proxy\n"
            f"mime_table {share}/mime.conf\nicon_directory {share}/icons\nerror_directory {run}\n"
            "pinger_enable off\nnetdb_filename none\nshutdown_lifetime 1 seconds\n",
        )

    def _words(self, *more: str) -> tuple[str, ...]:
        return (_program("squid"), "-f", f"{self.folder}/squid.conf", "-n", f"c{self.port}", *more)

    def command(self) -> list[str]:
        return [*self._words("-N")]

    def test(self) -> tuple[str, ...]:
        return self._words("-k", "parse")

    def reload(self) -> tuple[str, ...]:
        return self._words("-k", "reconfigure")


class Exim(Daemon):
    kind = "exim"
    programs = (_program("exim4"),)
    account = "Debian-exim"
    dialect = "smtp"

    def configure(self) -> None:
        (self.folder / "spool").mkdir(exist_ok=True)
        shutil.chown(self.folder / "spool", self.account, self.account)
        write(
            self.folder / "exim.conf",
            f"exim_path = {_program('exim4')}\nprimary_hostname = {NAME}\n"
            f"spool_directory = {self.folder}/spool\nlog_file_path = {self.folder}/spool/%slog\n"
            f"pid_file_path = {self.folder}/spool/pid\nlocal_interfaces = 127.0.0.1\ndaemon_smtp_ports = {self.port}\n"
            f"tls_advertise_hosts = *\ntls_certificate = {self.certificate}\ntls_privatekey = {self.key}\n"
            "acl_smtp_rcpt = deny\nbegin acl\ndeny:\n  deny\n",
        )

    def command(self) -> list[str]:
        return [_program("exim4"), "-C", f"{self.folder}/exim.conf", "-bdf"]

    def test(self) -> tuple[str, ...]:
        return (_program("exim4"), "-C", f"{self.folder}/exim.conf", "-bV")
