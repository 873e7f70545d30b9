"""Texts that urllib raises for are no addresses, wherever they come from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.web_address import joined, split_address


@pytest.mark.parametrize(
    "address",
    ["https://[", "https://[::1]:x/", "https://h:99999/", "https://h:0/", "https://", "//", "", "h", "https://a b/"],
)
def test_what_no_request_can_be_sent_to(address: str) -> None:
    """Half an IPv6 address, a port that does not exist, and a missing host make no address."""
    assert split_address(address) is None


def test_a_reference_is_made_absolute() -> None:
    """A relative reference is taken against the address of the answer; one that makes no address is none."""
    assert joined("https://ca.test/a/b", "/c") == "https://ca.test/c"
    assert joined("https://ca.test/a/b", "https://[") is None


@given(st.text(max_size=40))
def test_no_text_raises(text: str) -> None:
    """Any text is an address, or none."""
    split_address(text)
    joined("https://ca.test/", text)
