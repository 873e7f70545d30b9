"""Whole processes, measured from outside: wall, CPU, and the peak memory of the largest process among them."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    wall_seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Series:
    """Several runs of one command."""

    label: str
    runs: tuple[Run, ...]

    @property
    def wall(self) -> float:
        return statistics.median(run.wall_seconds for run in self.runs)

    def line(self, against: Series | None = None) -> str:
        """Return the figures; with `against` the ratio of the two, taken pair by pair."""
        walls = sorted(run.wall_seconds for run in self.runs)
        cpu = statistics.median(run.cpu_seconds for run in self.runs)
        text = f"{self.label:44} wall {self.wall:7.3f} s ({walls[0]:.3f}-{walls[-1]:.3f})  cpu {cpu:6.3f} s"
        if against is not None:
            pairs = [a.wall_seconds / b.wall_seconds for a, b in zip(self.runs, against.runs, strict=False)]
            text += f"  ratio {statistics.median(pairs):.3f}"
        return text


def run(argv: Sequence[str], env: Mapping[str, str]) -> Run:
    """Run a program to its end. Raises AssertionError with what it said when it fails."""
    with tempfile.TemporaryFile() as said:
        begun = time.perf_counter()
        process = subprocess.Popen(argv, env=dict(env), stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        assert process.returncode == 0, said.read().decode(errors="replace")[-2000:]
    return Run(wall, usage.ru_utime + usage.ru_stime)


def peak_mib(argv: Sequence[str], env: Mapping[str, str]) -> float:
    """Return the peak memory of a program, not counting what it inherits from us, by way of GNU time."""
    with tempfile.NamedTemporaryFile("r") as out:
        subprocess.run(
            ["/usr/bin/time", "-q", "-f", "%M", "-o", out.name, *argv],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        return int(Path(out.name).read_text().split()[-1]) / 1024
