"""How soon the console is there and answers, beside the least that Textual can do. Prints, judges nothing."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.bench.measure import Run, run
from tests.bench.test_floors import ROUNDS, ca, ours
from tests.bench.test_speed import CERTDECK, clone
from tests.bench.typist import DOWN, ESCAPE, PALETTE, UP, typing_at
from tests.support.sources import ROOT

__all__ = ["ca", "ours"]
pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]
IDLE_SECONDS = 10.0
_PAINTED = "first"
"""How the names in both tables begin."""


def painted(argv: Sequence[str], env: Mapping[str, str]) -> Run:
    """Start a program and measure until its first row is drawn."""
    begun = time.perf_counter()
    with typing_at(argv, env) as typist:
        typist.wait_for(_PAINTED)
        return Run(time.perf_counter() - begun, typist.cpu_seconds)


@pytest.mark.parametrize("count", [1, 1000])
def test_first_paint(ours: Mapping[str, str], count: int) -> None:
    """The first row is on the screen, beside a table of as many rows in a trivial app."""
    clone(Path(ours["CERTDECK_HOME"]), "first.certdeck.test", count)
    run([CERTDECK, "status"], ours)
    trivial = [sys.executable, str(ROOT / "tests/bench/trivial_app.py"), str(count)]
    pairs = [(painted([CERTDECK], ours), painted(trivial, ours)) for _ in range(ROUNDS + 1)][1:]
    wall, cpu = (
        statistics.median((getattr(a, field) - getattr(b, field)) * 1000 for a, b in pairs)
        for field in ("wall_seconds", "cpu_seconds")
    )
    print(f"\nconsole, {count}: first paint over a trivial app {wall:+.0f} ms, {cpu:+.0f} ms of CPU")


def test_ten_thousand(ours: Mapping[str, str]) -> None:
    """With 10,000 certificates: memory, an idle console, a cursor key, a letter of the filter, and the palette."""
    clone(Path(ours["CERTDECK_HOME"]), "first.certdeck.test", 10_000)
    run([CERTDECK, "status"], ours)
    with typing_at([CERTDECK], ours) as typist:
        typist.wait_for(_PAINTED)
        typist.settle()
        print(f"\nconsole, 10,000: peak memory {typist.peak_mib:.1f} MiB")
        before = typist.cpu_seconds
        typist.settle(IDLE_SECONDS)
        print(f"console, 10,000: idle CPU {(typist.cpu_seconds - before) / IDLE_SECONDS:.2%}")
        steps = [typist.press((DOWN, UP)[number % 2]) for number in range(20)]
        print(
            f"console, 10,000: a cursor key {statistics.median(step.milliseconds for step in steps):.0f} ms, "
            f"{statistics.median(step.size for step in steps):.0f} bytes"
        )
        typist.settle()
        letters = []
        for _ in range(ROUNDS):
            typist.press("/")
            letters += [typist.press(letter).milliseconds for letter in "clone77"]
            typist.press(ESCAPE)
            typist.settle()
        print(f"console, 10,000: a letter of the filter {statistics.median(letters):.0f} ms")
        opened = []
        for _ in range(ROUNDS):
            opened.append(typist.press(PALETTE).milliseconds)
            typist.press(ESCAPE)
            typist.settle()
        print(f"console, 10,000: the palette {statistics.median(opened):.0f} ms, first {opened[0]:.0f} ms")
