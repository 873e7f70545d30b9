"""Reads the files into values, strictly: all unknown keys, wrong types and invalid values are reported at once.

`tomllib` parses; the walker fills the value classes of `core.config.model`, so a key exists exactly if a field does. Each
problem names file, line and key, what is wrong and how to fix it. A missing configuration file is the default configuration.
Every command uses this module, so nothing heavy is imported: closest names and line numbers are computed only for errors.
"""

from __future__ import annotations

import errno
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypedDict

from msgspec import Struct

from core.config.model import (
    Appliance,
    Config,
    Console,
    Defaults,
    Dns01,
    DnsProviderConfig,
    Fleet,
    Http01,
    IssuerConfig,
    LineageConfig,
    Log,
    Metrics,
    NotificationConfig,
    Schedule,
    TargetConfig,
    Web,
)
from core.config.rules import NAME, NAME_FIX, RULES
from core.errors import ConfigError, NotFound, StoreError
from core.paths import Paths
from core.regular import read_regular

_LONGEST_PROBLEM = 400
"""Characters. A problem quotes the value that it is about."""
_LINEAGES_KEPT = 64
"""The same file is read at each step of a renewal; its text is parsed once."""
_SECTIONS: dict[str, type] = {
    "appliance": Appliance,
    "defaults": Defaults,
    "http01": Http01,
    "dns01": Dns01,
    "schedule": Schedule,
    "metrics": Metrics,
    "console": Console,
    "log": Log,
    "web": Web,
    "fleet": Fleet,
}
_TABLES: dict[str, type[Struct]] = {
    "issuers": IssuerConfig,
    "targets": TargetConfig,
    "dns_providers": DnsProviderConfig,
    "notifications": NotificationConfig,
}
_REQUIRED: Mapping[type[Struct], tuple[str, ...]] = {
    TargetConfig: ("certificate",),
    DnsProviderConfig: ("kind",),
    NotificationConfig: ("kind",),
    Fleet: ("endpoints",),
}


def load_config(paths: Paths) -> Config:
    """Read `certdeck.toml`; a missing file is the default configuration.

    Raises:
        ConfigError (`config-invalid`): `details["problems"]` lists every problem.
        StoreError: the file exists and cannot be read.
    """
    text = read_settings(paths.config)
    return Config() if text is None else parse_config(text, paths.config)


def load_lineage(paths: Paths, name: str) -> LineageConfig:
    """Read the settings of one lineage. Raises NotFound (`not-found`), ConfigError (`config-invalid`), StoreError."""
    path = paths.certificates / f"{name}.toml"
    text = None if not name or name.startswith(".") or "/" in name or "\0" in name else read_settings(path)
    if text is None:
        raise NotFound(
            f"There is no certificate {name!r}.",
            f"{path} does not exist.",
            "List the certificates with `certdeck status`.",
            lineage=name,
        )
    return parse_lineage(text, name, path)


def lineage_names(paths: Paths) -> tuple[str, ...]:
    """Return the lineages that have settings, sorted. Raises StoreError."""
    try:
        found = [path.name for path in paths.certificates.iterdir()]
    except FileNotFoundError:
        return ()
    except OSError as exc:
        from core.store.atomic import store_error

        raise store_error(exc, paths.certificates, "read") from exc
    return tuple(sorted(name[:-5] for name in found if name.endswith(".toml") and not name.startswith(".")))


def parse_config(text: bytes, path: Path) -> Config:
    """Return the configuration in `text`. `path`: for the messages. Raises ConfigError (`config-invalid`)."""
    walk = _Walk(path, text)
    top = walk.parse()
    walk.known(top, [*_SECTIONS, *_TABLES], ())
    values: dict[str, Any] = {}
    for key, kind in _SECTIONS.items():
        if key in top and walk.is_table(top[key], (key,)):
            values[key] = walk.fill(kind, top[key], (key,))
    for key, kind in _TABLES.items():
        if key in top and walk.is_table(top[key], (key,)):
            values[key] = walk.entries(kind, top[key], key)
    if len(values.get("targets", ())) > 1:
        from core.config.sharing import with_owners

        values["targets"] = with_owners(values["targets"])
    walk.end()
    return Config(**values)


@lru_cache(maxsize=_LINEAGES_KEPT)
def parse_lineage(text: bytes, name: str, path: Path) -> LineageConfig:
    """Return the settings of the lineage `name` in `text`. Raises ConfigError (`config-invalid`)."""
    walk = _Walk(path, text)
    if not NAME.fullmatch(name):
        walk.add(
            (),
            f"{name!r} is not a valid certificate name",
            NAME_FIX,
        )
    made = walk.fill(LineageConfig, walk.parse(), (), name=name)
    walk.end()
    assert isinstance(made, LineageConfig)
    return made


