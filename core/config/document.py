"""Changes to a TOML text that leave every other line unchanged. Pure: text in, text out.

Tables are added and removed, and keys added, as lines: tomlkit would remove the comment above the next table along with a table,
and lose blank lines. Existing values are replaced by tomlkit, which keeps the comment after them. In every case, the result is
accepted only if it means exactly the old content with the changes, and nothing else.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from typing import Any

from core.config.lines import HEADER, parts_of

Path = tuple[str, ...]


class NotEditable(ValueError):
    """The text has a form that cannot be changed without losing something."""


def edited(text: str, changes: Mapping[Path, object]) -> str:
    """Return `text` with `changes` made: path → value, a table (mapping), or None to remove the key or table.

    Raises:
        NotEditable: no way was found that makes only these changes.
        tomllib.TOMLDecodeError: the text is not valid TOML.
    """
    made = _with_new_keys(text, changes)
    if made is not None:
        return made
    for path, value in changes.items():
        text = _change(text, path, value)
    return text


def _with_new_keys(text: str, changes: Mapping[Path, object]) -> str | None:
    """Return `text` with all changes made at once, or None if one of them is more than a new key at the top.

    A new file is nothing else, and reading it again after each key would take longer than all the rest of it.
    """
    wanted, made = _loads(text), text
    for path, value in changes.items():
        if len(path) > 1 or path[0] in wanted or isinstance(value, Mapping):
            return None
        if value is not None:
            _apply(wanted, path, value)
            made = _with_key(made, path, value)
    with suppress(tomllib.TOMLDecodeError):
        return made if _loads(made) == wanted else None
    return None


def _change(text: str, path: Path, value: object) -> str:
    current = _loads(text)
    wanted = deepcopy(current)
    _apply(wanted, path, value)
    if wanted == current:
        return text
    there = _find(current, path)
    ways: list[Callable[[], str]] = []
    if value is None:
        ways = [lambda: _without_table(text, path)] if isinstance(there, dict) else []
    elif isinstance(value, Mapping):
        ways = [lambda: _with_table(text if there is None else _without_table(text, path), path, value)]
    elif there is None:
        ways = [lambda: _with_key(text, path, value)]
    ways.append(lambda: _by_tomlkit(text, path, value))
    for way in ways:
        try:
            made = way()
            if _filled(_loads(made)) == _filled(wanted):
                return made
        except (NotEditable, tomllib.TOMLDecodeError):
            continue
    raise NotEditable(".".join(path))


def _loads(text: str) -> dict[str, Any]:
    return tomllib.loads(text.replace("\r\n", "\n"))


def _apply(data: dict[str, Any], path: Path, value: object) -> None:
    *above, last = path
    for key in above:
        if value is None and key not in data:
            return
        data = data.setdefault(key, {})
    if value is None:
        data.pop(last, None)
    else:
        data[last] = _plain(value)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items() if inner is not None}
    return [_plain(inner) for inner in value] if isinstance(value, (tuple, list)) else value


def _filled(data: dict[str, Any]) -> dict[str, Any]:
    """Return a copy without empty tables: removing the last entry of `targets` removes its parent, too."""
    inner = {key: _filled(value) if isinstance(value, dict) else value for key, value in data.items()}
    return {key: value for key, value in inner.items() if value != {}}


def _find(data: Any, path: Path) -> object:
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return None
        data = data[key]
    return data


def _tables(lines: Sequence[str]) -> list[tuple[Path, int, int]]:
    """Return (path, first line, line after its last content) of each table; comments at its end belong to the next table."""
    headers = [
        (parts_of(match[1]), number)
        for number, line in enumerate(lines)
        if (match := re.match(HEADER, line.rstrip("\r\n")))
    ]
    found = []
    for position, (path, first) in enumerate(headers):
        end = headers[position + 1][1] if position + 1 < len(headers) else len(lines)
        found.append((path, first, _content_end(lines, first, end)))
    return found


def _content_end(lines: Sequence[str], first: int, end: int) -> int:
    while end > first + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end


def _without_table(text: str, path: Path) -> str:
    lines = text.splitlines(keepends=True)
    gone = [(first, end) for found, first, end in _tables(lines) if found[: len(path)] == path]
    if not gone:
        raise NotEditable(".".join(path))
    for first, end in reversed(gone):
        while end < len(lines) and not lines[end].strip():  # one blank line stays, the one before
            end += 1
        del lines[first:end]
    while lines and not lines[-1].strip():
        lines.pop()
    return "".join(lines)


def _with_table(text: str, path: Path, value: Mapping[str, object]) -> str:
    lines = _ended(text)
    new_line = _new_line(text)
    made = [f"[{_dotted(path)}]{new_line}"]
    made += [f"{_dotted((key,))} = {_shown(inner)}{new_line}" for key, inner in value.items() if inner is not None]
    siblings = [end for found, _, end in _tables(lines) if len(path) > 1 and found[:-1] == path[:-1]]
    place = siblings[-1] if siblings else len(lines)
    if place > 0 and lines[place - 1].strip():
        made.insert(0, new_line)
    if place < len(lines) and lines[place].strip():
        made.append(new_line)
    return "".join([*lines[:place], *made, *lines[place:]])


def _with_key(text: str, path: Path, value: object) -> str:
    *above, last = path
    lines = _ended(text)
    made = f"{_dotted((last,))} = {_shown(value)}{_new_line(text)}"
    tables = _tables(lines)
    if not above:
        first = tables[0][1] if tables else len(lines)
        place = _content_end(lines, -1, first)
        if place == 0:  # only comments precede the key: those at the very top are about the file
            place = first if not tables else 0
        return "".join([*lines[:place], made, *lines[place:]])
    ends = [end for found, _, end in tables if found == tuple(above)]
    if not ends:
        return _with_table(text, tuple(above), {last: value})
    return "".join([*lines[: ends[0]], made, *lines[ends[0] :]])


def _by_tomlkit(text: str, path: Path, value: object) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    *above, last = path
    try:
        document = tomlkit.parse(text)
        table: Any = document
        for key in above:
            table = table.setdefault(key, tomlkit.table()) if value is not None else table[key]
        if value is None:
            del table[last]
        else:
            table[last] = _plain(value)
        return tomlkit.dumps(document)
    except (TOMLKitError, KeyError, TypeError, AttributeError) as exc:
        raise NotEditable(".".join(path)) from exc


def _ended(text: str) -> list[str]:
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += _new_line(text)
    return lines


def _new_line(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _dotted(path: Sequence[str]) -> str:
    return ".".join(
        part if part and part.replace("-", "").replace("_", "").isalnum() and part.isascii() else _shown(part)
        for part in path
    )


def _shown(value: object) -> str:
    """Return a value as TOML. Common ones are formatted here: importing tomlkit takes longer than the whole edit."""
    simple = _simply(value)
    if simple is not None:
        return simple
    import tomlkit

    return tomlkit.item(_plain(value)).as_string()


def _simply(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and value.isascii() and value.isprintable() and not {'"', "\\"} & {*value}:
        return f'"{value}"'
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        items = [_simply(each) for each in value]
        return None if None in items else f"[{', '.join(map(str, items))}]"
    return None
