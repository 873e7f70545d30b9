"""Which name is asked for, which listeners there are, and what sights of them mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from core.config.model import TargetConfig
from core.ports import Served
from core.targets.fingerprint import sha256_of_der
from core.targets.judgement import broken_by_deployment, not_seen, served_of, states_of, summary
from core.targets.sight import Listener, Sight, listeners_of, see_all, server_name

OURS, OTHER = "AA:BB", "CC:DD"
FOUR, SIX = Listener("localhost:443", "127.0.0.1:443"), Listener("localhost:443", "[::1]:443")
ALONE = Listener("[::1]:443", "[::1]:443")


def shows(listener: Listener, *served: str) -> Sight:
    """A sight of a listener that presented these, one after the other."""
    return Sight(listener=listener, served=served)


def silent(listener: Listener) -> Sight:
    """A listener that took the connection and did not answer."""
    return Sight(listener=listener, why=f"{listener.address} did not respond within 3 s.")


def refused(listener: Listener) -> Sight:
    """An address where nothing listens."""
    return Sight(listener=listener, why=f"Nothing listens at {listener.address}.", closed=True)


@pytest.mark.parametrize(
    ("configured", "names", "probe", "asked"),
    [
        (None, ["shop.example.com", "www.example.com"], "127.0.0.1:443", "shop.example.com"),
        (None, ["*.example.com"], "127.0.0.1:443", "certdeck.example.com"),
        (None, ["*.example.com", "example.com"], "127.0.0.1:443", "example.com"),
        (None, ["a.example.com", "b.example.com"], "B.example.com:443", "b.example.com"),
        (None, ["*.example.com", "x.org"], "www.example.com:443", "www.example.com"),
        (None, ["*.example.com"], "www.sub.example.com:443", "certdeck.example.com"),
        (None, ["192.0.2.1", "2001:db8::1"], "192.0.2.1:443", None),
        (None, ["192.0.2.1", "box.example.com"], "192.0.2.1:443", "box.example.com"),
        (None, [], "127.0.0.1:443", None),
        ("intern.example", ["shop.example.com"], "127.0.0.1:443", "intern.example"),
        ("*.example.com", ["shop.example.com"], "127.0.0.1:443", "certdeck.example.com"),
    ],
)
def test_the_name_asked_for_is_covered(configured: str | None, names: list[str], probe: str, asked: str | None) -> None:
    """A name of the certificate is asked for, below a wildcard and never its bare domain; for addresses alone none is."""
    assert server_name(configured, names, probe) == asked


@dataclass
class Host:
    """A prober with one host of two addresses."""

    answers: dict[str, list[Served]]
    asked: list[str] = field(default_factory=list)

    def listeners(self, probe: str, *, timeout: float) -> Sequence[str]:
        return ("127.0.0.1:443", "[::1]:443") if probe == "localhost:443" else (probe,)

    def served(self, listener: str, *, server_name: str | None, timeout: float) -> Served:
        self.asked.append(listener)
        answers = self.answers[listener]
        return answers.pop(0) if len(answers) > 1 else answers[0]


def test_a_name_stands_for_all_its_addresses() -> None:
    """Each address of each probe is looked at once, also where two probes name the same."""
    target = TargetConfig(name="web", probe=("localhost:443", "[::1]:443", "192.0.2.1:443"))
    prober = Host(
        {each: [Served(certificate=each.encode())] for each in ("127.0.0.1:443", "[::1]:443", "192.0.2.1:443")}
    )
    assert [each.address for each in listeners_of(prober, target)] == ["127.0.0.1:443", "[::1]:443", "192.0.2.1:443"]
    sights = see_all(prober, target, [], timeout=1)
    assert [sight.served for sight in sights] == [
        (sha256_of_der(each),) for each in (b"127.0.0.1:443", b"[::1]:443", b"192.0.2.1:443")
    ]
    assert sorted(prober.asked) == sorted({"127.0.0.1:443", "[::1]:443", "192.0.2.1:443"})


def test_smtp_is_looked_at_by_several_connections() -> None:
    """Where each connection has a process of its own, old and new by turns are both seen."""
    old, new = Served(certificate=b"old"), Served(certificate=b"new")
    prober = Host({"smtp://[::1]:25": [new, new, old, new]})
    (sight,) = see_all(prober, TargetConfig(name="mail", probe=("smtp://[::1]:25",)), [], timeout=1)
    assert set(sight.served) == {sha256_of_der(b"new"), sha256_of_der(b"old")}
    state, why = summary([sight], sha256_of_der(b"new"))
    assert (state, "intermittently" in why) == ("stale", True)


@pytest.mark.parametrize(
    ("sights", "state", "served"),
    [
        ([shows(FOUR, OURS), shows(SIX, OURS)], "deployed", OURS),
        ([shows(FOUR, OURS), shows(SIX, OTHER)], "stale", OTHER),
        ([shows(FOUR, OURS), refused(SIX)], "deployed", OURS),
        ([shows(FOUR, OURS), silent(SIX)], "unknown", OURS),
        ([shows(FOUR, OURS), refused(ALONE)], "unknown", OURS),
        ([refused(FOUR), refused(SIX)], "unknown", None),
        ([silent(FOUR), shows(SIX, OTHER)], "stale", OTHER),
    ],
)
def test_the_state_of_a_target_follows_from_its_listeners(sights: list[Sight], state: str, served: str | None) -> None:
    """One listener with another certificate makes a target stale; one that cannot be seen leaves it unknown, but for an unused
    address of a name."""
    assert summary(sights, OURS)[0] == state
    assert served_of(sights, OURS) == served


def test_each_listener_has_a_state() -> None:
    """Listeners are told one by one, with what each serves."""
    states = states_of([shows(FOUR, OURS), shows(SIX, OTHER), silent(ALONE)], OURS)
    assert [(each.address, each.state, each.served_sha256) for each in states] == [
        ("127.0.0.1:443", "deployed", OURS),
        ("[::1]:443", "stale", OTHER),
        ("[::1]:443", "unknown", None),
    ]


@pytest.mark.parametrize(
    ("before", "after", "is_broken", "is_unseen"),
    [
        ((OTHER,), shows(ALONE, OURS), False, False),
        ((OTHER,), shows(ALONE, OTHER), True, False),
        ((OTHER,), silent(ALONE), True, False),
        ((OTHER,), refused(ALONE), True, False),
        ((), silent(ALONE), False, True),
        ((), refused(ALONE), False, True),
        ((), shows(ALONE, OTHER), True, False),
        ((), shows(ALONE, OURS), False, False),
        (None, silent(ALONE), True, False),
    ],
)
def test_what_a_deployment_broke_is_told_from_what_was_broken(
    before: tuple[str, ...] | None, after: Sight, is_broken: bool, is_unseen: bool
) -> None:
    """Another certificate is a failure, and so is nothing where something was seen; nothing as before is reported."""
    known = {} if before is None else {ALONE.address: before}
    assert bool(broken_by_deployment([after], OURS, known, [after])) is is_broken
    assert bool(not_seen([after], known)) is is_unseen


def test_an_unused_address_of_a_name_is_not_reported() -> None:
    """Where a service listens on one address of a name, nobody hears of the other; where it did before, that is a failure."""
    sights = [shows(FOUR, OURS), refused(SIX)]
    before = {FOUR.address: (OTHER,), SIX.address: ()}
    assert (broken_by_deployment(sights, OURS, before, sights), not_seen(sights, before)) == ((), ())
    assert broken_by_deployment(sights, OURS, {**before, SIX.address: (OTHER,)}, sights) == (
        "Nothing listens at [::1]:443.",
    )
