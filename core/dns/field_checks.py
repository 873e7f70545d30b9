"""Checks of values that are typed or pasted into a provider's form; a message never shows the value."""

from __future__ import annotations


def one_word(text: str) -> str | None:
    """Return what is wrong with a key, token or ID: pasted text often contains line breaks, labels and typographic characters."""
    return None if len(text.split()) == 1 and text.isascii() else "It is one word without spaces."
