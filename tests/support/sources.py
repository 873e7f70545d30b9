"""The project's own sources as syntax trees, for the tests of its architecture."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file."""

    path: Path

    @property
    def name(self) -> str:
        """Where it is, from the project's root: `core/x509/key.py`."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def module(self) -> str:
        """Its dotted name; that of a package for its `__init__.py`."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def tree(self) -> ast.Module:
        """Its syntax tree, made each time: those of all files take more memory than the rest of a test process."""
        return ast.parse(self.text, str(self.path))

    @cached_property
    def imports(self) -> dict[str, int]:
        """Every module imported anywhere in the file, inside functions too, with the line.

        `from core import errors` counts as `core` and as `core.errors`.
        """
        found: dict[str, int] = {}
        for node in statements(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    found.setdefault(alias.name, node.lineno)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.setdefault(node.module, node.lineno)
                for alias in node.names:
                    found.setdefault(f"{node.module}.{alias.name}", node.lineno)
        return found

    def imported_below(self, *packages: str) -> list[str]:
        """Return `FILE:LINE MODULE` for every import of one of `packages` or of something in it."""
        return [
            f"{self.name}:{line} {module}"
            for module, line in self.imports.items()
            if any(module == package or module.startswith(f"{package}.") for package in packages)
        ]


def statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """Yield every statement, those inside others too. What is inside expressions is most of a tree."""
    ahead = [tree]
    while ahead:
        node: Any = ahead.pop()
        for inside in ("body", "orelse", "finalbody", "handlers", "cases"):
            ahead += [each for each in getattr(node, inside, None) or () if not isinstance(each, ast.expr)]
        if isinstance(node, ast.stmt):
            yield node


def sources(*folders: str) -> Iterator[Source]:
    """Yield every Python file in these folders of the project, sorted by name."""
    for folder in folders:
        yield from _sources_in(folder)


@cache
def _sources_in(folder: str) -> tuple[Source, ...]:
    return tuple(_source_at(path) for path in sorted((ROOT / folder).rglob("*.py")))


@cache
def _source_at(path: Path) -> Source:
    return Source(path)
