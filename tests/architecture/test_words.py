"""The words of the screens: what a person reads is plain English of the field."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.support.sources import Source, sources

_AVOIDED = re.compile(
    r"\bby (itself|themselves)\b|\bmend(s|ed|ing)?\b|\bbrought\b|\bof no use\b|\bany more\b|\ball the same\b|\bgoes wrong\b"
    r"|\bnot to be seen\b|\bsomebody\b|\bnobody\b|\bforgotten\b|\bis told\b|(?<![#.-])\blineages?\b",
    re.IGNORECASE,
)
"""Each has a plainer word: automatically, fix, restored, no longer, anyway, fails, not visible, you, deleted, certificate."""


def _texts(source: Source) -> Iterator[tuple[int, str]]:
    """Yield what may reach the screen, with its line: strings with a blank in them, apart from docstrings and style sheets."""
    silent = {id(node.value) for node in ast.walk(source.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in silent:
            continue
        if " " in node.value and "{ " not in node.value:
            yield node.lineno, node.value


def test_screens_speak_plainly() -> None:
    """No text of the console or of a command has one of the words that a native technical writer would not use there."""
    found = [
        f"{source.name}:{line}: {match[0]!r} in {text[:60]!r}"
        for source in sources("tui")
        for line, text in _texts(source)
        if (match := _AVOIDED.search(text))
    ]
    assert found == []
