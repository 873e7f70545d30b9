"""How often the disk is made to wait for: on the eMMC or SD card of an appliance one flush takes as long as a request to a CA."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from core.store import renewal_state
from tests.support.appliance import Appliance

NAME = "shop.example.com"


@pytest.fixture
def flushes(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], list[str]]:
    """Gives what `act` flushes. SQLite flushes nothing itself: it has its write-ahead log already."""

    def counted(act: Callable[[], object]) -> list[str]:
        found: list[str] = []
        real = os.fsync

        def fsync(handle: int) -> None:
            found.append(os.readlink(f"/proc/self/fd/{handle}"))
            real(handle)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fsync)
            patch.setattr(os, "fdatasync", fsync)
            act()
        return found

    return counted


def test_an_issuance_flushes_what_it_needs(
    appliance: Appliance, flushes: Callable[[Callable[[], object]], list[str]]
) -> None:
    """Order with key, version, settings, live link, log: each file and each folder once."""
    appliance.issue("first.example.com")
    assert len(flushes(lambda: appliance.issue(NAME))) == 16


def test_a_renewal_flushes_what_it_needs(
    appliance: Appliance, flushes: Callable[[Callable[[], object]], list[str]]
) -> None:
    """As an issuance, without settings; the key of the old version is sealed instead."""
    appliance.issue(NAME)
    assert len(flushes(lambda: appliance.engine.renew([NAME], force=True))) == 15


def test_what_a_ca_says_about_renewals_is_not_flushed(
    appliance: Appliance, flushes: Callable[[Callable[[], object]], list[str]]
) -> None:
    """A run that only asks flushes the record of the run, file and folder, and the log, however many certificates there are."""
    for number in range(5):
        appliance.issue(f"n{number}.example.com")
    appliance.engine.renew()  # the first run of a release keeps which one it has checked
    appliance.clock.advance(hours=7)
    assert len(flushes(appliance.engine.renew)) == 3


def test_a_failure_is_remembered_for_good(
    appliance: Appliance, flushes: Callable[[Callable[[], object]], list[str]]
) -> None:
    """After a failure the success that ends it is flushed: a power cut must not bring the failure back."""
    appliance.issue(NAME)
    healthy = flushes(lambda: appliance.engine.renew([NAME], force=True))
    state = renewal_state.load(appliance.paths, NAME)
    renewal_state.save(appliance.paths, NAME, replace(state, failures=1))
    troubled = flushes(lambda: appliance.engine.renew([NAME], force=True))
    assert len(troubled) == len(healthy) + 2
