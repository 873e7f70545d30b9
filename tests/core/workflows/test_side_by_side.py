"""Services of one deployment: worked on side by side, all or none, and brought back where they ended."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.model import LineageConfig
from core.errors import ProbeMismatch, ReloadFailed
from core.events import SessionsEnd, TargetSwitched
from core.ports import CancelToken, Completed, Served
from tests.support.services import Box, Services

NAMES = tuple(f"svc{number}" for number in range(10))
SPEC = LineageConfig(name="shop", domains=("shop.example.com",), targets=NAMES)


class Together(Services):
    """Services each of whose steps waits until all of them are at it: one after the other they would never get on."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._meeting = {word: threading.Barrier(count) for word in ("test", "reload", "look")}
        self._looked: set[str] = set()
        self._lock = threading.Lock()
        self.meets = False

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        cancel: CancelToken | None = None,
        extra_env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
    ) -> Completed:
        if self.meets:
            self._meeting[argv[1]].wait(10)
        return super().run(argv, timeout=timeout)

    def served(self, address: str, *, server_name: str | None, timeout: float) -> Served:
        if self.meets:
            with self._lock:
                is_first = address not in self._looked
                self._looked.add(address)
            if is_first:
                self._meeting["look"].wait(10)
        return super().served(address, server_name=server_name, timeout=timeout)


def test_ten_services_are_worked_on_at_the_same_time(tmp_path: Path) -> None:
    """Ten services are tested, reloaded and looked at all at once: the deployment takes as long as the slowest of them."""
    services = Together(len(NAMES))
    box = Box.at(tmp_path / "home")
    box.services = services
    for name in NAMES:
        services.add(tmp_path / name, name)
    services.meets = True
    _, leaf = box.put(SPEC)
    assert {service.serves for service in services.by_name.values()} == {leaf.fullchain_pem}


def test_one_of_ten_that_fails_brings_all_back(tmp_path: Path) -> None:
    """When one of ten cannot be reloaded, each of the others serves its old certificate again (SO-41)."""
    box = Box.at(tmp_path / "home")
    for name in NAMES:
        box.services.add(tmp_path / name, name)
    _, first = box.put(SPEC)
    box.services.by_name["svc4"].reload_answers = [Completed(returncode=1, output="svc4: no")]
    with pytest.raises(ReloadFailed) as caught:
        box.put(SPEC)
    assert caught.value.details["target"] == "svc4"
    assert {service.serves for service in box.services.by_name.values()} == {first.fullchain_pem}


class Fragile(Services):
    """One service that its reload ends for good, and that only its kind's way back starts again."""

    def __init__(self) -> None:
        super().__init__()
        self.restarts = 0
        self.breaks = False

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        cancel: CancelToken | None = None,
        extra_env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
    ) -> Completed:
        service = self.by_name["log"]
        if tuple(argv) == ("systemctl", "restart", "syslog-ng"):
            self.restarts += 1
            service.is_running = True
            service.command("reload")
            return Completed(returncode=0, output="")
        if tuple(argv) == ("syslog-ng-ctl", "reload"):
            service.is_running = service.is_running and not self.breaks
            if service.is_running:
                service.command("reload")
            return Completed(returncode=0, output="Config reload successful\n")
        return super().run(argv, timeout=timeout)


def test_a_service_that_its_reload_silenced_is_restarted_on_the_way_back(tmp_path: Path) -> None:
    """Where the same action does not bring a service back, the kind's own way does, and the old certificate is served again."""
    services = Fragile()
    box = Box.at(tmp_path / "home")
    box.services = services
    service = services.add(tmp_path / "tls", "log")
    service.target = replace(service.target, kind="syslog-ng", reload=(), probe_timeout_seconds=1)
    spec = replace(SPEC, targets=("log",))
    _, first = box.put(spec)
    services.breaks = True
    with pytest.raises(ProbeMismatch) as caught:
        box.put(spec)
    assert caught.value.details["live"] == "old"
    assert services.restarts == 1
    assert service.serves == first.fullchain_pem
    assert service.is_running


def test_a_restart_is_announced_before_anything_is_switched(tmp_path: Path) -> None:
    """Where only a restart helps, it is said before the switch that connections end; a reload says nothing of the kind."""
    box = Box.at(tmp_path / "home")
    service = box.services.add(tmp_path / "tls", "web", probe=False)
    spec = replace(SPEC, targets=("web",))
    box.put(spec)
    assert box.events(SessionsEnd) == []
    service.target = replace(service.target, reload=("web", "restart"))
    box.told.clear()
    box.put(spec)
    assert box.events(SessionsEnd, TargetSwitched) == ["SessionsEnd", "TargetSwitched"]
