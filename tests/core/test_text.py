"""core.text: of foreign text nothing is obeyed, nothing hides, and nothing is endless."""

from __future__ import annotations

import unicodedata

import hypothesis
import hypothesis.strategies as st
import pytest

from core.text import SAFE, listed, plural, safe, safe_line, tail, visible

UNSEEN = (
    0xAD, 0x34F, 0x61C, 0x115F, 0x180B, 0x180E, 0x200B, 0x200D, 0x200E, 0x202E, 0x2060, 0x2066, 0x3164, 0xFE0F, 0xFEFF,
    0xFFA0, 0xFFF9, 0x1D173, 0xE0001, 0xE0041, 0xE0100,
)  # fmt: skip
OBEYED = (*range(0x20), 0x7F, *range(0x80, 0xA0), 0x2028, 0x2029)
UNKNOWN = (0xD800, 0xDFFF, 0xE000, 0x378, 0xFFFF, 0x10FFFF)


def is_harmless(text: str) -> bool:
    """Tell whether all of it is seen: letters, marks, digits, signs and the blank."""
    return all(char == " " or unicodedata.category(char)[0] not in "CZ" for char in text) and not any(
        ord(char) in UNSEEN for char in text
    )


@pytest.mark.parametrize("code", UNSEEN)
def test_what_is_not_seen_goes(code: int) -> None:
    """Zero width, direction, tags, marks of annotation, variation selectors and fillers go; in a name they are marked."""
    assert safe_line(f"a{chr(code)}b") == safe(f"a{chr(code)}b") == "ab"
    assert visible(f"a{chr(code)}b") == "a\ufffdb"


@pytest.mark.parametrize("code", OBEYED)
def test_what_a_terminal_obeys_becomes_a_blank(code: int) -> None:
    """C0, DEL, C1 and the separators of lines become a blank; in a name they are marked."""
    assert safe(f"a{chr(code)}b") == safe_line(f"a{chr(code)}b") == "a b"
    assert visible(f"a{chr(code)}b") == "a\ufffdb"


@pytest.mark.parametrize("code", UNKNOWN)
def test_what_nobody_can_draw_is_marked(code: int) -> None:
    """Lone surrogates, private and unassigned characters become U+FFFD."""
    assert safe(f"a{chr(code)}b") == safe_line(f"a{chr(code)}b") == visible(f"a{chr(code)}b") == "a\ufffdb"


def test_text_as_people_write_it_stays() -> None:
    """Letters of every script, marks, signs and emoji stay; blanks of other widths become plain ones."""
    kept = "Zażółć gęślą jaźń · 日本語 · العربية · e\u0301 · ◆ ✔ 🙂 “…”"
    assert safe_line(kept) == visible(kept) == safe(kept) == kept
    assert safe_line("a\u00a0b\u2003c\u3000d") == "a b c d"
    assert safe("a\u3000b") == "a  b"


@hypothesis.given(st.text(st.characters(codec=None, categories=None)), st.integers(1, 50))
def test_any_text_is_harmless(text: str, limit: int) -> None:
    """Whatever comes, every function gives text of which all is seen; the bounded ones give no more than they may."""
    assert is_harmless(safe(text))
    for made in (safe_line(text, limit), visible(text, limit)):
        assert is_harmless(made)
        assert len(made) <= limit
    for line in tail(text, 3, limit).split("\n"):
        assert is_harmless(line)
        assert len(line) <= limit


@hypothesis.given(st.text(st.characters(codec=None, categories=None)))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    """What is clean stays as it is."""
    assert safe(safe(text)) == safe(text)
    assert safe_line(safe_line(text)) == safe_line(text)
    assert visible(visible(text)) == visible(text)


def test_the_last_lines_of_a_program() -> None:
    """Whole escape sequences go, empty lines are left out, and the last lines stay."""
    said = "first\n\x1b[31m[emerg]\x1b[0m bad\r\n\n\x1b]0;title\x07last\u202e\n"
    assert tail(said, 2) == "[emerg] bad\nlast"


def test_foreign_text_does_not_fill_the_memory() -> None:
    """The table keeps no more than the characters of the basic plane, whatever is asked."""
    safe("".join(map(chr, range(0x10000, 0x30000))))
    assert max(SAFE, default=0) < 0x10000


@pytest.mark.parametrize(
    ("count", "words"), [(0, ""), (1, "a"), (3, "a, a, a"), (4, "a, a, a and 1 more"), (2003, "a, a, a and 2,000 more")]
)
def test_a_long_list_is_cut(count: int, words: str) -> None:
    """A list in a sentence names a few and counts the others."""
    assert listed(["a"] * count, 3) == words


@pytest.mark.parametrize(
    ("count", "noun", "shown"),
    [
        (1, "day", "1 day"),
        (2, "day", "2 days"),
        (0, "entry", "0 entries"),
        (1200, "file", "1,200 files"),
        (1.0, "hour", "1 hour"),
        (0.5, "hour", "0.5 hours"),
        (398.0, "day", "398 days"),
    ],
)
def test_plurals(count: float, noun: str, shown: str) -> None:
    """Numbers agree with their nouns."""
    assert plural(count, noun) == shown
