from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest

from core.config.model import TargetConfig
from core.ports import Environment, Served
from core.targets.fingerprint import sha256_of_der
from core.targets.probe import look, seen_before
from tests.support.clock import FakeClock

TARGET = TargetConfig(name="web", certificate="/c", key="/k", probe=("127.0.0.1:443",))
NOTHING = Served(failure="Nothing listens at 127.0.0.1:443.")


@dataclass
class Scripted:
    answers: Iterator[Served]
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def listeners(self, probe: str, *, timeout: float) -> Sequence[str]:
        return (probe,)

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
    seen = look(env, TARGET, sha256_of_der(b"ours"), ["shop.example.com"])
    assert seen.matches
    assert seen.served == sha256_of_der(b"ours")
    assert sum(clock.naps) < 0.3
    assert prober.asked[0] == ("127.0.0.1:443", "shop.example.com")


def test_old_and_new_workers_at_once_are_waited_out() -> None:
    """While old and new workers answer in turns nothing is decided: the look ends when only ours was seen for a while."""
    clock = FakeClock()
    ours, old = Served(certificate=b"ours"), Served(certificate=b"old")
    env, prober = environment(clock, ours, old, ours, ours, old, ours)
    assert look(env, TARGET, sha256_of_der(b"ours"), []).matches
    assert len(prober.asked) > 6 + 3


def test_another_certificate_is_named_when_time_is_over() -> None:
    """When the service keeps presenting another certificate, the look ends after `probe_timeout_seconds` and says what it saw."""
    clock = FakeClock()
    env, _ = environment(clock, Served(certificate=b"old"))
    seen = look(env, TARGET, sha256_of_der(b"ours"), [])
    assert not seen.matches
    assert seen.served == sha256_of_der(b"old")
    assert sha256_of_der(b"old")[:23] in seen.why
    assert sum(clock.naps) == pytest.approx(10.0)


def test_silence_is_said() -> None:
    """A service that does not answer is no match, and the reason is handed on."""
    env, _ = environment(FakeClock(), NOTHING)
    seen = look(env, TARGET, sha256_of_der(b"ours"), [])
    assert (seen.served, seen.matches, seen.why) == (None, False, NOTHING.failure)


def test_the_configured_server_name_wins() -> None:
    """`probe_name` is asked for instead of the lineage's first name."""
    from msgspec.structs import replace

    env, prober = environment(FakeClock(), Served(certificate=b"ours"))
    look(env, replace(TARGET, probe_name="intern.example"), sha256_of_der(b"ours"), ["shop.example.com"])
    assert set(prober.asked) == {("127.0.0.1:443", "intern.example")}


@dataclass
class Addresses:
    """A prober whose listeners each say the same for ever."""

    answers: dict[str, Served]

    def listeners(self, probe: str, *, timeout: float) -> Sequence[str]:
        return tuple(self.answers)

    def served(self, address: str, *, server_name: str | None, timeout: float) -> Served:
        return self.answers[address]


def test_every_address_is_looked_at() -> None:
    """`::1` serving another certificate while 127.0.0.1 serves ours is noticed, and named."""
    clock = FakeClock()
    prober = Addresses({"127.0.0.1:443": Served(certificate=b"ours"), "[::1]:443": Served(certificate=b"other")})
    env = cast("Environment", SimpleNamespace(clock=clock, prober=prober))
    seen = look(env, TARGET, sha256_of_der(b"ours"), [])
    assert not seen.matches
    assert seen.why.startswith("[::1]:443 presents a different certificate, ")
    assert seen.served == sha256_of_der(b"other")


def test_what_was_silent_before_is_not_waited_for() -> None:
    """A listener that could not be seen before the deployment ends with the others, and is reported."""
    clock = FakeClock()
    prober = Addresses({"127.0.0.1:443": Served(certificate=b"ours"), "[::1]:443": Served(failure="It is silent.")})
    env = cast("Environment", SimpleNamespace(clock=clock, prober=prober))
    before = seen_before(env, TARGET, [])
    assert before == {"127.0.0.1:443": (sha256_of_der(b"ours"),), "[::1]:443": ()}
    seen = look(env, TARGET, sha256_of_der(b"ours"), [], before)
    assert seen.matches
    assert [sight.listener.address for sight in seen.unseen] == ["[::1]:443"]
    assert sum(clock.naps) < 5


def test_a_service_that_could_not_be_seen_is_waited_for() -> None:
    """Where nothing was seen anywhere before, the service may just be starting: its time is waited for."""
    clock = FakeClock()
    env, _ = environment(clock, NOTHING, NOTHING, NOTHING, Served(certificate=b"ours"))
    assert look(env, TARGET, sha256_of_der(b"ours"), [], {"127.0.0.1:443": ()}).matches
    env, _ = environment(clock, NOTHING)
    seen = look(env, TARGET, sha256_of_der(b"ours"), [], {"127.0.0.1:443": ()})
    assert (seen.matches, len(seen.unseen)) == (True, 1)
