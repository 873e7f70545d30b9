"""Reads AppArmor profiles as they are written in /etc/apparmor.d (apparmor.d(5)), as far as they concern reading files. Pure.

Only what is certain counts. A rule that cannot be read allows everything, so that nobody is warned of a file that can be read:
profiles have parts that say nothing about files, and newer releases have parts that nobody knows yet.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from core.apparmor.globs import expanded, is_known, matcher

Read = Callable[[str], Sequence[str]]
"""The texts behind an absolute path: of a file its own, of a folder those of its files, none where there is nothing."""

FOLDER = "/etc/apparmor.d"
_MOST_WORDS = 100_000
_DEEPEST = 10
"""Files that include one another."""
_INCLUDE = re.compile(r'#?include\s+(?:if\s+exists\s+)?(?:<([^>]+)>|"([^"]+)"|(\S+?),?\s*$)')
_VARIABLE = re.compile(r"@\{(\w+)\}\s*(\+?)=\s*(.*)")
_WORD = re.compile(r'(?:"[^"]*"|\\.|[^\s"])+')
_PERMISSIONS = re.compile(r"[rwaklmxpcuiPCUX]+")
_QUALIFIERS = ("audit", "allow", "quiet", "prompt", "owner", "other", "file")
_NO_FILES = (
    "abi", "capability", "change_hat", "change_profile", "dbus", "io_uring", "link", "mount", "mqueue", "network", "pivot_root",
    "ptrace", "remount", "rlimit", "set", "signal", "umount", "unix", "userns",
)  # fmt: skip
"""How rules begin that say nothing about reading files."""


class Rule(Struct, frozen=True, kw_only=True):
    """A rule about files."""

    pattern: str
    """Absolute, without variables; `**` for all files."""
    is_denied: bool = False


class Profile(Struct, kw_only=True):
    """A profile of a program; those inside of it are its own affair."""

    name: str
    attachment: str = ""
    """Pattern of the program that it is for; empty where only its name tells."""
    rules: list[Rule]
    """Those that allow or deny reading."""
    local: str = ""
    """The administrator's own additions, which it includes: a path below `local/`. Empty for none."""

    def is_for(self, programs: Sequence[str]) -> bool:
        """Tell whether it confines one of these programs, given as absolute paths."""
        if not self.attachment:
            return any(posixpath.basename(program) == self.name for program in programs)
        return any(_matches(self.attachment, program) for program in programs)

    def lets_read(self, path: str) -> bool:
        """Tell whether it allows to read a file: some rule does, and none denies it."""
        concerned = [rule for rule in self.rules if _matches(rule.pattern, path)]
        return bool(concerned) and not any(rule.is_denied for rule in concerned)


def profiles_in(text: str, read: Read) -> tuple[Profile, ...]:
    """Return the profiles of a file, with what they include."""
    reader = _Reader(read)
    reader.file(text, 0)
    return tuple(reader.profiles)


def _matches(pattern: str, path: str) -> bool:
    try:
        return matcher(pattern).fullmatch(path) is not None
    except ValueError:
        return True


