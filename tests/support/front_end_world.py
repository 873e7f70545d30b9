"""The ports as a front end may see them: a clock, this machine's name, and nothing that does work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from core.ports import Environment, Served
from tests.support.clock import FakeClock, FakeRandom


class _NoWorld:
    """A port that a front end has no business with."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"a front end used the port's {name}")


class _FakeHost:
    def name(self) -> str:
        return "box.example.com"

    def addresses(self) -> Sequence[str]:
        return ("192.0.2.10", "2001:db8::10")

    def resolve(self, name: str) -> Sequence[str]:
        return ("192.0.2.10",)

    def listening(self, port: int) -> Sequence[str]:
        return ()

    def trusted_roots(self) -> str | None:
        return "/etc/ssl/certs"

    def user(self) -> str:
        return "admin"


class _FakeProber:
    def listeners(self, probe: str, *, timeout: float) -> Sequence[str]:
        return (probe,)

    def served(self, address: str, *, server_name: str | None, timeout: float) -> Served:
        return Served(failure="nobody listens in this test")


def front_end_world(clock: FakeClock) -> Environment:
    """Return an environment around `clock`; using anything that does work fails the test."""
    world: Any = _NoWorld()
    return Environment(
        clock=clock,
        random=FakeRandom(),
        transport=world,
        runner=world,
        prober=_FakeProber(),
        listener=world,
        host=_FakeHost(),
        resolver=world,
        variables={},
    )
