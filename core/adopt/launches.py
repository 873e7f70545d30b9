"""How another client is started: its arguments and environment, from crontabs, systemd services and the scripts they name.

Some clients record nothing else about renewal (lego, uacme). Everything is read as text; nothing is run or sourced.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from core.adopt.found import FoundCertificate, names_in, read, rebased
from core.adopt.shell_text import assignments
from core.concealed import Concealed
from core.trusted_paths import weaknesses

_SERVICES = ("etc/systemd/system", "lib/systemd/system", "usr/lib/systemd/system")
_PERIODS = ("hourly", "daily", "weekly", "monthly")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_TABLE_ASSIGNMENT = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")
_MOST_SCRIPTS = 50


class Launch(Concealed, Struct, frozen=True, kw_only=True):
    """One command that starts the client. The environment may contain secrets."""

    file: Path
    """The crontab, service or script that contains the command."""
    words: tuple[str, ...]
    """The arguments after the program's name."""
    variables: Mapping[str, str] = field(default_factory=dict)

    def options(self) -> dict[str, list[str]]:
        """Return option (without dashes) → its values. A word that follows a flag counts as its value."""
        found: dict[str, list[str]] = {}
        for number, word in enumerate(self.words):
            if not word.startswith("-"):
                continue
            name, has_value, value = word.lstrip("-").partition("=")
            values = found.setdefault(name, [])
            following = self.words[number + 1] if number + 1 < len(self.words) else "-"
            if has_value:
                values.append(value)
            elif not following.startswith("-"):
                values.append(following)
        return found


class Launches:
    """The commands that start a client on this box, read once for all its certificates."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, tuple[Launch, ...]] = {}

    def of(self, program: str, found: FoundCertificate) -> Iterator[Launch]:
        """Yield the commands that start `program` and may be trusted for a certificate.

        A file that another account can change is trusted only for certificates of that same account.
        """
        if program not in self._known:
            self._known[program] = tuple(_launches(self._root, program))
        for launch in self._known[program]:
            if _may_speak_for(launch.file, found.base):
                yield launch


def _may_speak_for(file: Path, base: Path) -> bool:
    try:
        is_theirs = file.stat().st_uid == base.stat().st_uid
    except OSError:
        return False
    return is_theirs or not weaknesses([file])


def _launches(root: Path, program: str) -> Iterator[Launch]:
    scripts: dict[Path, Mapping[str, str]] = {}
    for file, command, variables in (*_in_services(root), *_in_crontabs(root)):
        launch, script = _command(file, command, variables, program)
        if launch is not None:
            yield launch
        if script:
            scripts.setdefault(rebased(root, script), variables)
    for period in _PERIODS:
        folder = root / f"etc/cron.{period}"
        scripts |= {folder / name: {} for name in names_in(folder)}
    for path, known in list(scripts.items())[:_MOST_SCRIPTS]:
        text = read(path) or b""
        if text.startswith(b"#!") and program.encode() in text:
            yield from _in_script(path, text.decode("utf-8", "replace"), known, program)


def _in_services(root: Path) -> Iterator[tuple[Path, str, dict[str, str]]]:
    for folder in _SERVICES:
        for unit in names_in(root / folder):
            if not unit.endswith(".service"):
                continue
            dropped = root / folder / f"{unit}.d"
            files = [root / folder / unit, *(dropped / name for name in names_in(dropped) if name.endswith(".conf"))]
            variables: dict[str, str] = {}
            commands: list[str] = []
            for line in (line for file in files for line in _logical_lines(_text(file))):
                key, _, value = line.strip().partition("=")
                if key == "Environment":
                    variables |= _assigned(_words(value))
                elif key == "EnvironmentFile":
                    variables |= _environment_file(root, value.strip())
                elif key.startswith("ExecStart"):
                    commands.append(value.lstrip("@-:+!| "))
            for command in commands:
                yield files[0], command, variables


def _environment_file(root: Path, value: str) -> dict[str, str]:
    try:
        return assignments(_text(rebased(root, value.lstrip("-"))))
    except ValueError:
        return {}


def _in_crontabs(root: Path) -> Iterator[tuple[Path, str, dict[str, str]]]:
    users = root / "var/spool/cron/crontabs"
    tables = [root / "etc/crontab", *(root / "etc/cron.d" / name for name in names_in(root / "etc/cron.d"))]
    for table in (*tables, *(users / name for name in names_in(users))):
        variables: dict[str, str] = {}
        for line in _text(table).splitlines():
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            given = _TABLE_ASSIGNMENT.fullmatch(line)
            if given is not None:
                variables[given[1]] = given[2].strip("\"'")
                continue
            columns = (1 if line.startswith("@") else 5) + (table.parent != users)
            yield table, " ".join(line.split()[columns:]), dict(variables)


def _in_script(path: Path, text: str, variables: Mapping[str, str], program: str) -> Iterator[Launch]:
    known = assignments(text, dict(variables))
    for line in _logical_lines(text):
        launch, _ = _command(path, line, known, program)
        if launch is not None:
            yield launch


def _command(file: Path, command: str, variables: Mapping[str, str], program: str) -> tuple[Launch | None, str]:
    """Return how a command starts the program; otherwise the absolute path of the script that it starts, or an empty string."""
    given = dict(variables)
    words = _words(command)
    for number, word in enumerate(words):
        if os.path.basename(word) == program and (number == 0 or words[number - 1] not in ("-d", "--domains")):
            ends = [each for each in range(number + 1, len(words)) if words[each] in ("&&", "||", ";", "|", ">", ">>")]
            behind = tuple(_expanded(each, given) for each in words[number + 1 : ends[0] if ends else len(words)])
            return Launch(file=file, words=behind, variables=given), ""
        given |= _assigned([_expanded(word, given)])
    script = next((word for word in words if word.startswith("/") and not _ASSIGNMENT.fullmatch(word)), "")
    return None, script


def _expanded(word: str, known: Mapping[str, str]) -> str:
    return re.sub(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?", lambda match: known.get(match[1], match[0]), word)


def _assigned(words: Sequence[str]) -> dict[str, str]:
    matches = (_ASSIGNMENT.fullmatch(word) for word in words)
    return {match[1]: match[2] for match in matches if match is not None}


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command.rstrip(";"), comments=True)
    except ValueError:
        return command.split()


def _logical_lines(text: str) -> list[str]:
    """Return the lines, joined where one ends with a backslash."""
    return re.sub(r"\\\n\s*", " ", text).splitlines()


def _text(file: Path) -> str:
    return (read(file) or b"").decode("utf-8", "replace")
