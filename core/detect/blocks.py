"""Configuration files made of statements: `name words;` and `name words { … }`, as nginx and BIND write them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

_TOKEN = re.compile(
    r"""
    \s+ | \#[^\n]* | //[^\n]* | /\*.*?\*/     # blanks and comments
    | "(?P<double>(?:[^"\\]|\\.)*)"
    | '(?P<single>(?:[^'\\]|\\.)*)'
    | (?P<mark>[{};])
    | (?P<word>(?:\\.|\$\{[^}]*\}|[^\s{};"'])(?:\\.|\$\{[^}]*\}|[^\s{};])*)
    """,
    re.VERBOSE | re.DOTALL,
)
_MOST_DEPTH = 40


class Statement(Struct, frozen=True, kw_only=True):
    name: str
    words: tuple[str, ...] = ()
    inner: tuple[Statement, ...] = ()

    def all(self, *names: str) -> Iterator[Statement]:
        """Yield the statements of these names in this block, in their order."""
        return (each for each in self.inner if each.name in names)

    def last(self, name: str) -> str | None:
        """Return the first word of the last statement of a name in this block."""
        found = [each.words[0] for each in self.all(name) if each.words]
        return found[-1] if found else None

    def below(self, name: str) -> Iterator[Statement]:
        """Yield the statements of a name anywhere in this block."""
        for each in self.inner:
            if each.name == name:
                yield each
            yield from each.below(name)


def parse(text: str) -> Statement:
    """Return the statements of a text, in a block without a name. Lenient: what is unfinished at the end is dropped."""
    tokens = _tokens(text)
    return Statement(name="", inner=tuple(_block(tokens, 0)))


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each token, and whether it is a mark."""
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            at += 1
            continue
        at = max(match.end(), at + 1)
        if match["mark"]:
            yield match["mark"], True
            continue
        for group in ("double", "single", "word"):
            if match[group] is not None:
                yield re.sub(r"\\(.)", r"\1", match[group]), False


def _block(tokens: Iterator[tuple[str, bool]], depth: int) -> Iterator[Statement]:
    words: list[str] = []
    for token, is_mark in tokens:
        if not is_mark:
            words.append(token)
            continue
        if token == "}":
            return
        inner: tuple[Statement, ...] = ()
        if token == "{":
            inner = tuple(_block(tokens, depth + 1)) if depth < _MOST_DEPTH else ()
        if words:
            yield Statement(name=words[0], words=tuple(words[1:]), inner=inner)
        words = []
