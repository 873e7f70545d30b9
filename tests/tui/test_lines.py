"""Lines of text: where they break."""

from __future__ import annotations

import pytest

from tui.widgets.lines import grouped, paired, squeezed, width_of, wrap


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        pytest.param("/etc/nginx2/ssl/domain.crt", 18, ["/etc/nginx2/ssl/", "domain.crt"], id="path"),
        pytest.param("label.of-a-department.example.com", 20, ["label.of-a-", "department.example.", "com"], id="name"),
        pytest.param("8d9001d32c6a703d9592", 12, ["8d9001d32c6a", "703d9592"], id="no-sign"),
        pytest.param("a/bcdefghijklmnop", 10, ["a/bcdefghi", "jklmnop"], id="too-early"),
        pytest.param("in /etc/ssl/private now", 12, ["in", "/etc/ssl/", "private now"], id="words-beside"),
    ],
)
def test_a_long_word_breaks_where_it_can_be_read(text: str, width: int, lines: list[str]) -> None:
    """A path breaks behind a slash and a name behind a dot; a break that would leave a line nearly empty is not taken."""
    assert wrap(text, width) == lines


def test_a_serial_breaks_between_bytes() -> None:
    """Hex digits become bytes with colons, an odd digit included, and a line holds whole bytes."""
    assert paired("8d900") == "08:d9:00"
    assert grouped(paired("8d9001d3"), 2, 6) == ["8d:90", "01:d3"]


@pytest.mark.parametrize(
    ("text", "width", "short"),
    [
        ("shop.example.com", 16, "shop.example.com"),
        ("a-long-name-of-a-department.example.com", 24, "a-long-name-…example.com"),
        ("bücher-und-mehr.example.com", 11, "büche…e.com"),
        ("日本語日本語.example.com", 12, "日本語…e.com"),
        ("example.日本語日本語", 9, "exam…本語"),
        ("shop.example.com", 2, "s…"),
    ],
)
def test_a_name_keeps_its_beginning_and_its_end(text: str, width: int, short: str) -> None:
    """A name that is too long is shortened in its middle, and never wider than its place."""
    assert squeezed(text, width) == short
    assert width_of(squeezed(text, width)) <= width
