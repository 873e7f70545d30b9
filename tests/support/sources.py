"""The project's own sources as syntax trees, for the tests of its architecture."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

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
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"), str(self.path))

    @cached_property
    def imports(self) -> dict[str, int]:
        """Every module imported anywhere in the file, inside functions too, with the line.

        `from core import errors` counts as `core` and as `core.errors`.
        """
        found: dict[str, int] = {}
        for node in ast.walk(self.tree):
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


def sources(*folders: str) -> Iterator[Source]:
    """Yield every Python file in these folders of the project, sorted by name."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield Source(path)
