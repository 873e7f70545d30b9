"""A parser of nginx's configuration language: `name words;` and `name words { … }`, each statement with its position.

Lenient: a configuration that nginx rejects is parsed as far as possible.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct, field

_TOKEN = re.compile(
    r"""
    \#[^\n]*
    | "(?P<double>(?:[^"\\]|\\.)*)"
    | '(?P<single>(?:[^'\\]|\\.)*)'
    | (?P<mark>[{};])
    | (?P<word>(?:\\.|\$\{[^\s;{}]*\}?|[^\s{};"'])(?:\\.|\$\{[^\s;{}]*\}?|[^\s{};])*)
    """,
    re.VERBOSE | re.DOTALL,
)
MOST_DEPTH = 50
"""Deeper blocks are parsed as if they were at this depth: no working configuration has them."""


class Statement(Struct, kw_only=True):
    """One statement, with the statements in its braces."""

    name: str = ""
    words: tuple[str, ...] = ()
    """Without quotation marks and escapes."""
    inner: list[Statement] = field(default_factory=list)
    start: int = 0
    end: int = 0
    """After its semicolon, or its closing brace."""

    def all(self, *names: str) -> Iterator[Statement]:
        """Yield the statements with these names in this block, in order."""
        return (each for each in self.inner if each.name in names)

    def last(self, name: str) -> str | None:
        """Return the first word of the last statement with a name in this block, or None."""
        found = [each.words[0] for each in self.all(name) if each.words]
        return found[-1] if found else None

    def below(self, name: str) -> Iterator[Statement]:
        """Yield the statements with a name anywhere in this block."""
        for each in self.inner:
            if each.name == name:
                yield each
            yield from each.below(name)


def parse(text: str) -> Statement:
    """Return the statements of a text, in a block without a name.

    An unclosed block ends with the text, an extra closing brace is skipped, and words without a semicolon are dropped.
    """
    whole = Statement(end=len(text))
    around = [whole]
    words: list[str] = []
    start = too_deep = 0
    for match in _TOKEN.finditer(text):
        mark = match["mark"]
        if mark is None:
            said = next((match[group] for group in ("double", "single", "word") if match[group] is not None), None)
            if said is not None:
                start = start if words else match.start()
                words.append(re.sub(r"\\(.)", r"\1", said, flags=re.DOTALL))
        elif mark == "}":
            words = []
            if too_deep:
                too_deep -= 1
            elif len(around) > 1:
                around.pop().end = match.end()
        else:
            found = Statement(
                name="".join(words[:1]),
                words=tuple(words[1:]),
                start=start if words else match.start(),
                end=match.end(),
            )
            around[-1].inner.append(found)
            words = []
            if mark == "{" and len(around) > MOST_DEPTH:
                too_deep += 1
            elif mark == "{":
                found.end = len(text)
                around.append(found)
    return whole
