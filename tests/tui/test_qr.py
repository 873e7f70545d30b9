"""QR codes made of characters: every module where the code has it, and nothing else on the screen."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import segno

from tests.support.fake_dns import VALUES
from tui.qr import MOST_CHARACTERS, QUIET_MODULES, qr_lines

PERSISTED = (
    "letsencrypt.org; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/1234567890; persistUntil=1798761600"
)
HALVES = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}


def modules(lines: Sequence[str], *, plain: bool = False) -> list[list[int]]:
    """Read the modules back from the characters, the quiet zone cut off."""
    if plain:
        rows = [[int(line[at : at + 2] == "##") for at in range(0, len(line), 2)] for line in lines]
    else:
        rows = [[HALVES[sign][half] for sign in line] for line in lines for half in (0, 1)]
    width = len(rows[0])
    return [row[QUIET_MODULES:-QUIET_MODULES] for row in rows[QUIET_MODULES : width - QUIET_MODULES]]


def expected(text: str) -> list[list[int]]:
    return [list(row) for row in segno.make_qr(text, error="l").matrix]


@pytest.mark.parametrize("text", [*VALUES, PERSISTED, "a", "ä €"])
@pytest.mark.parametrize("plain", [False, True])
def test_the_code_is_whole(text: str, plain: bool) -> None:
    """Every dark module is drawn, in half blocks and in `##`, and the light ones are not."""
    assert modules(qr_lines(text, plain=plain), plain=plain) == expected(text)


@pytest.mark.parametrize("plain", [False, True])
def test_light_is_the_reverse(plain: bool) -> None:
    """With `light` exactly the other modules are drawn, and the quiet zone around them is drawn to its last half line."""
    lines = qr_lines(VALUES[0], plain=plain, light=True)
    assert modules(lines, plain=plain) == [[1 - module for module in row] for row in expected(VALUES[0])]
    assert set(lines[0] + lines[-1]) == {"#" if plain else "█"}


def test_it_fits_a_terminal() -> None:
    """A proof's value and a value that is set once both fit 80x24; all lines are equally wide."""
    for text in (*VALUES, PERSISTED):
        lines = qr_lines(text)
        assert len(lines) <= 23
        assert {len(line) for line in lines} == {len(lines[0])}
        assert len(lines[0]) <= 80


@pytest.mark.parametrize("text", ["", "x" * (MOST_CHARACTERS + 1)])
def test_what_makes_no_code(text: str) -> None:
    """Nothing, and what no phone would read, is refused."""
    with pytest.raises(ValueError, match="makes no code"):
        qr_lines(text)
