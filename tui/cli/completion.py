"""Generates completions for bash, zsh and fish from the commands and their parsers: `python -m tui.cli.completion FOLDER`.

Used when a package is built; no command loads it. Pressing Tab does not start certdeck.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tui.cli.catalogue import COMMANDS, FAMILIES
from tui.cli.parser import command_of, parser_of

_ALONE = ("--renew", "--help", "--version")


def commands() -> Mapping[str, Sequence[str]]:
    """Return the options of each command, by its words."""
    return {words: _options(words) for words in COMMANDS}


def _options(words: str) -> list[str]:
    actions = parser_of(command_of(words))._actions
    return [option for action in actions for option in action.option_strings if option.startswith("--")]


def _choices(words: str) -> Mapping[str, Sequence[str]]:
    """Return the values of each option with a fixed set of values."""
    actions = parser_of(command_of(words))._actions
    return {
        option: [str(choice) for choice in action.choices]
        for action in actions
        if action.choices
        for option in action.option_strings
        if option.startswith("--")
    }


def bash() -> str:
    """Return the completion for bash."""
    firsts = sorted({words.split()[0] for words in COMMANDS})
    lines = [
        "# bash completion for certdeck",
        "_certdeck()",
        "{",
        "    local cur prev words first second",
        "    cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}",
        "    first=${COMP_WORDS[1]} second=${COMP_WORDS[2]}",
        '    if [ "$COMP_CWORD" = 1 ]; then',
        f'        COMPREPLY=($(compgen -W "{" ".join([*firsts, *_ALONE])}" -- "$cur"))',
        "        return",
        "    fi",
        '    case "$first $second" in',
    ]
    for words, options in commands().items():
        pattern = f'"{words}")' if " " in words else f'"{words} "*)'
        lines.append(f"    {pattern}")
        choices = _choices(words)
        if choices:
            lines.append('        case "$prev" in')
            lines += [
                f'        {option}) COMPREPLY=($(compgen -W "{" ".join(values)}" -- "$cur")); return ;;'
                for option, values in choices.items()
            ]
            lines.append("        esac")
        lines += [f'        COMPREPLY=($(compgen -W "{" ".join(options)}" -- "$cur"))', "        return ;;"]
    lines.append("    esac")
    lines.append('    case "$first" in')
    for first in FAMILIES:
        seconds = sorted(words.split()[1] for words in COMMANDS if words.startswith(f"{first} "))
        lines.append(f'    {first}) COMPREPLY=($(compgen -W "{" ".join(seconds)}" -- "$cur")) ;;')
    lines += ["    esac", "}", "complete -o default -F _certdeck certdeck", ""]
    return "\n".join(lines)


def zsh() -> str:
    """Return the completion for zsh: that of bash, with zsh's emulation of `complete`."""
    return "#compdef certdeck\nautoload -U +X bashcompinit && bashcompinit\n" + bash()


def fish() -> str:
    """Return the completion for fish."""
    lines = ["# fish completion for certdeck", "complete -c certdeck -f"]
    for words, entry in COMMANDS.items():
        first, _, second = words.partition(" ")
        if second:
            seen = f"__fish_seen_subcommand_from {first}; and not __fish_seen_subcommand_from {second}"
            lines.append(f'complete -c certdeck -n "{seen}" -a {second} -d {_quoted(entry.summary)}')
            within = f"__fish_seen_subcommand_from {first}; and __fish_seen_subcommand_from {second}"
        else:
            lines.append(f"complete -c certdeck -n __fish_use_subcommand -a {first} -d {_quoted(entry.summary)}")
            within = f"__fish_seen_subcommand_from {first}"
        choices = _choices(words)
        for option in _options(words):
            values = f" -x -a {_quoted(' '.join(choices[option]))}" if option in choices else ""
            lines.append(f'complete -c certdeck -n "{within}" -l {option.removeprefix("--")}{values}')
    lines += [f"complete -c certdeck -n __fish_use_subcommand -a {first}" for first in sorted(FAMILIES)]
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def main() -> int:
    """Write the three files to the given folder, with the names that the shells expect."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("certdeck", bash()), ("_certdeck", zsh()), ("certdeck.fish", fish())):
        (folder / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
