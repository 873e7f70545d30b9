"""What to search for: the rows of the kind table that support detection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct

from core.detect.reading import Look
from core.ports import CancelToken, Environment, RunningProgram
from core.targets.detection import Detection
from core.targets.kinds import all_kinds


class Wanted(Struct, frozen=True, kw_only=True):
    """A kind of service to search for."""

    kind: str
    title: str
    how: Detection


class Instance(Struct, frozen=True, kw_only=True):
    """One running service, or one that is only installed."""

    kind: str
    title: str
    how: Detection
    look: Look

    @property
    def program(self) -> RunningProgram | None:
        return self.look.program


def wanted() -> Iterator[Wanted]:
    """Yield every kind that can be detected, in the order of the table."""
    for kind in all_kinds():
        if kind.detect is not None:
            yield Wanted(kind=kind.name, title=kind.title, how=kind.detect)


def instances(
    kinds: Sequence[Wanted], programs: Sequence[RunningProgram], env: Environment, cancel: CancelToken
) -> tuple[list[Instance], list[Instance]]:
    """Return the running services, and all configurations that exist, whether a running service uses them or not."""
    root = env.places.root
    running, installed = [], []
    for each in kinds:
        there = [path for pattern in each.how.configuration for path in _found(root, pattern)]
        for program in programs:
            # A program with only UDP sockets counts as a service only if its row expects no port to probe.
            if is_one(program, each.how) and (program.sockets or not each.how.dialects):
                usual = there[0] if len(there) == 1 else None
                running.append(_instance(each, Look(env, each.how, usual, program, cancel)))
        installed += [_instance(each, Look(env, each.how, path, None, cancel)) for path in there]
    return running, installed


def is_one(program: RunningProgram, how: Detection) -> bool:
    """Return whether a program is the service that a row describes."""
    return (not how.word or any(how.word in each for each in program.arguments)) and any(
        program.path.endswith(f"/{name}") if "/" in name else fnmatchcase(program.name, name) for name in how.programs
    )


def _instance(each: Wanted, look: Look) -> Instance:
    return Instance(kind=each.kind, title=each.title, how=each.how, look=look)


def _found(root: Path, pattern: str) -> list[Path]:
    """Return the matching files and folders; also one below a folder that this user may not enter: its reader reports that."""
    if "*" not in pattern:
        path = root / pattern.lstrip("/")
        try:
            path.stat()
        except PermissionError:
            return [path]
        except OSError:
            return []
        return [path]
    return sorted(root.glob(pattern.lstrip("/")))
