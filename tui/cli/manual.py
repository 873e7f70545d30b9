"""Generates the manual pages from commands, their parsers and the configuration's classes: `python -m tui.cli.manual FOLDER`.

Used when a package is built; no command loads it.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

from core.config.model import Config
from core.version import BUILT, VERSION
from tui.cli.catalogue import COMMANDS, GROUPS
from tui.cli.exits import MEANINGS
from tui.cli.parser import Command, command_of, parser_of

_FILES = (
    ("/etc/certdeck/certdeck.toml", "the configuration, see certdeck.toml(5)"),
    ("/etc/certdeck/certificates.d/NAME.toml", "the settings of one certificate"),
    ("/etc/certdeck/master.key", "opens every secret; keep a copy of it"),
    ("/var/lib/certdeck/live/NAME/", "privkey.pem, cert.pem, chain.pem and fullchain.pem, switched in one step"),
    ("/run/certdeck, /var/log/certdeck", "the lock; the debug log"),
)
_POSITIONAL = {
    "ISSUER": "name of the CA (`certdeck issuer list`)",
    "TARGET": "name of the target (`certdeck target list`)",
    "NAME": "name of the certificate (`certdeck status`)",
    "dns NAME": "name of the entry (`certdeck dns list`)",
    "notify NAME": "name of the entry (`certdeck notify list`)",
    "FILE": "the backup",
    "on|off": "on installs and starts it; off stops and removes it",
}
"""What stands behind a command without an option, where its parser says no more than its name."""
_NAMED = (("\\", "\\e"), ("-", "\\-"), ('"', "\\(dq"), ("`", "\\(ga"), ("'", "\\(aq"))
"""Characters that troff interprets or replaces, and their escapes. The backslash comes first."""
_KEYS = {"settings": "KEY"}
"""Fields of the model that stand for further keys of a table."""
_VARIABLES = (
    ("CERTDECK_HOME", "puts everything below one folder: etc, state, run and log"),
    ("CERTDECK_PASSPHRASE_FILE", "the file with the passphrase for the master key"),
    ("CREDENTIALS_DIRECTORY", "set by systemd; its entry certdeck-master-key is the master key"),
    ("NO_COLOR", "turns colors off"),
)


def pages() -> Iterator[tuple[str, str]]:
    """Yield the file name and the text of each page."""
    yield "certdeck.1", overview()
    for words in COMMANDS:
        yield f"{_title(words)}.1", page(words)
    yield "certdeck.toml.5", configuration()


def overview() -> str:
    """Return certdeck(1)."""
    parts = [
        _head("certdeck", 1, "the TLS certificates of this box"),
        _section("SYNOPSIS", ".B certdeck\n.br\n.B certdeck \\-\\-renew\n.br\n.B certdeck\n.I COMMAND\n[options]"),
        _section(
            "DESCRIPTION",
            _text(
                "certdeck issues, uploads, deploys, rolls back and renews TLS certificates. Without arguments it opens the "
                "console. certdeck --renew is the scheduled run: it renews what is due and deploys it."
            ),
        ),
    ]
    for group, commands in GROUPS.items():
        entries = "\n".join(_tagged(f"certdeck {words}", entry.summary) for words, entry in commands.items())
        parts.append(_section(group.upper(), entries))
    parts += [
        _section("EXIT STATUS", _statuses()),
        _section("FILES", "\n".join(_tagged(*each) for each in _FILES)),
        _section("ENVIRONMENT", "\n".join(_tagged(*each) for each in _VARIABLES)),
        _section("SEE ALSO", ".BR certdeck.toml (5),\n.BR certdeck\\-vendor (7);\nevery command has its own page."),
    ]
    return "\n".join(parts)


def page(words: str) -> str:
    """Return the page of one command."""
    command = command_of(words)
    parser = parser_of(command)
    summary = COMMANDS[words].summary
    parts = [
        _head(_title(words), 1, summary),
        _section("SYNOPSIS", _synopsis(words, parser)),
        _section("DESCRIPTION", _described(summary, command.notes)),
        _section("OPTIONS", "\n".join(_options(words, parser))),
    ]
    if command.examples:
        parts.append(_section("EXAMPLES", _examples(command)))
    parts += [_section("EXIT STATUS", _statuses()), _section("SEE ALSO", ".BR certdeck (1)")]
    return "\n".join(parts)


def configuration() -> str:
    """Return certdeck.toml(5), from the configuration's classes and the docstrings of their fields."""
    parts = [
        _head("certdeck.toml", 5, "the configuration of certdeck"),
        _section(
            "DESCRIPTION",
            _text(
                "A TOML file. An unknown key is an error that names the nearest known one. Comments and order survive every "
                "change that certdeck makes. A key without a default here is absent by default.",
                "Commands are lists of words, and no shell sees them.",
            ),
        ),
    ]
    documented = _documented()
    for name, kind in _tables():
        parts.append(_section(f"[{name}]", _keys(documented[kind])))
    parts.append(_section("CERTIFICATES.D/NAME.TOML", _keys(documented["LineageConfig"])))
    parts.append(_section("SEE ALSO", ".BR certdeck (1)"))
    return "\n".join(parts)


