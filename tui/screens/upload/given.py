"""The input of an upload so far: pastes and files, described without showing their content. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from core.concealed import Concealed
from tui.wording.text import plural

_BEGIN: Final = re.compile(r"-----\s{0,4}BEGIN ([A-Za-z0-9 #./_-]{1,64}?)\s{0,4}-----")
_END: Final = re.compile(r"-----\s{0,4}END [A-Za-z0-9 #./_-]{1,64}?\s{0,4}-----")
_LONG_BASE64: Final = re.compile(r"[A-Za-z0-9+/=]{60}")
_PATH_SIGNS: Final = ("/", "~", "./", "../")
_LONGEST_PATH: Final = 4096
_MOST_PATHS: Final = 20


class Piece(Concealed, Struct, frozen=True, kw_only=True):
    """One paste or one file. Its repr and its description never show the content, which may be a key."""

    label: str
    """`the paste`, or the path as it was typed. Outside data."""
    path: Path | None = None
    """The path of a file, which is read when it is checked."""
    text: str = ""
    """The content of a paste."""
    words: tuple[str, ...] = ()
    """The visible description of a paste."""


def pasted(text: str, before: int) -> Piece:
    """Return a paste as a piece. `before`: how many pastes there are already."""
    return Piece(label="the paste" if not before else f"paste {before + 1}", text=text, words=described(text))


def described(text: str) -> tuple[str, ...]:
    """Return the kinds and lengths of the blocks in a text, never their content."""
    certificates = 0
    keys: list[str] = []
    others: list[str] = []
    begins = list(_BEGIN.finditer(text))
    for number, begin in enumerate(begins):
        limit = begins[number + 1].start() if number + 1 < len(begins) else len(text)
        end = _END.search(text, begin.end(), limit)
        size = (end.end() if end else limit) - begin.start()
        label = begin[1].upper()
        unfinished = "" if end else ", without its end"
        if "PRIVATE KEY" in label:
            keys.append(f"(private key, {size:,} characters, hidden{unfinished})")
        elif "CERTIFICATE" in label and "REQUEST" not in label:
            certificates += 1
            others += ["(a certificate without its end)"] if unfinished else []
        else:
            others.append(f"({label.lower()}, {size:,} characters, hidden{unfinished})")
    if not begins:
        kind = "base64" if _LONG_BASE64.search(text) else "text"
        return (f"({len(text):,} characters of {kind}, hidden)",)
    first = [plural(certificates, "certificate")] if certificates else []
    return (*first, *keys, *others)


def is_material(line: str) -> bool:
    """Say whether a line that is being typed is the beginning of a certificate or a key: it is shown no further then.

    A terminal without bracketed paste, or a serial line, types what is pasted.
    """
    if "-----BEGIN" in line:
        return True
    return not line.startswith(_PATH_SIGNS) and _LONG_BASE64.search(line) is not None


def is_open(text: str) -> bool:
    """Return whether the last block of a text is incomplete."""
    begins = list(_BEGIN.finditer(text))
    return bool(begins) and _END.search(text, begins[-1].end()) is None


def paths_in(text: str) -> tuple[str, ...]:
    """Return the paths if a paste consists only of paths, one per line; else none. File managers quote them."""
    lines = [_unquoted(line.strip()) for line in text.strip().splitlines()] if len(text) <= _LONGEST_PATH else []
    if not 1 <= len(lines) <= _MOST_PATHS:
        return ()
    fits = all(line.startswith(_PATH_SIGNS) and line.isprintable() and "-----BEGIN" not in line for line in lines)
    return tuple(lines) if fits else ()


def _unquoted(line: str) -> str:
    return line[1:-1] if len(line) > 2 and line[0] == line[-1] and line[0] in "'\"" else line


def source(pieces: Sequence[Piece]) -> str:
    """Return the origin of the input: `in one paste`, `from shop.pfx`, `in 2 files and a paste`."""
    files = [piece for piece in pieces if piece.path is not None]
    pastes = len(pieces) - len(files)
    if not files:
        return {0: "", 1: "in one paste"}.get(pastes, f"in {pastes} pastes")
    if len(files) == 1 and not pastes and files[0].path is not None:
        return f"from {files[0].path.name}"
    words = f"in {plural(len(files), 'file')}"
    return words if not pastes else f"{words} and {'a paste' if pastes == 1 else f'{pastes} pastes'}"
