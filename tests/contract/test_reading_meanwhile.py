"""Looking never waits for a writer and never sees half of what one does."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from core.config.model import LineageConfig
from core.engine import Engine
from core.errors import LockHeld
from core.store.index import facts_of_all
from tests.support.appliance import Appliance
from tests.support.services import Box

SHOP = LineageConfig(name="shop", domains=("shop.example.com",), targets=("web",))


def test_status_in_a_loop_during_a_hundred_deployments(tmp_path: Path) -> None:
    """Another process that looks all the time sees every lineage at every moment, with a version that was deployed."""
    box = Box.at(tmp_path / "home")
    box.serving(tmp_path / "tls")
    box.put(SHOP)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        for _ in range(100):
            box.put(SHOP)
        os._exit(0)
    os.close(writing)
    looks, seen = 0, set()
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        found, problems = facts_of_all(box.paths)
        assert problems == []
        assert [facts.name for facts in found] == ["shop"]
        assert found[0].version is not None
        assert list(found[0].targets) == ["web"]
        seen.add(found[0].version)
        looks += 1
    os.close(reading)
    assert facts_of_all(box.paths)[0][0].version == 101
    assert len(seen) > 10
    assert looks > len(seen)


def test_of_two_writers_one_works(tmp_path: Path) -> None:
    """Threads and processes that write at once: one works, the others are told who does, and nothing is lost."""
    appliance = Appliance(tmp_path / "box")
    appliance.issue("shop.example.com")
    engines: list[Engine] = [appliance.reopened() for _ in range(4)]
    ends: list[str] = []

    def change(engine: Engine) -> None:
        for days in range(5, 25):
            try:
                engine.set_lineage("shop.example.com", renew_days_before=days)
                ends.append("done")
            except LockHeld:
                ends.append("held")

    threads = [threading.Thread(target=change, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ends) == 80
    assert "done" in ends
    assert appliance.engine.status().problems == ()
    assert appliance.engine.verify_log()[1] is None
