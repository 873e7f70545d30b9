"""A box whose notifications go to a webhook in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.appliance import CONFIG, Appliance
from tests.support.hook_receiver import Receiver

HOOK = '\n[notifications.hook]\nkind = "webhook"\nurl = "https://hook.test/in"\n'


@pytest.fixture
def receiver() -> Receiver:
    """Who is told."""
    return Receiver()


@pytest.fixture
def box(tmp_path: Path, receiver: Receiver) -> Callable[..., Appliance]:
    """Make a box; the arguments are appended to the entry, and to the configuration."""

    def make(entry: str = "", more: str = "") -> Appliance:
        made = Appliance(tmp_path / "box", f"{CONFIG}{HOOK}{entry}{more}")
        made.vendors["hook.test"] = receiver
        return made

    return make
