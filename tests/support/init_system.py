"""systemd and cron as the test holds them: a runner that answers for `systemctl` and `crontab`, over folders of the test's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from core.ports import OUTPUT_LIMIT_BYTES, CancelToken, Completed, Environment, Places

MISSING = Completed(returncode=127, output="no such program.")
OK = Completed(returncode=0, output="")


class InitSystem:
    """The runner, and the folders. `env_of` puts both into an environment."""

    def __init__(self, root: Path, *, systemd: bool = True, cron: bool = True, is_root: bool = True) -> None:
        self.units = root / "systemd" / "system"
        self.cron = root / "cron.d"
        self.running = root / "run-systemd"
        self.units.mkdir(parents=True)
        self.cron.mkdir()
        if systemd:
            self.running.mkdir()
        self.program = root / "bin" / "certdeck"
        self.program.parent.mkdir()
        self.program.write_text("#!/bin/sh\n")
        self.program.chmod(0o755)
        self.is_root = is_root
        self.has_cron = cron
        self.crontab: str | None = None
        """Of the user; None when there is none."""
        self.loses_crontab = False
        """`crontab -` says that all is well and keeps nothing."""
        self.fails: dict[str, Completed] = {}
        """First word after `systemctl` or `crontab` → its answer."""
        self.is_active = True
        self.ran: list[str] = []

    def env_of(self, env: Environment, **variables: str) -> Environment:
        """Return `env` on this box."""
        places = Places(
            units=self.units,
            systemd=self.running,
            cron=self.cron,
            is_root=self.is_root,
            program=lambda: str(self.program) if self.program.exists() else None,
        )
        return replace(env, runner=self, places=places, variables=variables)

    @property
    def link(self) -> Path:
        return self.units / "timers.target.wants" / "certdeck-renewal.timer"

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        cancel: CancelToken | None = None,
        extra_env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        output_limit: int = OUTPUT_LIMIT_BYTES,
    ) -> Completed:
        self.ran.append(" ".join(argv))
        if argv[1] in self.fails:
            return self.fails[argv[1]]
        if argv[0] == "systemctl":
            return self._systemctl(argv[1])
        assert argv[0] == "crontab", argv
        return self._crontab(argv[1], stdin) if self.has_cron else MISSING

    def _systemctl(self, word: str) -> Completed:
        if word == "enable":
            self.link.parent.mkdir(exist_ok=True)
            self.link.unlink(missing_ok=True)
            self.link.symlink_to(self.units / self.link.name)
        if word == "disable":
            self.link.unlink(missing_ok=True)
        if word == "is-active" and not self.is_active:
            return Completed(returncode=3, output="inactive\n")
        return OK

    def _crontab(self, word: str, stdin: bytes | None) -> Completed:
        if word == "-l":
            if self.crontab is None:
                return Completed(returncode=1, output="no crontab for tester\n")
            return Completed(returncode=0, output=self.crontab)
        if not self.loses_crontab:
            self.crontab = None if word == "-r" else (stdin or b"").decode()
        return OK
