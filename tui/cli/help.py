"""Help texts, generated from the catalogue and the parsers."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from tui.cli.catalogue import COMMANDS, GROUPS
from tui.cli.exits import MEANINGS


def overview() -> str:
    """Return `certdeck --help`."""
    width = max(len(words) for words in COMMANDS) + 2
    parts = [
        "certdeck: the TLS certificates of this box\n",
        "  certdeck                 open the console",
        "  certdeck --renew         the scheduled run: renew what is due, deploy it",
        "  certdeck COMMAND --help  the options of a command\n",
    ]
    for group, commands in GROUPS.items():
        parts.append(f"{group}:")
        parts += [f"  {words:<{width}}{entry.summary}" for words, entry in commands.items()]
        parts.append("")
    parts.append(f"Every command takes --json, and --debug to report every step on standard error.\n\n{_statuses()}")
    return "\n".join(parts)


def family(first: str) -> str:
    """Return the help of the commands with the same first word: `certdeck issuer --help`."""
    members = {words: entry for words, entry in COMMANDS.items() if words.startswith(f"{first} ")}
    width = max(map(len, members)) + 2
    lines = [f"  certdeck {words:<{width}}{entry.summary}" for words, entry in members.items()]
    return "\n".join([*lines, "", "Add --help to each for its options.", ""])


def help_text(words: str, parser: argparse.ArgumentParser, *, notes: str, examples: Sequence[str]) -> str:
    """Return `certdeck COMMAND --help`."""
    parser.description = f"{COMMANDS[words].summary[:1].upper()}{COMMANDS[words].summary[1:]}."
    parts = [parser.format_help().rstrip()]
    if notes:
        parts.append(notes)
    if examples:
        parts.append("\n".join(["examples:", *(f"  certdeck {example}" for example in examples)]))
    parts.append(_statuses())
    return "\n\n".join(parts)


def _statuses() -> str:
    return "\n".join(["exit status:", *(f"  {status}  {meaning}" for status, meaning in MEANINGS)]) + "\n"
