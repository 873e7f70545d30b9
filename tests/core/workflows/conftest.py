"""A box with a scripted CA for every workflow test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.appliance import Appliance


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    """A box whose default issuer is the scripted CA; nothing has been issued."""
    return Appliance(tmp_path / "box")
