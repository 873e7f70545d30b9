"""The language of the fleet's filter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from core.fleet_status import BoxCertificate, BoxStatus
from tui.wording.fleet_filter import kept

NOW = datetime(2026, 11, 29, tzinfo=UTC)
SHOP = BoxCertificate(name="shop", version=1, wanted=1, state="deployed")
GOOD = BoxStatus(
    id="a1",
    name="edge-1",
    role="device",
    fingerprint="",
    state="approved",
    seen=NOW,
    release="0.1.0",
    certificates=(SHOP,),
)
BEHIND = replace(GOOD, name="edge-2", certificates=(replace(SHOP, state="behind", why="version 2 is published"),))
FAILED = replace(GOOD, name="edge-3", certificates=(replace(SHOP, state="failed", why="its test refused it"),))
AWAY = replace(GOOD, name="edge-4", seen=NOW - timedelta(days=3))
WAITING = replace(GOOD, name="edge-5", state="waiting", certificates=())
HUB = replace(GOOD, name="hub", role="hub", certificates=())
BOTH = replace(GOOD, name="both", role="both")
EVERY = (GOOD, BEHIND, FAILED, AWAY, WAITING, HUB, BOTH)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("", [each.name for each in EVERY]),
        ("state:ok", ["edge-1", "hub", "both"]),
        ("state:behind", ["edge-2", "edge-3"]),
        ("state:failed", ["edge-3"]),
        ("state:away", ["edge-4"]),
        ("state:wait", ["edge-5"]),
        ("role:hub", ["hub", "both"]),
        ("role:device -state:ok", ["edge-2", "edge-3", "edge-4", "edge-5"]),
        ("serves:shop -edge", ["both"]),
        ("REFUSED", ["edge-3"]),
        ("edge-2 -", ["edge-2"]),
        ("nowhere", []),
    ],
)
def test_a_filter_keeps(words: str, names: list[str]) -> None:
    """Every term has to hold; a - excludes; a word is looked for in names and reasons."""
    assert [each.name for each in EVERY if kept(each, words, NOW)] == names
