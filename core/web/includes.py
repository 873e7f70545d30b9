"""Includes of a configuration, followed as the servers do, with patterns."""

from __future__ import annotations

import glob
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

MOST_FILES = 500
"""More files are not read: an include of everything would otherwise never end."""


def follow(
    main: Path, base: Path, includes: Callable[[str], Iterable[str]], read: Callable[[Path], str | None]
) -> Sequence[Path]:
    """Return `main` and every file that it includes, each once. `base`: the folder that relative paths start from."""
    found: dict[Path, None] = {}
    waiting = [main]
    while waiting and len(found) < MOST_FILES:
        path = waiting.pop(0)
        if path in found:
            continue
        text = read(path)
        if text is None:
            continue
        found[path] = None
        for pattern in includes(text):
            if "\0" not in pattern:
                waiting += [Path(name) for name in sorted(glob.glob(str(base / pattern)))[:MOST_FILES]]
    return tuple(found)


def arguments(argv: Sequence[str]) -> Mapping[str, str]:
    """Return the options of a command with their last value: `-c FILE`, `--config=FILE`."""
    given = {option: value for option, value in itertools.pairwise(argv) if option.startswith("-")}
    return given | dict(word.split("=", 1) for word in argv if word.startswith("--") and "=" in word)