def _tables() -> Iterator[tuple[str, str]]:
    """Yield the TOML name of each table, and the name of its class."""
    for name, kind in Config.__annotations__.items():
        inner = kind.removesuffix("]").rpartition(", ")[2] if kind.startswith("Mapping[") else None
        yield (f"{name}.NAME", inner) if inner else (name, kind)


def _documented() -> dict[str, tuple[str, list[tuple[str, str, str]]]]:
    """Return, by class name, the docstring of the class, and name, default and docstring of each field."""
    tree = ast.parse(Path(str(sys.modules[Config.__module__].__file__)).read_text("utf-8"))
    found = {}
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        fields: list[tuple[str, str, str]] = []
        for at, each in enumerate(node.body):
            if not isinstance(each, ast.AnnAssign) or not isinstance(each.target, ast.Name):
                continue
            if each.target.id == "name" and each.value is None:  # of the table or the file itself
                continue
            below = node.body[at + 1] if at + 1 < len(node.body) else None
            said = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
            fields.append((each.target.id, _default(each.value), str(said)))
        found[node.name] = (ast.get_docstring(node) or "", fields)
    return found


def _default(value: ast.expr | None) -> str:
    """Return a default in TOML. Empty: there is none."""
    if not isinstance(value, ast.Constant) or value.value is None:
        return "[]" if isinstance(value, ast.Tuple) else ""
    if isinstance(value.value, bool):
        return str(value.value).lower()
    return f'"{value.value}"' if isinstance(value.value, str) else str(value.value)


def _keys(described: tuple[str, list[tuple[str, str, str]]]) -> str:
    doc, fields = described
    keys = []
    for name, default, text in fields:
        key = _KEYS.get(name, name)
        keys.append(_tagged(f"{key} = {default}" if default else key, text))
    # `[log]`: what the heading says already.
    said = doc.partition("`: ")[2] or doc
    return "\n".join([_text(f"{said[:1].upper()}{said[1:]}"), *keys])


def _synopsis(words: str, parser: argparse.ArgumentParser) -> str:
    usage = " ".join(parser.format_usage().removeprefix("usage:").split())
    rest = usage.removeprefix(f"certdeck {words}").strip()
    return f".B certdeck {_escaped(words)}\n{_escaped(rest)}"


def _options(words: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    formatter = parser._get_formatter()
    for action in parser._actions:
        names = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        value = (
            ""
            if not action.option_strings or action.nargs == 0
            else f" {formatter._format_args(action, action.dest.upper())}"
        )
        group = words.partition(" ")[0]
        usual = _POSITIONAL.get(f"{group} {names}", _POSITIONAL.get(names, ""))
        yield _tagged(f"{names}{value}", str(action.help or usual))


def _examples(command: Command) -> str:
    lines = []
    for example in command.examples:
        said = example if example.startswith("#") else f"certdeck {example}"
        lines.append(_escaped(said))
    return ".nf\n" + "\n".join(lines) + "\n.fi"


def _statuses() -> str:
    return "\n".join(_tagged(str(status), meaning) for status, meaning in MEANINGS)


def _title(words: str) -> str:
    return f"certdeck-{words.replace(' ', '-')}"


def _head(title: str, section: int, summary: str) -> str:
    head = f'.TH {_escaped(title.upper())} {section} {BUILT:%Y-%m-%d} "certdeck {VERSION}"'
    return f"{head}\n.SH NAME\n{_escaped(title)} \\- {_escaped(summary)}"


def _section(title: str, text: str) -> str:
    return f'.SH "{_escaped(title)}"\n{text}'


def _tagged(term: str, text: str) -> str:
    return f".TP\n.B {_escaped(term)}\n{_escaped(' '.join(text.split())) or chr(92) + chr(38)}"


def _text(*paragraphs: str) -> str:
    return "\n.PP\n".join(_escaped(" ".join(each.split())) for each in paragraphs if each)


def _described(summary: str, notes: str) -> str:
    """Return the text of a description. Lines that are set in are commands: each stays on its own line."""
    sentence = f"{summary[:1].upper()}{summary[1:]}"
    parts = [_text(sentence if sentence.endswith("…") else f"{sentence}.")]
    for is_command, lines in itertools.groupby(notes.splitlines(), lambda line: line.startswith("  ")):
        text = list(lines)
        parts.append(f".nf\n{_escaped(chr(10).join(text))}\n.fi" if is_command else _text(" ".join(text)))
    return "\n.PP\n".join(part for part in parts if part)


def _escaped(text: str) -> str:
    """Return text with troff's special characters escaped."""
    for character, name in _NAMED:
        text = text.replace(character, name)
    return "\n".join(f"\\&{line}" if line.startswith(".") else line for line in text.split("\n"))


def main() -> int:
    """Write every page to the given folder."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages():
        (folder / name).write_text(f"{text}\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
