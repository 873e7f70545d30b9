"""Reads secrets from text files as people create them.

An editor or a shell adds a byte order mark, writes UTF-16 (old PowerShell's `>`), or adds a line end; none of that is part of the
secret. Data that is not text is refused in one sentence that does not show it.
"""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before UTF-16: the mark of UTF-32 (little endian) begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class NotSecretText(ValueError):
    """The bytes are not valid text for a secret; the message is one sentence and does not show them."""


def secret_text(content: bytes) -> bytes:
    """Return the text in UTF-8, without a byte order mark; line ends are kept. Raises NotSecretText.

    UTF-16 is recognized by its mark, or by a zero in every second byte, which no other text encoding has.
    """
    mark, encoding = next(((mark, name) for mark, name in _MARKS if content.startswith(mark)), (b"", "utf-8"))
    if not mark:
        encoding = _unmarked(content)
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError:
        raise NotSecretText("It is not text in UTF-8 or UTF-16.") from None  # the cause would show it
    if "\0" in text:
        raise NotSecretText("It contains a NUL character.")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise NotSecretText("It is not valid Unicode text.") from None


def secret_line(content: bytes) -> bytes:
    """Return a one-line secret in UTF-8, without the line end after it. It may be empty. Raises NotSecretText."""
    text = secret_text(content)
    line = text.removesuffix(b"\n").removesuffix(b"\r")
    if b"\n" in line or b"\r" in line:
        raise NotSecretText("It has several lines; a secret must be a single line.")
    return line


def typed_secret(answer: str) -> bytes:
    """Return the text typed at a prompt in UTF-8. Raises NotSecretText for bytes that are invalid in the terminal's encoding."""
    # Python returns bytes that it cannot decode as lone surrogates.
    return secret_line(answer.encode("utf-8", "surrogateescape"))


def _unmarked(content: bytes) -> str:
    """Return the encoding of text without a mark: UTF-16 if every character takes two bytes, one of them zero."""
    if len(content) < 4 or len(content) % 2:
        return "utf-8"
    even, odd = content[::2], content[1::2]
    if not any(odd) and all(even):
        return "utf-16-le"
    return "utf-16-be" if not any(even) and all(odd) else "utf-8"
