"""What can be wrong with a value of a provider's form."""

from __future__ import annotations

import pytest

from core.dns.field_checks import one_word


@pytest.mark.parametrize("good", ["Zk9-x_1", " padded\n", "a/b+c=="])
def test_a_key_is_one_word(good: str) -> None:
    """What is around a key when it is read from a file or pasted does no harm."""
    assert one_word(good) is None


@pytest.mark.parametrize(
    "bad", ["", " \n", "two words", "key: value", "first\nsecond", "cl\u00e9", "\u201ctyped\u201d"]
)
def test_what_is_no_key_is_told_without_showing_it(bad: str) -> None:
    """A label, a second line or typographic quotes are said, and a secret is never repeated."""
    said = one_word(bad)
    assert said == "It is one word without spaces."
