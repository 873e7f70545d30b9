"""Reads `KEY=VALUE` and `KEY=FILE` of `dns add` and `notify add`: settings and secrets.

A secret comes from a file, from standard input or from a prompt, never from the arguments, which are visible in the process list
and in the shell's history. The error for a secret in the arguments does not repeat it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from core.errors import Cancelled, UsageError
from core.secret_text import NotSecretText, secret_text
from tui.cli.prompts import asked_secret, secret_bytes
from tui.glyphs import printable

if TYPE_CHECKING:
    import argparse

    from core.notifications import NotificationKind
    from core.operations import DnsKind, EntryField
    from tui.cli.call import Call

_STDIN: Final = "-"
_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_SOUNDS_SECRET: Final = re.compile(r"secret|token|passw|passphrase|api_?key|private|credential", re.IGNORECASE)
_OPTIONS: Final = {
    "dns": {"kind": "--kind", "zones": "--zone", "delegations": "--delegate"},
    "notify": {"kind": "--kind", "on": "--on"},
}
"""Keys next to the settings in the configuration, which settings with the same names would overwrite."""


def several(parser: argparse.ArgumentParser, option: str, metavar: str, help: str) -> None:
    """Add an option that takes several values and may be repeated."""
    parser.add_argument(option, metavar=metavar, nargs="+", action="extend", default=[], help=help)


def merged(what: str, before: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Merge given settings into existing ones. An empty value removes a key. Raises UsageError (`usage`) if the key is not set."""
    for key, value in given.items():
        if not value and key not in before:
            raise UsageError(
                f"The {what} {printable(key)} is empty.",
                "A variable in a script may be unset.",
                "Give a value, or leave it out.",
            )
    return {key: value for key, value in {**before, **given}.items() if value}


def settings_from(pairs: Sequence[str], kind: DnsKind | NotificationKind) -> dict[str, str]:
    """Return the settings of `--set KEY=VALUE`. An empty value removes the setting.

    Raises UsageError (`usage`) for an argument that is not a pair, and for a secret.
    """
    secret = {field.key for field in kind.fields if field.secret}
    open_ones = {field.key for field in kind.fields if not field.secret}
    found: dict[str, str] = {}
    for pair in pairs:
        key, is_pair, value = pair.partition("=")
        if not is_pair or not _KEY.fullmatch(key):
            raise _no_pair("--set", "VALUE")
        if key in secret or (key not in open_ones and _SOUNDS_SECRET.search(key)):
            raise UsageError(
                f"{key} is a secret, so it cannot be given with --set.",
                "Every user on this box can read arguments, and they stay in the shell's history.",
                f"Use --secret {key}=FILE, where FILE contains it; - is standard input. Create a new secret at "
                "the provider, because this one was exposed.",
            )
        if option := _OPTIONS[kind.family].get(key):
            raise UsageError(f"{key} is not a setting.", "It has its own option.", f"Use {option}.")
        if key in found:
            raise _twice("--set", key)
        found[key] = value
    return found


def secrets_from(pairs: Sequence[str], kind: DnsKind | NotificationKind) -> dict[str, bytes]:
    """Return the secrets of `--secret KEY=FILE`. Raises UsageError (`usage`), without repeating the text after a `=`."""
    known = {field.key: field for field in kind.fields}
    files: dict[str, str] = {}
    for pair in pairs:
        key, is_pair, file = pair.partition("=")
        if not is_pair or not _KEY.fullmatch(key) or not file:
            raise _no_pair("--secret", "FILE")
        if not kind.takes_any:
            _refuse_unknown(key, kind, known)
        if key in files:
            raise _twice("--secret", key)
        files[key] = file
    if list(files.values()).count(_STDIN) > 1:
        raise UsageError(
            "Standard input cannot be two secrets.", "- can be used only once.", "Put the others into files."
        )
    many_lines = kind.takes_any or kind.name.startswith("lexicon:")
    return {key: _read(key, file, many_lines=many_lines) for key, file in files.items()}


def ask_secret(call: Call, field: EntryField, *, optional: bool = False) -> bytes:
    """Ask for a secret without echo. Only an optional one may be empty. Raises Cancelled (`cancelled`) without an answer."""
    call.output.out.finish()
    if field.help:
        call.output.err.line(printable(field.help))
    label = printable(field.label)
    answer = asked_secret(f"{label} (empty: none): " if optional else f"{label}: ").strip()
    if not answer and optional:
        return b""
    if not answer:
        raise Cancelled("Nothing was done.", f"No {label} was given.", "Run the command again.")
    return _checked(answer, field.key, many_lines=False)


def _read(key: str, file: str, *, many_lines: bool) -> bytes:
    try:
        content = secret_bytes(file, key)
    except UsageError as exc:
        place = "Standard input" if file == _STDIN else f"The file for --secret {key}"
        raise UsageError(
            f"{place} cannot be read.",
            exc.why,
            f"After {key}=, give the name of a file that contains the secret (- is standard input), never the secret itself.",
        ) from exc
    return _checked(content, key, many_lines=many_lines)


def _checked(content: bytes, key: str, *, many_lines: bool) -> bytes:
    """Return a secret without the newline that an editor adds. Raises UsageError (`usage`) for an impossible secret."""
    try:
        secret = secret_text(content).rstrip(b"\r\n")
    except NotSecretText as exc:
        raise _bad(key, str(exc)) from exc
    if not secret.strip():
        raise _bad(key, "It is empty.")
    text = secret.decode()
    if not many_lines and ("\n" in text or "\r" in text):
        raise _bad(key, "It has several lines; this secret must be a single line.")
    if any(not each.isprintable() and each not in "\r\n\t" for each in text):
        raise _bad(key, "It contains control characters.")
    return secret


def _bad(key: str, why: str) -> UsageError:
    return UsageError(
        f"This is not a valid value for the secret {key}.", why, "Give only the secret, as the provider shows it."
    )


def _no_pair(option: str, what: str) -> UsageError:
    return UsageError(
        f"{option} requires KEY={what}.",
        "The value does not have this form. It is not shown here because it may be secret.",
        f"For example: {'--secret api_token=token.txt' if what == 'FILE' else '--set zone_id=0a1b2c'}.",
    )


def _twice(option: str, key: str) -> UsageError:
    return UsageError(f"{option} {key} was given twice.", "Only one of them can be used.", "Omit one.")


def _refuse_unknown(key: str, kind: DnsKind | NotificationKind, known: Mapping[str, EntryField]) -> None:
    """Raise UsageError unless `key` is a secret of the kind. The error repeats only known keys."""
    if key in known and known[key].secret:
        return
    if key in known:
        raise UsageError(
            f"{key} is not a secret of {printable(kind.title)}.", "It is a setting.", f"Give it with --set {key}=VALUE."
        )
    secrets = [name for name, field in known.items() if field.secret]
    raise UsageError(
        f"{printable(kind.title)} has no such secret.",
        f"Its secrets: {', '.join(secrets) or 'none'}.",
        f"`certdeck {kind.family} kinds {printable(kind.name)}` shows its settings.",
    )
