"""The input and the result of a reader of a service's configuration."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from core.errors import UntrustedPath
from core.ports import CancelToken, Environment, RunningProgram
from core.regular import read_regular
from core.search_path import find_program, search_path
from core.targets.detection import Detection
from core.text import safe_line, tail
from core.trusted_paths import refuse_untrusted

SECONDS = 10.0
"""Time limit for one program that prints its configuration."""
MOST_OUTPUT_BYTES = 4 * 1024 * 1024
LONGEST_PATH = 1024
MOST_FITTING = 1000
"""Maximum number of paths that one pattern in a configuration may match."""


class Unreadable(Exception):
    """The configuration of a service cannot be read. The text is one clean sentence for the user."""


class Pair(Struct, frozen=True, kw_only=True):
    """A certificate that is configured for a service."""

    certificate: str
    """As configured, made absolute."""
    key: str
    """The same as `certificate` if both are in one file."""
    chain: str = ""
    """Path of the intermediates, for a service that reads them from a separate file."""
    names: tuple[str, ...] = ()
    """Host names for which it is presented."""
    listens: tuple[tuple[int, str], ...] = ()
    """Port and dialect (empty: TLS from the first byte). Empty if unknown: then each port of the service is probed."""

    def joined(self, other: Pair) -> Pair:
        """Return the pair with the names and ports of another place that uses the same files."""
        return replace(
            self,
            names=tuple(dict.fromkeys((*self.names, *other.names))),
            listens=tuple(dict.fromkeys((*self.listens, *other.listens))),
        )


class Reading(Struct, frozen=True, kw_only=True):
    """What the configuration of a service says."""

    pairs: tuple[Pair, ...] = ()
    problems: tuple[str, ...] = ()
    """What is wrong, in complete clean sentences."""
    test: tuple[str, ...] = ()
    """Command that tests the configuration of this instance, if it is not the usual one."""
    reload: tuple[str, ...] = ()
    """Command that reloads this instance, if the usual command would reload another one."""


class Look:
    """One service to read: its configuration, its process if it runs, and its tools."""

    def __init__(
        self,
        env: Environment,
        how: Detection,
        configuration: Path | None,
        program: RunningProgram | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        """`configuration`: its usual file or folder, if that exists, or None."""
        self.env = env
        self.how = how
        self.program = program
        self.usual = configuration
        self.cancel = cancel or CancelToken()
        self.touched: set[Path] = set()
        """The configuration files that were read or passed to one of its tools."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments that the process was started with; empty if it does not run."""
        return self.program.arguments if self.program else ()

    @property
    def variables(self) -> Mapping[str, str]:
        return self.program.variables if self.program else {}

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(sorted({port for _, port in self.program.sockets})) if self.program else ()

    def option(self, *names: str) -> str | None:
        """Return the value of an option of the running process: `-c FILE`, `--config FILE`, `--config=FILE`."""
        words = self.arguments
        for at, word in enumerate(words):
            if word in names and at + 1 < len(words):
                return words[at + 1]
            name, equals, value = word.partition("=")
            if equals and name in names:
                return value
        return None

    def configuration(self, *options: str) -> Path:
        """Return its configuration: the one in `options` of the process, otherwise the usual one. Raises Unreadable."""
        told = self.option(*options) if options else None
        if told:
            if not os.path.isabs(told):
                raise Unreadable(f"It was started with the configuration {shown(told)}, which is not an absolute path.")
            return Path(told)
        if self.usual is None:
            raise Unreadable("Its configuration was not found.")
        return self.usual

    def tool(self, name: str) -> str:
        """Return how to call a program of the service: by its path if PATH finds a different one from the running one."""
        path = self.program.path if self.program else ""
        if not path or not os.path.isfile(path):
            return name
        found = find_program(name, search_path(self.env.variables))
        return name if found is not None and os.path.realpath(found) == os.path.realpath(path) else path

    def is_others(self, configuration: Path) -> bool:
        """Return whether this process is root and must not pass this configuration to a program: another account can change it."""
        try:
            refuse_untrusted([configuration], "")
        except UntrustedPath:
            return os.geteuid() == 0
        return False

    def run(self, argv: Sequence[str], configuration: Path | None = None, *, allowed: Sequence[int] = (0,)) -> str:
        """Run one of the service's programs and return its output.

        Args:
            configuration: file or folder that it reads; as root, it is run only if no other account can change that.
            allowed: exit statuses that mean success.

        Raises Unreadable; Cancelled.
        """
        command = shown(" ".join(argv))
        if configuration is not None:
            self.touched.add(configuration)
        try:
            self.env.check_command(argv)
            if configuration is not None and os.geteuid() == 0:
                refuse_untrusted([configuration], f"`{command}` was not run as root.")
        except UntrustedPath as exc:
            raise Unreadable(f"{exc.what} {exc.why}") from exc
        ended = self.env.runner.run(argv, timeout=SECONDS, cancel=self.cancel, output_limit=MOST_OUTPUT_BYTES)
        if ended.timed_out:
            raise Unreadable(f"`{command}` did not finish within {SECONDS:g} s.")
        if ended.returncode not in allowed:
            said = tail(ended.output, 3).replace("\n", " ")
            raise Unreadable(f"`{command}` exited with status {ended.returncode}{f': {said}' if said else '.'}")
        return ended.output

    def text(self, path: Path) -> str:
        """Return the text of a configuration file. Raises Unreadable."""
        self.touched.add(path)
        try:
            return read_regular(path).decode("utf-8", "replace")
        except OSError as exc:
            raise Unreadable(f"{shown(str(path))} cannot be read: {exc.strerror}.") from exc


def shown(text: str) -> str:
    """Return foreign text for use in a sentence."""
    return safe_line(text, 200)


def fitting(pattern: str) -> list[Path]:
    """Return the paths that match an absolute pattern, sorted, as the services read it (glob(3)): `**` is one level.

    Foreign text: the result is always a list, and at most MOST_FITTING paths are read.
    """
    if "\0" in pattern:
        return []
    return sorted(map(Path, islice(glob.iglob(pattern), MOST_FITTING)))


def absolute(path: str, base: Path) -> str:
    """Return a configured path made absolute, without access to the disk. Raises Unreadable for an invalid one."""
    if not path or len(path) > LONGEST_PATH or "\0" in path or not path.isprintable():
        raise Unreadable(f"The configured path {shown(path)!r} cannot be used.")
    return os.path.normpath(base / path)
