"""Services that run in Erlang's virtual machine: each with a node name and a folder for its cookie of its own."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress

from tests.support.authority import Leaf
from tests.support.daemons.base import NAME, Daemon, write
from tests.support.programs import Program, answers, find_program, free_port, wait_until


class _Node(Daemon):
    """A node that is started as its own account, with a home that this account owns."""

    def __init__(self) -> None:
        super().__init__()
        self.home = self.folder / "home"
        self.node = f"{self.kind}{self.port}@localhost"

    def configure(self) -> None:
        self.home.mkdir(exist_ok=True)
        shutil.chown(self.home, self.account, self.account)

    def start(self, *, patience: float = 120.0) -> None:
        super().start(patience=patience)

    def stop(self) -> None:
        """End the node itself: the script that started it would leave it behind."""
        if self._program is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._program.pid, signal.SIGKILL)
            wait_until(lambda: not answers(self.port), f"{self.kind} ending")
        super().stop()

    def _control(self, program: str, *arguments: str) -> tuple[str, ...]:
        """Return its control command, run as its account: the cookie is in that account's home."""
        variables = (f"{name}={value}" for name, value in self.variables().items())
        account = (f"--reuid={self.account}", f"--regid={self.account}", "--clear-groups")
        return ("env", *variables, "setpriv", *account, "--", program, *arguments)


class Rabbitmq(_Node):
    kind = "rabbitmq"
    programs = ("rabbitmq-server", "rabbitmqctl", "epmd", "setpriv")
    account = runs_as = "rabbitmq"

    def __init__(self) -> None:
        super().__init__()
        self.names = free_port()
        self._epmd: Program | None = None

    def install(self, leaf: Leaf) -> None:
        super().install(leaf)
        (self.folder / "ca.pem").write_bytes(leaf.fullchain_pem)

    def configure(self) -> None:
        super().configure()
        write(self.folder / "enabled_plugins", "[].\n")
        write(
            self.folder / "rabbitmq.conf",
            f"listeners.tcp = none\nlisteners.ssl.default = 127.0.0.1:{self.port}\n"
            f"ssl_options.cacertfile = {self.folder}/ca.pem\nssl_options.certfile = {self.certificate}\n"
            f"ssl_options.keyfile = {self.key}\nssl_options.verify = verify_none\nssl_options.fail_if_no_peer_cert = false\n"
            "log.console = true\nlog.file = false\n",
        )

    def variables(self) -> Mapping[str, str]:
        return {
            "HOME": str(self.home),
            "ERL_EPMD_PORT": str(self.names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_DIST_PORT": str(self.names + 32_000),
            "RABBITMQ_CONFIG_FILE": f"{self.folder}/rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": f"{self.folder}/none",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{self.folder}/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": f"{self.home}/data",
            "RABBITMQ_LOG_BASE": f"{self.home}/log",
            "RABBITMQ_PID_FILE": f"{self.home}/pid",
            # One scheduler, and no busy waiting: other tests run at the same time.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +SDio 1",
        }

    def command(self) -> list[str]:
        return ["/usr/lib/rabbitmq/bin/rabbitmq-server"]

    def start(self, *, patience: float = 120.0) -> None:
        if self._epmd is None:  # its own, which ends with it
            self._epmd = Program(
                [find_program("epmd"), "-port", str(self.names), "-address", "127.0.0.1"], self.log, self.variables()
            )
            self._epmd.wait_for_port(self.names)
        super().start(patience=patience)

    def reload(self) -> tuple[str, ...]:
        return self._control("/usr/lib/rabbitmq/bin/rabbitmqctl", "eval", "ssl:clear_pem_cache().")

    def remove(self) -> None:
        self.stop()
        if self._epmd is not None:
            self._epmd.stop()
        super().remove()


class Ejabberd(_Node):
    kind = "ejabberd"
    programs = ("ejabberdctl", "setpriv")
    account = runs_as = "ejabberd"
    dialect = "xmpp"

    def configure(self) -> None:
        super().configure()
        etc = self.folder / "etc"
        write(
            etc / "ejabberd.yml",
            f'hosts:\n  - "{NAME}"\nloglevel: warning\ncertfiles:\n  - {self.certificate}\n  - {self.key}\n'
            f'listen:\n  -\n    port: {self.port}\n    ip: "127.0.0.1"\n    module: ejabberd_c2s\n    starttls: true\n'
            "modules: {}\n",
        )
        # A port for the node itself: without one a name server (epmd) would stay behind.
        write(etc / "ejabberdctl.cfg", f"ERLANG_NODE={self.node}\nERL_DIST_PORT={self.port + 32_000}\n")
        write(etc / "inetrc", '{lookup,["file","native"]}.\n')

    def variables(self) -> Mapping[str, str]:
        return {"HOME": str(self.home)}

    def _words(self, *more: str) -> tuple[str, ...]:
        etc = self.folder / "etc"
        return ("ejabberdctl", "-s", f"{self.home}/spool", "-l", f"{self.home}/log", "-d", str(etc), *more)

    def command(self) -> list[str]:
        for name in ("spool", "log"):
            folder = self.home / name
            folder.mkdir(exist_ok=True)
            shutil.chown(folder, self.account, self.account)
        return [*self._words("foreground")]

    def reload(self) -> tuple[str, ...]:
        program, *arguments = self._words("reload_config")
        return self._control(program, *arguments)