class _Reader:
    """Goes through files statement by statement. `_blocks` has what is open: a profile, or None for what is left out."""

    def __init__(self, read: Read) -> None:
        self.profiles: list[Profile] = []
        self._read = read
        self._variables: dict[str, list[str]] = {}
        self._has_aliases = False
        self._blocks: list[Profile | None] = []
        self._left = _MOST_WORDS

    def file(self, text: str, depth: int) -> None:
        words: list[str] = []
        for line in text.splitlines():
            line = line.strip()
            if not words and self._is_line(line, depth):
                continue
            for word in _WORD.findall(line):
                if word.startswith("#"):
                    break
                self._left -= 1
                if self._left < 0:
                    return
                words.append(word)
                if word == "}":
                    self._close()
                elif word.endswith("{"):
                    self._open([*words[:-1], word[:-1]])
                elif not word.endswith(",") or _is_within(words):
                    continue
                else:
                    self._rule(words)
                words = []

    def _is_line(self, line: str, depth: int) -> bool:
        """Take what ends with its line: includes and variables."""
        if included := _INCLUDE.match(line):
            if depth < _DEEPEST:
                self._include(next(filter(None, included.groups())), depth)
            return True
        if variable := _VARIABLE.match(line):
            name, adds, values = variable.groups()
            found = [word.strip('"') for word in _WORD.findall(values.split(" #")[0])]
            self._variables[name] = [*(self._variables.get(name, []) if adds else []), *found]
            return True
        return False

    def _include(self, name: str, depth: int) -> None:
        profile = self._profile
        if profile is not None and name.startswith("local/"):
            profile.local = posixpath.join(FOLDER, name)
        for text in self._read(posixpath.join(FOLDER, name)):
            self.file(text, depth + 1)

    @property
    def _profile(self) -> Profile | None:
        """The profile whose rules are read now; None between profiles and in parts that are left out."""
        return self._blocks[-1] if self._blocks else None

    def _open(self, words: Sequence[str]) -> None:
        names = [word.strip('"') for word in words if word]
        if self._blocks:
            is_condition = bool(names) and names[0] in ("if", "else", "allow", "audit", "owner")
            self._blocks.append(self._profile if is_condition else None)
            return
        while names and (names[-1].endswith(")") or "=" in names[-1] or names[-1].endswith(",")):
            names.pop()  # flags=(attach_disconnected, complain)
        if names and names[0] == "profile":
            names.pop(0)
        names = [expanded(name, self._variables) for name in names]
        # Where paths have other names, nothing is certain.
        profile = Profile(name=names[0] if names else "", rules=[Rule(pattern="**")] if self._has_aliases else [])
        profile.attachment = next((name for name in names[:2] if name.startswith(("/", "{"))), "")
        self.profiles.append(profile)
        self._blocks.append(profile)

    def _close(self) -> None:
        if self._blocks:
            self._blocks.pop()

    def _rule(self, words: Sequence[str]) -> None:
        profile = self._profile
        if profile is None:
            self._has_aliases = self._has_aliases or words[0] == "alias"
            return
        given = [*words[:-1], words[-1][:-1]]
        while len(given) > 1 and (given[0] in (*_QUALIFIERS, "deny") or given[0].startswith("priority=")):
            given.pop(0)
        before = words[: len(words) - len(given)]
        # Whether the process owns a file, and what has priority, is not known here: such a rule allows, and does not deny.
        is_conditional = any(word == "owner" or word.startswith("priority=") for word in before)
        rule = self._file_rule(given, is_denied="deny" in before)
        if rule is not None and not (rule.is_denied and is_conditional):
            profile.rules.append(rule)

    def _file_rule(self, words: Sequence[str], *, is_denied: bool) -> Rule | None:
        """Return what a rule says of reading files; None for nothing that is certain."""
        if words[0] in _NO_FILES:
            return None
        words = [word for word in words if word]
        pattern = next((word for word in words[:2] if word.strip('"').startswith(("/", "@{", "{"))), "").strip('"')
        rights = next((word for word in words[:2] if _PERMISSIONS.fullmatch(word)), "")
        if not pattern or not rights:  # `file`, `all`, and what is not known
            return None if is_denied else Rule(pattern="**")
        if "r" not in rights:
            return None
        pattern = expanded(pattern, self._variables)
        if not is_known(pattern, self._variables):
            return None if is_denied else Rule(pattern="**")
        return Rule(pattern=pattern, is_denied=is_denied)


def _is_within(words: Sequence[str]) -> bool:
    """Tell whether a comma stands inside of parentheses: `flags=(complain, attach_disconnected)`."""
    text = "".join(words)
    return text.count("(") > text.count(")")


def enforced(loaded: str) -> frozenset[str]:
    """Return the names of the profiles that the kernel enforces, from its own list: `NAME (MODE)` in each line."""
    found = (re.fullmatch(r"(.+) \((\w+)\)", line) for line in loaded.splitlines())
    return frozenset(each[1] for each in found if each is not None and each[2] in ("enforce", "kill"))
