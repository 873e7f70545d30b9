"""Services whose configuration names certificate and key by options next to each other, in any of these forms:
`name value`, `name = value`, `name: "value"`, `name("value")`, `"name" => "value"`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from core.detect.reading import Look, Pair, Reading, Unreadable, absolute, fitting, shown
from core.targets.detection import Detection

_COMMENT = re.compile(r"^\s*(?:#|;|//).*$", re.MULTILINE)
_LUA_COMMENT = re.compile(r"--.*$", re.MULTILINE)
_INCLUDE = re.compile(
    r"""^\s*[!@$]?include(?:_?dir|config|optional|_if_exists)?[\s=:("']+(?:file\s*=\s*")?([^\s"')]+)""",
    re.MULTILINE | re.IGNORECASE,
)
_VARIABLE = re.compile(r"\$\{([\w.]+)\}|\$(\w+)")
_MOST_FILES = 200
_MOST_VARIABLES = 8


def read(look: Look) -> Reading:
    """Return the certificates that the options name, in their order. Raises Unreadable."""
    how = look.how
    # Some services get all settings on their command line, and these take precedence.
    text, base = "\n".join(look.arguments[1:]), Path("/")
    if not any(_paired(text, how)):
        text, base = _text(look, how)
    if how.contains and how.contains not in text:
        return Reading()
    found, problems = [], []
    for certificate, key in dict.fromkeys(_paired(text, how)):
        try:
            found.append(Pair(certificate=_path(certificate, text, base), key=_path(key, text, base)))
        except Unreadable as exc:
            problems.append(str(exc))
    return Reading(pairs=tuple(found), problems=tuple(problems))


def _text(look: Look, how: Detection) -> tuple[str, Path]:
    """Return the service's configuration without comments, and the base folder of relative paths."""
    told = (
        look.option(*how.options)
        or _from_variable(look.variables.get(how.variable, ""))
        or next((each for each in look.arguments[1:] if os.path.isabs(each) and os.path.isfile(each)), None)
    )
    if told is not None and not os.path.isabs(told):
        folder = look.option("--cd") or (look.program.folder if look.program else "")
        told = os.path.join(folder, told) if os.path.isabs(folder) else told
    if told is not None and not os.path.isabs(told):
        raise Unreadable(f"It was started with the configuration {shown(told)}, which is not an absolute path.")
    configuration = Path(told) if told is not None else look.usual
    if configuration is None:
        if look.program is None or not look.arguments[1:]:
            raise Unreadable("Its configuration was not found.")
        return "", Path("/")
    base = configuration if configuration.is_dir() else configuration.parent
    if how.tool:
        argv = [word.replace("{configuration}", str(configuration)) for word in how.tool]
        if look.program is not None and argv[0] in how.programs:
            argv[0] = look.tool(argv[0])
        return _COMMENT.sub("", look.run(argv, configuration)), base
    return "\n".join(_files(look, configuration, [_MOST_FILES])), base


def _from_variable(path: str) -> str:
    """Return the path in a variable; RabbitMQ also accepts one without its `.conf`."""
    return f"{path}.conf" if path and not os.path.exists(path) and os.path.isfile(f"{path}.conf") else path


def _files(look: Look, path: Path, left: list[int]) -> Iterator[str]:
    """Yield the text of a file and of the files that it includes. `left`: how many may still be read."""
    left[0] -= 1
    if left[0] < 0:
        raise Unreadable("Its configuration includes too many files.")
    if path.is_dir():
        for each in sorted(path.iterdir()):
            if each.is_file() and not each.name.startswith("."):
                yield from _files(look, each, left)
        return
    text = look.text(path)
    if path.suffix == ".ldif":
        text = text.replace("\n ", "")  # RFC 2849 §2: a long line continues after a leading space
    text = (_LUA_COMMENT if path.suffix == ".lua" else _COMMENT).sub("", text)
    yield text
    for named in _INCLUDE.findall(text):
        for each in _named(path.parent, named):
            yield from _files(look, each, left)


def _named(base: Path, pattern: str) -> list[Path]:
    whole = os.path.normpath(base / pattern)
    if any(mark in whole for mark in "*?["):
        return fitting(whole)
    return [Path(whole)] if os.path.exists(whole) else []


def _paired(text: str, how: Detection) -> Iterator[tuple[str, str]]:
    """Yield each certificate with the key named next to it; with itself as the key if there is none."""
    names = {name.lower(): False for name in how.certificate} | {name.lower(): True for name in how.key}
    if not names:
        return
    every = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    # An empty value must not match the next line or the option after it.
    between = r"""["']?(?:\s*(?:=>|[:(])\s*|[ \t]*=[ \t]*|\s+)(?:-\s+)?["']?"""
    value = r"""((?![=:>]|--)[^\s"'(),;{}]+(?:\{[^}]*\}[^\s"'(),;{}]*)*)"""
    setting = re.compile(rf"""(?:^|[\s,;{{"'$(])({every}){between}{value}""", re.MULTILINE | re.IGNORECASE)
    certificate = key = None
    for match in setting.finditer(text):
        is_key, path = names[match[1].lower()], match[2]
        if (is_key and key is not None) or (not is_key and certificate is not None):
            if certificate is not None:
                yield certificate, key or certificate
            certificate = key = None
        if is_key:
            key = path
        else:
            certificate = path
    if certificate is not None:
        yield certificate, key or certificate


def _path(value: str, text: str, base: Path) -> str:
    for _ in range(_MOST_VARIABLES):
        variable = _VARIABLE.search(value)
        if variable is None:
            return absolute(value.removeprefix("file:"), base)
        name = re.escape(variable[1] or variable[2])
        known = re.search(rf"""^\s*{name}\s*=\s*["']?([^\s"';]+)""", text, re.MULTILINE)
        if known is None:
            break
        value = value.replace(variable[0], known[1])
    raise Unreadable(f"The path {shown(value)!r} depends on a variable whose value is not known.")
