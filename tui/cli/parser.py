"""Parses arguments. Only the parser of the given command is created, and argparse's errors become UsageError."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from core.errors import UsageError
from tui.cli.catalogue import ALONE, COMMANDS, FAMILIES
from tui.glyphs import printable

if TYPE_CHECKING:
    from tui.cli.call import Call

WORKS_WITHOUT_COMMAND: Final = ("--json", "--debug")
"""Options that may also precede the command."""

TAKE_SECRETS: Final = ("account eab", "dns add", "notify add")
"""Commands that may get a secret as an argument by mistake: errors do not repeat their unknown arguments."""


def no_arguments(parser: argparse.ArgumentParser) -> None:
    """Add no argument."""


def name_argument(parser: argparse.ArgumentParser) -> None:
    """Add the argument NAME."""
    parser.add_argument("name", metavar="NAME")


class Command(NamedTuple):
    """One command: its arguments, its help, and its function."""

    words: str
    """`issuer add`."""
    run: Callable[[Call], int]
    arguments: Callable[[argparse.ArgumentParser], None] = no_arguments
    examples: tuple[str, ...] = ()
    """Examples without the leading `certdeck `. `# …` explains one."""
    notes: str = ""
    """Text for the help, below the options."""
    meant: str = ""
    """The option for which a stray word was probably meant, for example `--lineage`."""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Formats for 80 columns: reading the width of the terminal would load half a dozen modules, even without --help."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=78)


class _Parser(argparse.ArgumentParser):
    """Raises UsageError instead of ending the process, and accepts no abbreviated options."""

    def __init__(self, words: str) -> None:
        self.words = words
        super().__init__(
            prog=f"certdeck {words}",
            description=None,
            allow_abbrev=False,
            add_help=False,
            formatter_class=_Formatter,
        )
        self.add_argument("-h", "--help", action="store_true", help="show this help")
        self.add_argument("--json", action="store_true", help="print one JSON object")
        self.add_argument("--debug", action="store_true", help="report every step on standard error")

    def error(self, message: str) -> NoReturn:
        raise UsageError(
            f"`certdeck {self.words}` was called with invalid arguments.",
            _sentence(message),
            f"`certdeck {self.words} --help` shows its options.",
        )

    def options(self) -> list[str]:
        return [option for action in self._actions for option in action.option_strings if option.startswith("--")]


def parse(argv: Sequence[str]) -> tuple[Command, argparse.Namespace] | str:
    """Return the command with its arguments, or the requested text (help, version).

    Raises UsageError (`usage`).
    """
    arguments = _with_command_first(argv)
    first = arguments[0]
    if first in ("-h", "--help", "help"):
        arguments.pop(0)
        if not arguments or arguments[0].startswith("-"):
            from tui.cli.help import overview

            return overview()
        arguments.append("--help")
    elif first == "--version":
        from core.version import VERSION

        return f"certdeck {VERSION}\n"
    if arguments[0] in FAMILIES and _asks_help(arguments[1:2]):
        from tui.cli.help import family

        return family(arguments[0])
    words, rest = _words(arguments)
    command = command_of(words)
    parser = parser_of(command)
    if _asks_help(rest):
        from tui.cli.help import help_text

        return help_text(words, parser, notes=command.notes, examples=command.examples)
    _refuse_empty(parser, rest)
    found, unknown = parser.parse_known_args(rest)
    if unknown:
        _refuse_unknown(parser, unknown, command.meant)
    return command, found


def wants_json(argv: Sequence[str]) -> bool:
    """Tell whether errors must be JSON, even if the arguments are invalid."""
    return "--json" in _before_dashes(argv)


def _before_dashes(argv: Sequence[str]) -> Sequence[str]:
    return argv[: argv.index("--")] if "--" in argv else argv


def _asks_help(arguments: Sequence[str]) -> bool:
    return not {"-h", "--help"}.isdisjoint(_before_dashes(arguments))


def _with_command_first(argv: Sequence[str]) -> list[str]:
    """Turn `--renew` into the command, and move options before the command after it."""
    arguments = list(argv)
    ahead = []
    while arguments and arguments[0] in WORKS_WITHOUT_COMMAND:
        ahead.append(arguments.pop(0))
    if arguments and arguments[0].startswith("-") and "--renew" in _before_dashes(arguments):
        arguments.remove("--renew")
        arguments.insert(0, "renew")
    if not arguments:
        raise UsageError(
            "No command was given.",
            f"{' '.join(ahead)} needs a command.",
            "`certdeck --help` lists the commands; `certdeck` alone opens the console.",
        )
    return [arguments[0], *ahead, *arguments[1:]] if ahead else arguments


def _words(arguments: list[str]) -> tuple[str, list[str]]:
    """Return the words of the command, and the other arguments."""
    first, rest = arguments[0], arguments[1:]
    if first in COMMANDS:
        return first, rest
    if first not in FAMILIES:
        _refuse_command(first)
    ahead = []
    while rest and rest[0] in WORKS_WITHOUT_COMMAND:
        ahead.append(rest.pop(0))
    if rest and not rest[0].startswith("-"):
        words = f"{first} {rest[0]}"
        if words not in COMMANDS:
            _refuse_command(words)
        return words, [*ahead, *rest[1:]]
    for alone in ALONE:
        if f"{first} {alone}" in COMMANDS:
            return f"{first} {alone}", [*ahead, *rest]
    members = sorted(words for words in COMMANDS if words.startswith(f"{first} "))
    raise UsageError(
        f"`certdeck {first}` needs a subcommand.",
        f"Subcommands: {', '.join(f'`{words}`' for words in members)}.",
        f"`certdeck {members[0]} --help` shows the options of the first one.",
    )


def command_of(words: str) -> Command:
    """Return the command with these words, which must be in the table."""
    import core.light_msgspec  # noqa: F401 - before every Struct

    module = import_module(f"tui.cli.commands.{COMMANDS[words].module}")
    commands: tuple[Command, ...] = module.COMMANDS
    return next(command for command in commands if command.words == words)


def parser_of(command: Command) -> _Parser:
    """Return a command's parser."""
    parser = _Parser(command.words)
    command.arguments(parser)
    return parser


