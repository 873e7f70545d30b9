from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest

from core.config.model import TargetConfig
from core.ports import Environment, Served
from core.targets.fingerprint import sha256_of_der
from core.targets.probe import look
from tests.support.clock import FakeClock

TARGET = TargetConfig(name="web", certificate="/c", key="/k", probe="127.0.0.1:443")
NOTHING = Served(failure="Nothing listens at 127.0.0.1:443.")


@dataclass
class Scripted:
    answers: Iterator[Served]
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def served(self, address: str, *, server_name: str | None, timeout: float) -> Served:
        self.asked.append((address, server_name))
        return next(self.answers)


def environment(clock: FakeClock, *answers: Served) -> tuple[Environment, Scripted]:
    def script() -> Iterator[Served]:
        yield from answers
        while True:
            yield answers[-1]

    prober = Scripted(script())
    return cast("Environment", SimpleNamespace(clock=clock, prober=prober)), prober


def test_old_workers_are_waited_for() -> None:
    """After a reload the old certificate, or nothing, is seen for a moment: the look goes on until ours is served."""
    clock = FakeClock()
    env, prober = environment(clock, Served(certificate=b"old"), NOTHING, Served(certificate=b"ours"))
    seen = look(env, TARGET, sha256_of_der(b"ours"), "shop.example.com")
    assert seen.matches
    assert seen.served == sha256_of_der(b"ours")
    assert sum(clock.naps) < 0.3
    assert prober.asked[0] == ("127.0.0.1:443", "shop.example.com")


def test_old_and_new_workers_at_once_are_waited_out() -> None:
    """While old and new workers answer in turns nothing is decided: the look ends when only ours was seen for a while."""
    clock = FakeClock()
    ours, old = Served(certificate=b"ours"), Served(certificate=b"old")
    env, prober = environment(clock, ours, old, ours, ours, old, ours)
    assert look(env, TARGET, sha256_of_der(b"ours"), None).matches
    assert len(prober.asked) > 6 + 3


def test_another_certificate_is_named_when_time_is_over() -> None:
    """When the service keeps presenting another certificate, the look ends after `probe_timeout_seconds` and says what it saw."""
    clock = FakeClock()
    env, _ = environment(clock, Served(certificate=b"old"))
    seen = look(env, TARGET, sha256_of_der(b"ours"), None)
    assert not seen.matches
    assert seen.served == sha256_of_der(b"old")
    assert sha256_of_der(b"old")[:23] in seen.why
    assert sum(clock.naps) == pytest.approx(10.0)


def test_silence_is_said() -> None:
    """A service that does not answer is no match, and the reason is handed on."""
    env, _ = environment(FakeClock(), NOTHING)
    seen = look(env, TARGET, sha256_of_der(b"ours"), None)
    assert (seen.served, seen.matches, seen.why) == (None, False, NOTHING.failure)


def test_the_configured_server_name_wins() -> None:
    """`probe_name` is asked for instead of the lineage's first name."""
    from dataclasses import replace

    env, prober = environment(FakeClock(), Served(certificate=b"ours"))
    look(env, replace(TARGET, probe_name="intern.example"), sha256_of_der(b"ours"), "shop.example.com")
    assert set(prober.asked) == {("127.0.0.1:443", "intern.example")}
