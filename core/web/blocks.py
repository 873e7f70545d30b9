"""Managed blocks in a user's configuration file: inserted, found again, and removed so that the original file is restored.

A block is between two comment lines that name the target. A line of the file that the block replaces stays there as a comment,
and `without` restores it. In the configuration of every supported server, comments begin with `#`.
"""

from __future__ import annotations

from collections.abc import Iterable

_PREFIX = "# certdeck web"
_SPLIT = " of a block within a line"
"""Follows the end mark of a block that was inserted within a line: `without` joins the two halves again."""


def block(target: str, lines: Iterable[str], indent: str = "", *, splits: bool = False) -> str:
    """Return a block without a final newline. `splits`: it is within a line, between two newlines of its own."""
    begin = f"{_PREFIX} {target} begin: managed; remove it with: certdeck web remove {target}"
    end = f"{_PREFIX} {target} end{_SPLIT if splits else ''}"
    return "\n".join(f"{indent}{line}".rstrip() for line in (begin, *lines, end))


def replaced(target: str, line: str) -> str:
    """Return a line as a comment that `without` restores."""
    return f"{_PREFIX} {target} replaced: {line}"


def without(text: str, target: str) -> str:
    """Return the text without the blocks of a target, and with the lines that they replaced.

    If the end of a block is missing, only its first line is removed: what follows may be the user's own.
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
    """Return whether the text contains a block of a target."""
    return any(line.strip().startswith(f"{_PREFIX} {target} begin:") for line in text.split("\n"))


def indent_of(line: str) -> str:
    """Return the leading white space of a line."""
    return line[: len(line) - len(line.lstrip())]
