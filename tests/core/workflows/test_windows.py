"""Maintenance windows of services, in which alone scheduled runs touch them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.model import Config, LineageConfig, TargetConfig
from core.events import Warned
from core.store.index import Facts, facts_of_all
from core.workflows.deploying.deploy import deploy
from core.workflows.deploying.window import is_open, opens_at
from core.workflows.renewing.due import DEPLOY, RENEW, SKIP, Decision
from core.workflows.renewing.maintenance import held_by_windows
from tests.support.clock import NOON
from tests.support.services import Box

NIGHT = TargetConfig(name="web", certificate="/c", key="/k", window="02:00-04:00")
CONFIG = Config(targets={"web": NIGHT})


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    """A lineage with a live certificate on the target `web`."""
    box = Box.at(tmp_path / "home")
    box.services.add(tmp_path / "tls", "web")
    box.put(LineageConfig(name="shop", domains=("shop.example.com",), targets=("web",)))
    return facts_of_all(box.paths)[0][0]


@pytest.mark.parametrize(
    ("window", "hour", "inside"),
    [("02:00-04:00", 2, True), ("02:00-04:00", 4, False), ("22:00-03:00", 23, True), ("22:00-03:00", 1, True),
     ("22:00-03:00", 12, False)],
)  # fmt: skip
def test_a_window_may_go_over_midnight(window: str, hour: int, inside: bool) -> None:
    """A window holds its first minute and not its last, and one that ends before it begins goes over midnight."""
    assert is_open(window, NOON.replace(hour=hour, minute=0)) is inside


def test_a_closed_window_opens_next() -> None:
    """The next opening is today when it is still to come, else tomorrow."""
    assert opens_at("14:00-15:00", NOON) == NOON.replace(hour=14)
    assert opens_at("02:00-04:00", NOON) == NOON.replace(hour=2) + timedelta(days=1)


@pytest.mark.parametrize("action", [RENEW, DEPLOY])
def test_a_run_outside_of_the_window_waits(facts: Facts, action: str) -> None:
    """Renewing and deploying wait for the window, with the moment at which it opens; inside of it nothing waits."""
    decision = Decision("shop", action, "it is due")
    (held,) = held_by_windows([decision], [facts], CONFIG, NOON)
    assert (held.action, "02:00-04:00" in held.why) == (SKIP, True)
    assert held.renew_at == opens_at("02:00-04:00", NOON).timestamp()
    assert held_by_windows([decision], [facts], CONFIG, NOON.replace(hour=3)) == [decision]


def test_a_certificate_that_ends_soon_does_not_wait(facts: Facts) -> None:
    """In the last two days, for a revoked certificate, and for the first one, the window is no reason to wait."""
    decision = Decision("shop", RENEW, "it is due")
    late = datetime.fromtimestamp(facts.not_after, UTC) - timedelta(days=1)
    assert held_by_windows([decision], [facts], CONFIG, late.replace(hour=12)) == [decision]
    assert held_by_windows([decision], [facts._replace(revoked=True)], CONFIG, NOON) == [decision]
    assert held_by_windows([decision], [facts._replace(version=None)], CONFIG, NOON) == [decision]
    anytime = Config(targets={"web": replace(NIGHT, window=None)})
    assert held_by_windows([decision], [facts], anytime, NOON) == [decision]


def test_whoever_asks_does_not_wait(tmp_path: Path) -> None:
    """A deployment that somebody asks for is done at once outside of the window, and says so."""
    box = Box.at(tmp_path / "home")
    service = box.services.add(tmp_path / "tls", "web")
    box.put(LineageConfig(name="shop", domains=("shop.example.com",), targets=("web",)))
    begin = (NOON + timedelta(hours=3)).astimezone()
    service.target = replace(service.target, window=f"{begin:%H:%M}-{begin + timedelta(hours=1):%H:%M}")
    box.told.clear()
    deploy(box.context, "shop")
    assert [each.event.code for each in box.told if isinstance(each.event, Warned)] == ["outside-window"]