def read_settings(path: Path) -> bytes | None:
    """Return the content of a configuration file; None if there is none. Raises StoreError."""
    try:
        return read_regular(path)
    except FileNotFoundError:
        return None
    except OSError as exc:
        if exc.errno == errno.ENAMETOOLONG:  # a name that is too long for any file
            return None
        raise StoreError(
            f"{path} could not be read.",
            f"The system says: {exc.strerror}.",
            "Run certdeck as root (with sudo), or correct the file's owner and mode.",
        ) from exc


class _Problem(TypedDict):
    """One problem, as in `details["problems"]`."""

    file: str
    key: str
    line: int | None
    problem: str
    fix: str


class _Walk:
    """Turns one file into values and collects the problems."""

    def __init__(self, path: Path, text: bytes) -> None:
        self._path = path
        self._text = text
        self._problems: list[_Problem] = []

    def parse(self) -> dict[str, Any]:
        import tomllib  # importing it takes a third of a run with nothing to read

        try:
            return tomllib.loads(self._text.removeprefix(BOM_UTF8).decode().replace("\r\n", "\n"))
        except UnicodeDecodeError as exc:
            line = self._text.count(b"\n", 0, exc.start) + 1
            self._problems.append(self._problem("", line, "the file is not UTF-8", "Save it as UTF-8."))
        except tomllib.TOMLDecodeError as exc:
            import re

            said = str(exc)
            where = re.search(r"\(at line (\d+), column (\d+)\)", said)
            line = int(where[1]) if where else self._text.rstrip().count(b"\n") + 1
            reason = re.sub(r"\s*\(at .*\)$", "", said)
            column = f", column {where[2]}" if where else ""
            self._problems.append(
                self._problem(
                    "",
                    line,
                    f"this is not valid TOML: {reason}{column}",
                    "Correct that line: strings go in quotes, lists in [ ].",
                )
            )
        except RecursionError:
            self._problems.append(self._problem("", 1, "it is nested too deeply", "Use plain tables."))
        self.end()
        raise AssertionError("a file that does not parse has at least one problem")

    def known(self, table: Mapping[str, Any], keys: list[str], where: tuple[str, ...]) -> None:
        for key in table:
            if key not in keys:
                from difflib import get_close_matches

                near = get_close_matches(key, keys, n=1)
                fix = f"Did you mean {near[0]}?" if near else f"Valid keys: {', '.join(sorted(keys))}."
                self.add((*where, key), "unknown key", fix)

    def is_table(self, value: object, where: tuple[str, ...]) -> bool:
        if isinstance(value, dict):
            return True
        self.add(where, "this must be a table", f"Write it as [{'.'.join(where)}] with its keys below.")
        return False

    def entries(self, kind: type[Struct], table: dict[str, Any], section: str) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, entry in table.items():
            where = (section, name)
            if not NAME.fullmatch(name):
                self.add(
                    where,
                    "this is not a valid name",
                    NAME_FIX,
                )
            elif self.is_table(entry, where):
                if kind is NotificationConfig:
                    self._settings_of_channel(entry, where)
                if kind is TargetConfig and "key" not in entry and _needs_key(entry):
                    self.add((*where, "key"), "this key is missing", f"Add a line key = … to [{'.'.join(where)}].")
                if "settings" in kind.__struct_fields__:
                    entry = self._with_settings(kind, entry, where)
                extra = {"name": name} if "name" in kind.__struct_fields__ else {}
                made[name] = self.fill(kind, entry, where, **extra)
        return made

    def _settings_of_channel(self, entry: dict[str, Any], where: tuple[str, ...]) -> None:
        """Refuse settings that this kind of channel does not have. For a DNS provider, only its own module knows them."""
        from core.notify.catalogue import channel_keys

        own = [name for name in NotificationConfig.__struct_fields__ if name not in ("settings", "name")]
        keys = channel_keys(entry.get("kind"))
        if keys:
            self.known(entry, [*own, *keys], where)

    def _with_settings(self, kind: type[Struct], entry: dict[str, Any], where: tuple[str, ...]) -> dict[str, Any]:
        """Move the keys that only the entry's kind knows into one table; integers become digits, lists become comma-separated."""
        own = set(kind.__struct_fields__) - {"settings", "name"}
        settings = {}
        for key in [key for key in entry if key not in own]:
            value = entry[key]
            as_text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                as_text = ", ".join(value)
            checked = self._value(as_text, "str", (*where, key))
            if checked is not _WRONG:
                settings[key] = checked
        return {**{key: value for key, value in entry.items() if key in own}, "settings": settings}

    def fill(self, kind: type[Struct], table: dict[str, Any], where: tuple[str, ...], **given: str) -> object:
        """Return a `kind` from the valid values in `table`; an invalid one is reported and keeps its default."""
        wanted = {name: kind.__annotations__[name] for name in kind.__struct_fields__ if name not in given}
        self.known(table, list(wanted), where)
        values: dict[str, Any] = dict(given)
        for key, annotation in wanted.items():
            if key in table:
                value = self._value(table[key], annotation, (*where, key))
                if value is not _WRONG and self._obeys(kind, key, value, (*where, key)):
                    values[key] = value
        for key in _REQUIRED.get(kind, ()):
            if key not in table:
                self.add((*where, key), "this key is missing", f"Add a line {key} = … to [{'.'.join(where)}].")
            if key not in values:
                values[key] = ""
        return kind(**values)

    def _value(self, value: object, annotation: str, where: tuple[str, ...]) -> object:
        base = annotation.removesuffix(" | None")
        if base == "str | Mapping[str, str]":
            base = "Mapping" if isinstance(value, dict) else "str"
        if base == "OneOrMore":
            base, value = "tuple", [value] if isinstance(value, str) else value
        if base.startswith("tuple"):
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                return tuple(value)
            fix = f'Write {where[-1]} = ["…", "…"].'
            if where[-1] in ("test", "reload", "remote_test", "remote_reload") and isinstance(value, str):
                fix = f"Write it as a list; no shell is used. For example: {where[-1]} = {_as_list(value)}."
            self.add(where, "this must be a list of strings", fix)
        elif base.startswith("Mapping"):
            if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
                return dict(value)
            self.add(where, "this must be a table of strings", f'Write {where[-1]} = {{ key = "…" }}.')
        elif base == "bool":
            if isinstance(value, bool):
                return value
            self.add(
                where, "this must be true or false", f"Write {where[-1]} = true or {where[-1]} = false, without quotes."
            )
        elif base == "int":
            if isinstance(value, int) and not isinstance(value, bool):
                return value
            self.add(where, "this must be an integer", f"Write it without quotes, for example {where[-1]} = 30.")
        elif isinstance(value, str):
            if all(character >= " " and character != "\x7f" for character in value):
                return value
            self.add(where, "control characters are not allowed here", "Remove them.")
        else:
            self.add(where, "this must be a string", f'Write {where[-1]} = "…", in quotes.')
        return _WRONG

    def _obeys(self, kind: type, key: str, value: object, where: tuple[str, ...]) -> bool:
        rule: Callable[[Any], tuple[str, str] | None] | None = RULES.get((kind, key))
        broken = None if rule is None or value is None else rule(value)
        if broken:
            self.add(where, *broken)
        return broken is None

    def add(self, where: tuple[str, ...], problem: str, fix: str) -> None:
        from core.config.lines import line_of

        self._problems.append(self._problem(".".join(map(_shown, where)), line_of(self._text, where), problem, fix))

    def end(self) -> None:
        """Raise ConfigError if there were problems."""
        if not self._problems:
            return
        self._problems.sort(key=lambda problem: problem["line"] or 0)
        first = self._problems[0]
        said = [f"line {p['line']}: {p['key'] + ': ' if p['key'] else ''}{p['problem']}" for p in self._problems]
        raise ConfigError(
            f"{self._path} has a problem." if len(said) == 1 else f"{self._path} has {len(said)} problems.",
            f"{'; '.join(said)}.",
            first["fix"] if len(said) == 1 else " ".join(f"Line {p['line']}: {p['fix']}" for p in self._problems),
            details={"problems": self._problems},
        )

    def _problem(self, key: str, line: int | None, problem: str, fix: str) -> _Problem:
        shown = (
            problem
            if len(problem) <= _LONGEST_PROBLEM
            else f"{problem[: _LONGEST_PROBLEM // 2]}…{problem[-_LONGEST_PROBLEM // 2 :]}"
        )
        return {"file": str(self._path), "key": key, "line": line, "problem": shown, "fix": fix}


_WRONG = object()


def _shown(part: str) -> str:
    """Return a key that is safe to display: a quoted key may contain anything, including terminal codes."""
    return part if part.isprintable() else ascii(part)


def _as_list(command: str) -> str:
    import json
    import shlex

    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    return json.dumps(words, ensure_ascii=False)


def _needs_key(entry: dict[str, Any]) -> bool:
    """Return whether a target must have a path for its key: not if the key is in the certificate's file."""
    from core.targets.layout import ONE_FILE, layouts_of

    layout = entry.get("layout") or layouts_of(str(entry.get("kind", "files")))[0]
    return layout not in ONE_FILE
