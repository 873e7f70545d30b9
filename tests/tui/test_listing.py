"""The rows of the first screen: kept from one letter of the filter to the next, and always those that a new search would find."""

from __future__ import annotations

import pytest

from tests.support.lineages import NOW, many, seven
from tui.screens.listing import Listing
from tui.screens.ordering import Order
from tui.wording.certificate_filter import narrowed, parsed


@pytest.mark.parametrize(
    "typed",
    [
        "shop",
        "example -mail",
        "-mail -shop",
        "state:failed",
        "net state:h",
        "due<30d shop",
        "sh op",
        "-s",
        "x-",
        "SHOP",
    ],
)
def test_each_letter_finds_what_a_new_search_finds(typed: str) -> None:
    """Letter by letter, and back again, the rows are those that the whole filter finds among all certificates."""
    rows = seven()
    listing, order = Listing(rows), Order(key="name")
    everything = listing.rows(order, "", NOW)
    steps = [typed[:count] for count in range(1, len(typed) + 1)]
    for words in (*steps, *reversed(steps), typed, ""):
        assert listing.rows(order, words, NOW) == narrowed(everything, parsed(words), NOW), words


def test_another_order_is_followed_while_a_filter_is_set() -> None:
    """What was found in one order is sorted again for another."""
    listing = Listing(many(50))
    up = listing.rows(Order(key="name"), "site", NOW)
    assert listing.rows(Order(key="name", downwards=True), "site", NOW) == list(reversed(up))


@pytest.mark.parametrize(
    ("before", "words", "goes_on"),
    [
        ("", "shop", True),
        ("sh", "shop", True),
        ("hop", "shop", True),
        ("sh", "sh -mail", True),
        ("sh", "sh due<3d", True),
        ("-mail", "-mail shop", True),
        ("shop", "sho", False),
        ("shop", "mail", False),
        ("-ma", "-mai", False),
        ("-ma", "shop", False),
        ("due<3", "due<30", False),
        ("state:f", "state:fa", False),
    ],
)
def test_what_goes_on_searches_less(before: str, words: str, goes_on: bool) -> None:
    """A filter goes on from another only where it cannot find what that one has not."""
    assert parsed(words).goes_on(parsed(before)) is goes_on
