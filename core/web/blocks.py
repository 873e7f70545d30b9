"""Managed blocks in somebody's configuration file: put in, found again, taken out so that the file is what it was.

A block stands between two comment lines that name the target. A line of the file that the block takes the place of stays there as a
comment, and comes back with `without`. Every server that is known here begins comments with `#`.
"""

from __future__ import annotations

from collections.abc import Iterable

_PREFIX = "# certdeck web"
_SPLIT = " of a block within a line"
"""Behind the end of a block that stands where a line goes on: `without` joins the two halves again."""


def block(target: str, lines: Iterable[str], indent: str = "", *, splits: bool = False) -> str:
    """Return a block, without a newline at its end. `splits`: it stands within a line, between two newlines of its own."""
    begin = f"{_PREFIX} {target} begin: managed; remove it with: certdeck web remove {target}"
    end = f"{_PREFIX} {target} end{_SPLIT if splits else ''}"
    return "\n".join(f"{indent}{line}".rstrip() for line in (begin, *lines, end))


def replaced(target: str, line: str) -> str:
    """Return a line as a comment that `without` turns back."""
    return f"{_PREFIX} {target} replaced: {line}"


def without(text: str, target: str) -> str:
    """Return the text without the blocks of a target, and with the lines that they took the place of.

    A block whose end is missing is only its first line: what follows may be somebody's own.
    """
    begin, end, kept = (f"{_PREFIX} {target} {word}" for word in ("begin:", "end", "replaced: "))
    ends = (end, end + _SPLIT)
    lines = text.split("\n")
    result: list[str] = []
    position = 0
    joins = False
    while position < len(lines):
        line = lines[position]
        position += 1
        if line.lstrip().startswith(kept):
            result.append(line.lstrip().removeprefix(kept))
        elif line.strip().startswith(begin):
            inside = next((at for at in range(position, len(lines)) if lines[at].strip() in ends), None)
            joins = inside is not None and bool(result) and lines[inside].strip() != end
            position = position if inside is None else inside + 1
        elif joins:
            result[-1] += line
            joins = False
        else:
            result.append(line)
    return "\n".join(result)


def holds(text: str, target: str) -> bool:
    """Tell whether there is a block of a target."""
    return any(line.strip().startswith(f"{_PREFIX} {target} begin:") for line in text.split("\n"))


def indent_of(line: str) -> str:
    """Return the white space that a line begins with."""
    return line[: len(line) - len(line.lstrip())]
