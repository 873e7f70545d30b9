"""What may reach a terminal."""

from __future__ import annotations

import ast
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from tests.support.deck import NARROW, deck, shown
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import lineage
from tests.support.sources import ROOT
from tui.glyphs import ASCII, printable, to_ascii
from tui.line_filters import Ascii, Safe
from tui.terminal import Terminal

HOSTILE = (
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]0;title\x07",
    "\x9b31m",
    "a\u202egnp.exe",
    "a\u2066b\u2069",
    "line\nbreak\r\n",
    "\u2028",
    "\x00\x7f\x85",
    "zero\u200bwidth\ufeff",
    "tag\U000e0041",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_obeyed_is_left(text: str) -> None:
    """Control characters, escapes, marks of direction and invisible characters do not pass."""
    assert printable(text).isprintable()
    assert not set(printable(text)) & set("\u202e\u2066\u2069\u200b\ufeff\u2028")


@hypothesis.given(st.text())
def test_any_text_is_harmless(text: str) -> None:
    """Of whatever text, what is left has no character of the control and separator kinds that terminals obey."""
    shown = printable(text)
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in shown)


def test_lines_may_stay() -> None:
    """Where several lines are meant, line feeds and tabs stay, and nothing else does."""
    assert printable("a\n\tb\x1bc\r", lines=True) == "a\n\tb c "


@pytest.mark.parametrize("text", ["◆ certdeck … 3 d", "╭─ mail ─╮", "bücher", "日本", "e\u0301", "━━━╸│──"])
def test_ascii_keeps_every_cell(text: str) -> None:
    """In ASCII every sign takes as many cells as before, so that a layout stays as it is."""
    assert to_ascii(text).isascii()
    assert cell_len(to_ascii(text)) == cell_len(text)


def _signs(path: Path) -> set[str]:
    strings = (
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return {sign for text in strings for sign in text if not sign.isascii()}


def test_every_sign_of_ours_has_an_ascii_one() -> None:
    """Whatever sign a screen draws has a counterpart in ASCII that somebody chose."""
    files = [path for path in sorted((ROOT / "tui").rglob("*.py")) if path.name != "glyphs.py"]
    unknown = {f"{path.name} {sign}" for path in files for sign in _signs(path) if ord(sign) not in ASCII}
    assert unknown == set()


@pytest.mark.parametrize("line_filter", [Safe(), Ascii()])
@pytest.mark.parametrize("text", HOSTILE)
def test_the_last_place_lets_nothing_through(line_filter: Safe | Ascii, text: str) -> None:
    """Every segment of every line passes the filter, whoever made it."""
    (segment,) = line_filter.apply([Segment(text)], Color(0, 0, 0))
    assert segment.text.isprintable()


def test_ascii_filter_leaves_only_ascii() -> None:
    """For a terminal without our signs nothing but ASCII is sent."""
    segments = Ascii().apply([Segment("╭─ ● 日本 "), Segment("plain")], Color(0, 0, 0))
    assert "".join(segment.text for segment in segments) == "+- * ???? plain"


async def test_a_terminal_without_unicode_gets_encoded_names() -> None:
    """With ASCII alone an international name is shown as a machine calls it: without its accents it would be another name."""
    engine = FakeEngine([lineage("shop", "xn--mller-kva.example.com")])
    for terminal, name in ((Terminal(ascii=True), "xn--mller-kva.example.com"), (Terminal(), "müller.example.com")):
        app = deck(engine, terminal=terminal)
        async with app.run_test(size=NARROW):
            assert name in shown(app)
