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
    """Return the values of each option that takes one: none where they are not a fixed set, as for files."""
    return {
        option: [str(choice) for choice in action.choices or ()]
        for action in parser_of(command_of(words))._actions
        if action.nargs != 0
        for option in action.option_strings
        if option.startswith("--")
    }


def _bash_function() -> list[str]:
    """Return the function that fills COMPREPLY. Where it stays empty, the shell completes files."""
    firsts = sorted({words.split()[0] for words in COMMANDS})
    lines = [
        "__certdeck()",
        "{",
        "    local cur prev first second",
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
        free = [option for option, values in choices.items() if not values]
        if choices:
            lines.append('        case "$prev" in')
            lines += [
                f'        {option}) COMPREPLY=($(compgen -W "{" ".join(values)}" -- "$cur")); return ;;'
                for option, values in choices.items()
                if values
            ]
            lines += [f"        {'|'.join(free)}) return ;;"] if free else []
            lines.append("        esac")
        lines += [f'        COMPREPLY=($(compgen -W "{" ".join(options)}" -- "$cur"))', "        return ;;"]
    lines.append("    esac")
    lines.append('    [ "$COMP_CWORD" = 2 ] || return')
    lines.append('    case "$first" in')
    for first in FAMILIES:
        seconds = sorted(words.split()[1] for words in COMMANDS if words.startswith(f"{first} "))
        lines.append(f'    {first}) COMPREPLY=($(compgen -W "{" ".join(seconds)}" -- "$cur")) ;;')
    return [*lines, "    esac", "}"]


def bash() -> str:
    """Return the completion for bash."""
    return "\n".join(
        ["# bash completion for certdeck", *_bash_function(), "complete -o default -F __certdeck certdeck", ""]
    )


def zsh() -> str:
    """Return the completion for zsh: that of bash, with zsh's emulation of `complete`.

    zsh loads the file at the first Tab and runs it, so it ends by completing: only to register a function does not answer it.
    """
    head = ["#compdef certdeck", "autoload -U +X bashcompinit && bashcompinit"]
    return "\n".join([*head, *_bash_function(), "_bash_complete -o default -F __certdeck", ""])


def fish() -> str:
    """Return the completion for fish."""
    lines = [
        "# fish completion for certdeck",
        "function __certdeck_at --description 'the line begins with these words'",
        "    set -l words (commandline -opc)",
        "    set -l last (math (count $argv) + 1)",
        '    test (count $words) -ge $last; and test "$words[2..$last]" = "$argv"',
        "end",
        "function __certdeck_next --description 'these words are followed by the one that is completed'",
        "    test (count (commandline -opc)) -eq (math (count $argv) + 1); and begin",
        "        test (count $argv) -eq 0; or __certdeck_at $argv",
        "    end",
        "end",
        "complete -c certdeck -f",
    ]
    lines += [f"complete -c certdeck -n __certdeck_next -a {_quoted(first)}" for first in (*sorted(FAMILIES), *_ALONE)]
    for words, entry in COMMANDS.items():
        first, _, second = words.partition(" ")
        before = f"'__certdeck_next {first}'" if second else "__certdeck_next"
        lines.append(f"complete -c certdeck -n {before} -a {second or first} -d {_quoted(entry.summary)}")
        choices = _choices(words)
        for option in _options(words):
            value = ""
            if option in choices:
                value = f" -x -a {_quoted(' '.join(choices[option]))}" if choices[option] else " -r -F"
            lines.append(f"complete -c certdeck -n '__certdeck_at {words}' -l {option.removeprefix('--')}{value}")
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
