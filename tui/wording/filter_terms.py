"""The terms of a list's filter, whatever the list is of: words apart by blanks, each with `-` or `!` before it to exclude. Pure."""

from __future__ import annotations

from collections.abc import Iterator


def terms(words: str) -> Iterator[tuple[str, bool]]:
    """Yield each term in lower case, and whether it excludes. A sign alone is no term yet: what it excludes is being typed."""
    for word in words.casefold().split():
        bare = word.lstrip("-!")
        if bare:
            yield bare, bare != word