def _refuse_command(words: str) -> NoReturn:
    from difflib import get_close_matches

    if words.startswith("-"):
        raise UsageError(
            f"{printable(words)} is not an option without a command.",
            "Without a command, only --renew, --help and --version are valid. Other options follow a command.",
            "`certdeck --help` lists the commands.",
        )
    near = get_close_matches(words, COMMANDS, n=1, cutoff=0.5)
    raise UsageError(
        f"There is no command `{printable(words)}`.",
        f"Did you mean `{near[0]}`?" if near else "No command has a similar name.",
        "`certdeck --help` lists the commands.",
    )


def _refuse_empty(parser: _Parser, arguments: Sequence[str]) -> None:
    """Refuse empty arguments: they have no meaning, and an unset variable in a script must not become a default."""
    for before, argument in zip(["", *arguments], arguments, strict=False):
        if not argument or (argument.startswith("--") and argument.endswith("=")):
            option = argument.rstrip("=") or before
            behind = f" after {option}" if option.startswith("-") else ""
            parser.error(f"An argument{behind} is empty; a variable in a script may be unset")


def _refuse_unknown(parser: _Parser, unknown: list[str], meant: str) -> NoReturn:
    from difflib import get_close_matches

    first = unknown[0].partition("=")[0]
    if parser.words in TAKE_SECRETS and not first.startswith("-"):
        parser.error("There is one argument too many; it is not shown here because it may be secret")
    if meant and not first.startswith("-"):
        import shlex

        raise UsageError(
            f"`certdeck {parser.words}` does not accept {printable(unknown[0])} as an argument.",
            f"It belongs after an option, most likely {meant}.",
            f"Write `{meant} {printable(shlex.quote(unknown[0]))}` instead.",
        )
    near = get_close_matches(first, parser.options(), n=1) if first.startswith("-") else []
    hint = f" Did you mean {near[0]}?" if near else ""
    parser.error(f"There is no option or argument {first}.{hint}")


def _sentence(message: str) -> str:
    text = printable(message).strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?")) else f"{text}."
