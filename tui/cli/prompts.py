"""Questions and secrets, all before the engine is asked: never in the middle of an operation, never from argv."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import Cancelled, TermsNotAgreed, UsageError
from tui.glyphs import printable

if TYPE_CHECKING:
    from tui.cli.call import Call

_MOST_SECRET_BYTES = 64 * 1024


def agrees(call: Call, question: str) -> bool:
    """Ask a yes-or-no question on the terminal; anything but yes is no."""
    sys.stderr.flush()
    call.output.out.finish()
    call.output.err.raw(f"{question} [y/N] ")
    call.output.err.finish()
    answer = sys.stdin.readline()
    if not answer:
        call.output.err.line()
    return answer.strip().lower() in ("y", "yes")


def confirm(call: Call, question: str, action: str) -> None:
    """Return when --yes was given or the person says yes.

    Raises:
        UsageError (`usage`): there is nobody to ask.
        Cancelled (`cancelled`): the answer was no.
    """
    if call.args.yes:
        return
    if not call.can_ask:
        raise UsageError(
            f"{action} needs a confirmation.",
            "There is no terminal to ask on.",
            "Add --yes when you are sure.",
        )
    if not agrees(call, question):
        raise Cancelled("Nothing was done.", "The question was not answered with yes.", "Say y, or add --yes.")


def agree_to_terms(call: Call, error: TermsNotAgreed) -> None:
    """Show the CA's terms of service and return when the person agrees; raises `error` again otherwise."""
    terms = error.details.get("terms_of_service")
    if not call.can_ask:
        raise TermsNotAgreed(
            error.what,
            error.why,
            "Read them and add --agree-tos.",
            lineage=error.lineage,
            details=error.details,
        ) from error
    call.output.err.line(printable(error.what))
    if terms:
        call.output.err.line(f"The terms of service: {printable(str(terms))}")
    if not agrees(call, "Do you agree?"):
        raise error


def new_passphrase(call: Call, file: str | None, purpose: str) -> bytes:
    """Return a passphrase from a file (`-`: standard input), or asked for twice without echo.

    Raises UsageError (`usage`): no file and no terminal, empty, or not the same twice.
    """
    if file is not None:
        return secret_from(file)
    if not call.can_ask:
        raise UsageError(
            f"{purpose} needs a passphrase.",
            "There is no terminal to ask for it, and it may not stand among the arguments.",
            "Put it into a file and add --passphrase-file FILE (- reads standard input).",
        )
    from getpass import getpass

    try:
        first = getpass("Passphrase: ", stream=sys.stderr)
        again = getpass("The same again: ", stream=sys.stderr)
    except EOFError as exc:
        call.output.err.line()
        raise Cancelled("Nothing was done.", "No passphrase was given.", "Start the command again.") from exc
    if first != again:
        raise UsageError("The two passphrases differ.", "One of them was mistyped.", "Start the command again.")
    return _not_empty(first.encode("utf-8", "surrogateescape"), "the answer")


def secret_from(file: str) -> bytes:
    """Return the content of a file, or of standard input for `-`, without the line feed at its end.

    Raises UsageError (`usage`): it cannot be read, is empty or too long.
    """
    try:
        if file == "-":
            content = sys.stdin.buffer.read(_MOST_SECRET_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                content = stream.read(_MOST_SECRET_BYTES + 1)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "no such name can be"
        raise UsageError(
            f"The file {printable(file)} cannot be read.",
            f"The system says: {reason}.",
            "Give a file that this user can read.",
        ) from exc
    if len(content) > _MOST_SECRET_BYTES:
        raise UsageError(f"The file {printable(file)} is too long.", "A secret is a line.", "Give another file.")
    return _not_empty(content.removesuffix(b"\n").removesuffix(b"\r"), file)


def _not_empty(secret: bytes, place: str) -> bytes:
    if not secret:
        raise UsageError(
            "The secret is empty.", f"There is nothing in {printable(place)}.", "Give one that is not empty."
        )
    return secret
