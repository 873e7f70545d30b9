"""The rows of the catalogue of kinds: each whole, and each honest about what was tried."""

from __future__ import annotations

import pytest

from core.probe_address import broken
from core.targets.kind import LAYOUTS, NO_ACTION, Kind
from core.targets.kinds import KINDS, all_kinds
from tests.support.daemons import DAEMONS
from tests.support.service_table import BEGIN, END, README, service_table

ROWS = list(all_kinds())


@pytest.mark.parametrize("kind", ROWS, ids=lambda kind: kind.name)
def test_a_row_is_whole(kind: Kind) -> None:
    """Each row has a name that the catalogue knows, layouts and probes that exist, and an action unless none is needed."""
    assert kind.name in KINDS
    assert kind.files.layouts
    assert set(kind.files.layouts) <= set(LAYOUTS)
    assert not any(broken(probe) for probe in kind.probe.usual)
    has_action = bool(kind.action.command or kind.action.exchange)
    if kind.group == "any":
        assert not has_action
    else:
        assert has_action == (kind.action.how != NO_ACTION)
        assert kind.measured
        assert kind.unit
    for account in kind.key.accounts:
        assert kind.key.group, account
    assert all(sign == sign.lower() for sign in (*kind.action.idle_signs, *kind.action.failure_signs))
    assert all(remark.endswith((".", "`.")) for remark in kind.remarks)


def test_what_is_called_proven_is_proven() -> None:
    """The kinds that say that certdeck's tests start the real service are those that the tests know how to start."""
    assert {kind.name for kind in ROWS if kind.proven and kind.group != "any"} == set(DAEMONS)


def test_the_readme_has_the_table() -> None:
    """The README's table of services is the one that the rows make."""
    text = README.read_text()
    _, _, rest = text.partition(BEGIN)
    assert rest.partition(END)[0] == service_table()
