"""One certificate to ten services, beside the slowest of them alone: real servers and handshakes, slow tests and reloads."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.model import LineageConfig, TargetConfig
from core.system import environment
from core.workflows.deploying.transaction import deploy_version
from tests.support.authority import Authority
from tests.support.daemons.base import NAME, write
from tests.support.daemons.web import Nginx
from tests.support.services import Box

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]
SERVICES = 10
ROUNDS = int(os.environ.get("ROUNDS", "3"))
MOST = 1.5
"""What all of them may take together, as a multiple of the slowest one."""


@pytest.fixture
def targets() -> Iterator[list[TargetConfig]]:
    """Ten nginx, whose tests and reloads take from 0.2 s to 0.65 s each: the slowest takes 1.3 s."""
    daemons: list[Nginx] = []
    made = []
    try:
        for number in range(SERVICES):
            daemon = Nginx()
            daemons.append(daemon)
            daemon.install(Authority.new(now=datetime.now(UTC)).leaf([NAME]))
            daemon.start()
            target, seconds = daemon.target(f"nginx-{number}"), 0.2 + 0.05 * number
            scripts = {
                word: write(daemon.folder / word, f"#!/bin/sh\nsleep {seconds}\nexec {' '.join(argv)}\n", 0o755)
                for word, argv in (("test.sh", target.test), ("reload.sh", target.reload))
            }
            made.append(replace(target, test=(str(scripts["test.sh"]),), reload=(str(scripts["reload.sh"]),)))
        yield made
    finally:
        for daemon in daemons:
            daemon.remove()


def test_ten_services_take_little_longer_than_the_slowest(targets: list[TargetConfig], tmp_path: Path) -> None:
    """All ten are deployed to in at most 1.5 times what the slowest takes alone."""
    box = Box.at(tmp_path / "home")
    config = replace(box.context.config, targets={each.name: each for each in targets})
    context = replace(box.context, env=environment({"PATH": os.environ["PATH"]}), config=config)

    def seconds(chosen: Sequence[TargetConfig]) -> float:
        spec = LineageConfig(name="svc", domains=(NAME,), targets=tuple(each.name for each in chosen))
        version, leaf = box.store(spec)
        begun = time.perf_counter()
        states = deploy_version(context, "svc", version, chosen, spec=spec)
        taken = time.perf_counter() - begun
        assert {each.served_sha256 for each in states} == {leaf.sha256}
        return taken

    slowest = [max(seconds([each]) for each in targets[-2:]) for _ in range(ROUNDS)]
    together = [seconds(targets) for _ in range(ROUNDS)]
    ratio = statistics.median(together) / statistics.median(slowest)
    print(
        f"\n{SERVICES} services {statistics.median(together):.2f} s, the slowest alone {statistics.median(slowest):.2f} s, "
        f"ratio {ratio:.2f} (at most {MOST})"
    )
    assert ratio <= MOST
