"""Commands in sentences of the engine, as keys of the console."""

from __future__ import annotations

import re

import pytest

from core.errors import CertdeckError
from tests.support.deck import NARROW, deck, shown
from tests.support.sources import ROOT
from tui.actions import ACTIONS
from tui.here import keys_for


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        pytest.param("Set it: certdeck schedule on.", "S Schedule", id="app"),
        pytest.param("Run `certdeck issuer agree lab`.", "m Issuers, then a Accept", id="page"),
        pytest.param(
            "Fix it with `certdeck doctor shop`, then: certdeck --renew shop --force.", "x Doctor · r Renew", id="two"
        ),
        pytest.param("Run certdeck undelete shop.", "^p Undelete", id="palette"),
        pytest.param("certdeck reminds you in time.", "", id="a-verb"),
        pytest.param("Look at `certdeck status`.", "", id="shown-anyway"),
        pytest.param("Free space in /var.", "", id="none"),
    ],
)
def test_a_command_has_its_key(words: str, keys: str) -> None:
    """A sentence that names commands leads to their keys, through the page that has them; another one to none."""
    assert keys_for(words) == keys


async def test_an_error_says_the_key() -> None:
    """An error whose fix is a command names the key that does it here."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        app.show_error(CertdeckError("Nothing renews.", "There is no timer.", "Run certdeck schedule on."))
        await pilot.pause()
        assert "here S Schedule" in shown(app)


def test_keys_in_texts_are_the_keys_of_the_table() -> None:
    """Where a text of a screen names a page with its key, `Issuers (m)`, that is the key of the table."""
    keys = {
        action.label: action.key_shown for action in ACTIONS if action.scope == "app" and len(action.key_shown) == 1
    }
    told = [
        (word, key)
        for path in (ROOT / "tui" / "screens").rglob("*.py")
        for word, key in re.findall(r"\b([A-Z]\w+) \((\w)\)", path.read_text(encoding="utf-8"))
        if word in keys
    ]
    assert told
    assert [(word, key) for word, key in told if keys[word] != key] == []
