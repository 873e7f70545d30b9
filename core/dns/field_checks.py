"""What can be wrong with a value that is typed or pasted into a provider's form, told without showing it."""

from __future__ import annotations


def one_word(text: str) -> str | None:
    """Say what is wrong with a key, a token or an id: a paste brings line breaks, labels and typographic characters along."""
    return None if len(text.split()) == 1 and text.isascii() else "It is one word without spaces."
