"""TXT data in quotes and without."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.dns.txt import quoted, unquoted


@given(st.text(st.characters(codec="utf-8"), max_size=600))
def test_what_is_quoted_comes_back(value: str) -> None:
    """Every value survives quoting, whatever its length and characters."""
    assert unquoted(quoted(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("abc", "abc"),
        ('"abc"', "abc"),
        ('"abc" "def"', "abcdef"),
        ('"abc""def"', "abcdef"),
        ('"say \\"hi\\" \\\\ now"', 'say "hi" \\ now'),
        ('"\\195\\164"', "ä"),
        ('"\\999"', "999"),
        ('"', '"'),
        ('"abc', '"abc'),
        ('""', ""),
        ("v=spf1 include:example.net ~all", "v=spf1 include:example.net ~all"),
        ('"abc" def', "abcdef"),
    ],
)
def test_forms_of_a_value(text: str, value: str) -> None:
    """Plain and quoted forms give the same value; a broken quote is left alone."""
    assert unquoted(text) == value


def test_long_values_are_split() -> None:
    """A value longer than 255 bytes goes in several strings, each of at most 255 bytes."""
    text = quoted("x" * 256)
    assert text == f'"{"x" * 255}" "x"'
    assert [len(part.strip('"')) for part in text.split(" ")] == [255, 1]
