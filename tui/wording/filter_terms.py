"""Splits the filter of any list into terms: words separated by spaces, each with `-` or `!` before it to exclude. Pure."""

from __future__ import annotations

from collections.abc import Iterator


def terms(words: str) -> Iterator[tuple[str, bool]]:
    """Yield each term in lower case, and whether it excludes. A sign alone is ignored: the user is still typing the term."""
    for word in words.casefold().split():
        bare = word.lstrip("-!")
        if bare:
            yield bare, bare != word
