"""A service to read the configuration of, whose programs all say the same."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from core.detect.reading import Look, Pair
from core.ports import Completed, Environment, RunningProgram
from core.targets.kinds import kind_named
from tests.support.boxes import the_environment
from tests.support.runner import FakeRunner


def environment(said: str = "", status: int = 0) -> Environment:
    """Return one whose every program says the same."""
    answer = Completed(returncode=status, output=said)
    runner = FakeRunner(
        dict.fromkeys(("nginx", "postconf", "doveconf", "apache2ctl", "apache2", "named-checkconf", "caddy"), answer)
    )
    return replace(the_environment(), runner=runner)


def look(
    kind: str,
    configuration: Path | None = None,
    *,
    said: str = "",
    status: int = 0,
    program: RunningProgram | None = None,
) -> Look:
    row = kind_named(kind)
    assert row is not None
    assert row.detect is not None
    return Look(environment(said, status), row.detect, configuration, program)


def program(name: str, *arguments: str, **variables: str) -> RunningProgram:
    return RunningProgram(name=name, pid=2, uid=0, arguments=arguments, variables=variables)


def files(*pairs: Pair) -> list[tuple[str, str]]:
    return [(each.certificate, each.key) for each in pairs]
