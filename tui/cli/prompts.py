"""Asks questions and reads secrets, always before the engine is called: never during an operation, never from argv."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import Cancelled, TermsNotAgreed, UsageError
from core.input_file import SECRET_BYTES, read_descriptor, read_secret_file, reason
from core.secret_text import NotSecretText, secret_line, secret_text, typed_secret
from tui.glyphs import printable

if TYPE_CHECKING:
    from tui.cli.call import Call


def agrees(call: Call, question: str) -> bool:
    """Ask a yes-or-no question on the terminal. Any answer except yes is no."""
    sys.stderr.flush()
    call.output.out.finish()
    call.output.err.raw(f"{question} [y/N] ")
    call.output.err.finish()
    answer = sys.stdin.readline()
    if not answer:
        call.output.err.line()
    return answer.strip().lower() in ("y", "yes")


def confirm(call: Call, question: str, action: str) -> None:
    """Return if --yes was given or the user confirms.

    Raises:
        UsageError (`usage`): there is no terminal.
        Cancelled (`cancelled`): the answer was no.
    """
    if call.args.yes:
        return
    if not call.can_ask:
        raise UsageError(
            f"{action} needs a confirmation.",
            "There is no terminal for the question.",
            "If you are sure, add --yes.",
        )
    if not agrees(call, question):
        raise Cancelled("Nothing was done.", "You did not confirm.", "Answer y, or add --yes.")


def agree_to_terms(call: Call, error: TermsNotAgreed) -> None:
    """Show the CA's terms of service, and return if the user agrees. Otherwise raises `error`."""
    terms = error.details.get("terms_of_service")
    if not call.can_ask:
        raise error
    call.output.err.line(printable(error.what))
    if terms:
        call.output.err.line(f"The terms of service: {printable(str(terms))}")
    if not agrees(call, "Do you accept them?"):
        raise error


def new_passphrase(call: Call, file: str | None, purpose: str) -> bytes:
    """Return a new passphrase in UTF-8, from a file (`-`: standard input), or from two prompts without echo.

    Raises UsageError (`usage`): no file and no terminal, an empty passphrase, not text, or two different entries.
    """
    if file is not None:
        return secret_from(file)
    if not call.can_ask:
        raise UsageError(
            f"{purpose} needs a passphrase.",
            "There is no terminal to ask for it, and a passphrase is never an argument.",
            "Put it into a file and add --passphrase-file FILE (- reads standard input).",
        )
    first = asked_secret("Passphrase: ")
    again = asked_secret("Repeat it: ")
    if first != again:
        raise UsageError("The two passphrases differ.", "One of them was mistyped.", "Run the command again.")
    return _not_empty(first, "the answer")


def asked_secret(prompt: str) -> bytes:
    """Ask for a secret without echo, and return it in UTF-8. Enter alone is the empty secret.

    Raises Cancelled (`cancelled`) at the end of input; UsageError (`usage`) if it is not text.
    """
    from getpass import getpass

    try:
        return typed_secret(getpass(prompt, stream=sys.stderr))
    except EOFError as exc:
        sys.stderr.write("\n")
        raise Cancelled("Nothing was done.", "The question was not answered.", "Run the command again.") from exc
    except NotSecretText as exc:
        raise UsageError("The answer is not valid.", str(exc), "Run the command again.") from exc


def passphrase_from(file: str) -> bytes:
    """Return an existing passphrase from a file (`-`: standard input), in UTF-8. An empty file is the empty passphrase.

    Raises UsageError (`usage`): it cannot be read, is too long, or is not one line of text.
    """
    return _one_line(secret_bytes(file), file)


def secret_from(file: str) -> bytes:
    """Return a single-line secret from a file (`-`: standard input), in UTF-8, not empty.

    Raises UsageError (`usage`): it cannot be read, is empty, too long, or not one line of text.
    """
    return _not_empty(_one_line(secret_bytes(file), file), file)


def secret_lines_from(file: str) -> bytes:
    """Return a multi-line secret, such as a private key in PEM, in UTF-8, not empty. Raises what `secret_from` raises."""
    try:
        return _not_empty(secret_text(secret_bytes(file)).strip(), file)
    except NotSecretText as exc:
        raise _not_text(file, exc) from exc


def secret_bytes(file: str, label: str = "Secret") -> bytes:
    """Return the content of a file, or of standard input for `-`. On a terminal, asks for `label` without echo.

    Raises UsageError (`usage`): it cannot be read, or is too long; Cancelled (`cancelled`): the question was not answered.
    """
    if file != "-":
        return read_secret_file(Path(file))
    if sys.stdin is not None and sys.stdin.isatty():
        return asked_secret(f"{label}: ")
    content = standard_input(SECRET_BYTES)
    if len(content) > SECRET_BYTES:
        raise UsageError("Standard input cannot be used.", "It is too long for a secret.", "Give only the secret.")
    return content


def standard_input(limit: int) -> bytes:
    """Read standard input, at most `limit` bytes plus one. Raises UsageError (`usage`)."""
    try:
        return read_descriptor(sys.stdin.fileno(), limit=limit)
    except (OSError, ValueError, AttributeError) as exc:
        why = reason(exc) if isinstance(exc, OSError) else "It is closed."
        raise UsageError("Standard input cannot be read.", why, "Give a file instead of -.") from exc


def _one_line(content: bytes, place: str) -> bytes:
    try:
        return secret_line(content)
    except NotSecretText as exc:
        raise _not_text(place, exc) from exc


def _not_text(place: str, exc: NotSecretText) -> UsageError:
    shown = "standard input" if place == "-" else printable(place)
    return UsageError(f"The secret in {shown} cannot be used.", str(exc), "Save it as plain UTF-8 text on one line.")


def _not_empty(secret: bytes, place: str) -> bytes:
    if not secret:
        shown = "standard input" if place == "-" else printable(place)
        raise UsageError("The secret is empty.", f"{shown} is empty.", "Give a secret that is not empty.")
    return secret
