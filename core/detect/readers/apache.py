"""Apache: `-D DUMP_INCLUDES` lists its configuration files (2.4.25 and newer); the virtual hosts in them are read."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from core.apache_variables import defined, filled
from core.detect.reading import Look, Pair, Reading, Unreadable, absolute, fitting, shown

_NAMED = re.compile(r"^\s*\((?:\*|\d+)\)\s+(/.+)$", re.MULTILINE)
_PASSED_ON = ("-f", "-d")
_MOST_FILES, _MOST_DEPTH = 500, 16


def read(look: Look) -> Reading:
    """Return the certificates of every virtual host. Raises Unreadable."""
    name = look.program.name if look.program else "apache2"
    told = [word for option in _PASSED_ON if (value := look.option(option)) for word in (option, value)]
    configuration = look.configuration("-f")
    if look.program is None or look.is_others(configuration):
        # apache2ctl creates folders below /run if Apache does not run, and nothing may be changed.
        root = look.option("-d") or str(configuration.parent)
        lines = list(_included(look, configuration, [_MOST_FILES], [root], {}))
        return _reading(lines, Path(_root(look, lines) or configuration.parent), defined(lines))
    # apache2ctl reads the variables in Debian's envvars, and accepts no other configuration.
    program = look.tool(name)
    argv = [program, *told] if told or program != "apache2" else ["apache2ctl"]
    said = look.run([*argv, "-t", "-D", "DUMP_INCLUDES"], configuration, allowed=(0, 1))
    files = _NAMED.findall(said)
    if not files:
        raise Unreadable(f"Its configuration has errors: {shown(said)}")
    lines = [line for file in files for line in _lines(look.text(Path(file)))]
    found = _reading(lines, Path(_root(look, lines) or Path(files[0]).parent), defined(lines))
    return replace(found, test=(*argv, "-t"), reload=(*argv, "-k", "graceful")) if told else found


def _root(look: Look, lines: list[list[str]]) -> str:
    return look.option("-d") or next((line[1] for line in lines if line[0] == "serverroot" and len(line) > 1), "")


def _included(
    look: Look, path: Path, left: list[int], root: list[str], variables: dict[str, str], depth: int = 0
) -> Iterator[list[str]]:
    """Yield the lines of a file and of the files that it includes.

    Args:
        left: how many files may still be read.
        root: ServerRoot, once it is known.
        variables: those defined so far.
    """
    left[0] -= 1
    if left[0] < 0 or depth > _MOST_DEPTH:
        raise Unreadable("Its configuration includes too many files.")
    for line in _lines(look.text(path)):
        yield line
        variables.update(defined([line]))
        if line[0] == "serverroot" and len(line) > 1:
            root[0] = line[1]
        if line[0] in ("include", "includeoptional") and len(line) > 1:
            for file in fitting(str(Path(root[0]) / filled(line[1], variables))):
                yield from _included(look, file, left, root, variables, depth + 1)


def _lines(text: str) -> Iterator[list[str]]:
    """Yield each directive as words, its name in lower case."""
    for raw in text.replace("\\\n", " ").splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        try:
            words = shlex.split(line.strip("<>") if line.startswith("<") else line)
        except ValueError:
            continue
        if words:
            name = words[0].lower()
            yield [f"<{name}>" if line.startswith("<") else name, *words[1:]]


def _reading(lines: list[list[str]], base: Path, variables: Mapping[str, str]) -> Reading:
    found: dict[tuple[str, str], Pair] = {}
    problems: list[str] = []
    host: dict[str, list[str]] = {}
    whole: dict[str, list[str]] = {}
    for words in lines:
        if words[0] == "<virtualhost>":
            host = {"addresses": words[1:]}
        elif words[0] == "</virtualhost>":
            for pair in _pairs(host, whole, base, variables, problems):
                known = found.get((pair.certificate, pair.key))
                found[pair.certificate, pair.key] = pair if known is None else known.joined(pair)
            host = {}
        elif len(words) > 1:
            (host or whole).setdefault(words[0], []).extend(words[1:])
    return Reading(pairs=tuple(found.values()), problems=tuple(dict.fromkeys(problems)))


def _pairs(
    host: Mapping[str, list[str]],
    whole: Mapping[str, list[str]],
    base: Path,
    variables: Mapping[str, str],
    problems: list[str],
) -> Iterator[Pair]:
    engine = (host.get("sslengine") or whole.get("sslengine") or ["off"])[-1].lower()
    if engine == "off":
        return
    scope = host if "sslcertificatefile" in host else whole
    certificates, keys = scope.get("sslcertificatefile", []), scope.get("sslcertificatekeyfile", [])
    ports = [address.rpartition(":")[2] for address in host.get("addresses", [])]
    for number, certificate in enumerate(certificates):
        key = keys[number] if number < len(keys) else certificate
        try:
            yield Pair(
                certificate=absolute(_known(certificate, variables), base),
                key=absolute(_known(key, variables), base),
                names=tuple(name.lower() for name in (*host.get("servername", [])[-1:], *host.get("serveralias", []))),
                listens=tuple((int(port), "") for port in ports if port.isdigit()),
            )
        except Unreadable as exc:
            problems.append(str(exc))


def _known(path: str, variables: Mapping[str, str]) -> str:
    found = filled(path, variables)
    if "${" in found:
        raise Unreadable(f"The path {shown(path)!r} depends on a variable that is not known here.")
    return found
