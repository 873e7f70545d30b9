"""The words of screens, commands and errors: what a person reads is plain English of the field."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.support.sources import ROOT, Source, sources

_AVOIDED = re.compile(
    r"\bby (itself|themselves)\b|\bmend(s|ed|ing)?\b|\bbrought\b|\bof no use\b|\bany more\b|\ball the same\b|\bgoes wrong\b"
    r"|\bnot to be seen\b|\bsomebody\b|\bnobody\b|\bforgotten\b|\bis told\b|\banew\b|\bof (its|their|your) own\b|\bput back\b"
    r"|\bgo(es)? on (with|where|in)\b|\bstands? (in|behind|beside|alone|there)\b|\btrouble of its own\b|\blet into\b"
    r"|\bof that name\b|\bdo(es)? not go (with|together)\b"
    r"|\bto be had\b|\bis had\b|(?<![#.-])\blineages?\b|\bwhat answers\b|\bleads? elsewhere\b|\bissued again\b|\bno answer\b"
    r"|\bby hand\b|\bputs? right\b|\bmendable\b|\bmust stand\b|(?-i:(?<!-)\b(?P<word>[a-z]+) (?P=word)\b)",
    re.IGNORECASE,
)
"""Each has a plainer word: automatically, fix, restored, no longer, anyway, fails, not visible, you, deleted, "
"again, its, certificate, manually."""

_CODE = re.compile(r"^by hand$|^ *(CREATE|SELECT|INSERT)\b|PRIMARY KEY|, run, lineage,|lineage = \?|\"lineages\":")
"""`renew_why`, SQL and JSON: codes, columns and keys are no words that a person reads."""


def _texts(source: Source) -> Iterator[tuple[int, str]]:
    """Yield what may reach the screen, with its line: strings with a blank in them, apart from docstrings and style sheets."""
    nodes = list(ast.walk(source.tree))
    silent = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in silent:
            continue
        if " " in node.value and "{ " not in node.value and _CODE.search(node.value) is None:
            yield node.lineno, node.value


@pytest.mark.parametrize("package", ["core", "tui"])
def test_texts_are_plain(package: str) -> None:
    """No text of the console, of a command or of an error has a word that a native technical writer would not use there."""
    found = [
        f"{source.name}:{line}: {match[0]!r} in {text[:60]!r}"
        for source in sources(package)
        for line, text in _texts(source)
        if (match := _AVOIDED.search(text))
    ]
    assert found == []


def test_codes_are_plain() -> None:
    """The codes of warnings, which are in JSON, have the same words; `lineage` is one of the contract."""
    found = [
        f"{source.name}:{node.value.lineno}: {node.value.value}"
        for package in ("core", "tui")
        for source in sources(package)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.Constant)
        if _AVOIDED.search(str(node.value.value).replace("-", " ").replace("lineage", "certificate"))
    ]
    assert found == []


_FOR_MACHINES = {
    "core/dns/providers/acs3.py": "the vendor's header",
    "core/idle/repeat.py": "JSON",
    "core/store/exchanges.py": "a log, and a file's name",
    "core/store/step_log.py": "a log",
    "tui/cli/manual.py": "the head of a manual page",
    "tui/screens/maintenance.py": "a file's name",
}
_PARTS_OF_A_DATE = re.compile(r"%Y-%m-%d|%F\b|%d\.%m\.|%b %Y")


def test_dates_are_written_in_one_way() -> None:
    """No file but `core.dates` writes a day for people: messages, mails, lists and screens have the same form of it."""
    own = {"core/dates.py", "tui/cli/nothing_due.py", *_FOR_MACHINES}  # nothing_due.py loads no datetime
    found = {
        source.name
        for package in ("core", "tui")
        for source in sources(package)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _PARTS_OF_A_DATE.search(node.value)
    }
    assert found == own


@pytest.mark.parametrize("document", ["README.md", "SECURITY.md", "CHANGELOG.md"])
def test_documents_are_plain(document: str) -> None:
    """The documents for the administrator keep to the same words; code in them is left out."""
    text = (ROOT / document).read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```|^ {4}.*?$|`[^`]*`|^#.*?$", "…", text, flags=re.DOTALL | re.MULTILINE)
    found = [match[0] for match in _AVOIDED.finditer(" ".join(prose.split()))]
    assert found == []
