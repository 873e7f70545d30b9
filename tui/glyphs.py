"""What may reach a terminal: text without control characters, and signs that the terminal can draw.

Both front ends clean what came from outside (a subject, a CA's message, a file name) with `printable` before they show
it, and the console cleans every segment once more in its last place. A terminal that cannot draw our signs gets
`to_ascii`, which keeps every cell where it was. Pure; no Textual.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_BLANKED = [*range(0x20), 0x7F, *range(0x80, 0xA0), 0x2028, 0x2029]
_DROPPED = [
    0xAD,  # soft hyphen
    0x61C,
    0x180E,
    *range(0x200B, 0x2010),  # zero-width, and marks of direction
    *range(0x202A, 0x202F),  # embeddings and overrides
    *range(0x2060, 0x2070),  # invisible operators, isolates
    0xFEFF,
    *range(0xFFF9, 0xFFFC),
    *range(0xE0000, 0xE0080),  # tags: text that nobody sees
]

SAFE: Final[dict[int, str | None]] = {**dict.fromkeys(_BLANKED, " "), **dict.fromkeys(_DROPPED)}
"""For str.translate: C0, DEL, C1 and line separators become blanks; bidirectional controls and invisible characters go."""

_KEEP_LINES: Final = {key: value for key, value in SAFE.items() if key not in (0x09, 0x0A)}

_SIGNS: Final = {
    "✖": "x", "▲": "!", "●": "*", "○": "o", "◐": "~", "◆": "*", "◇": "o", "✔": "+", "✓": "+", "‣": ">", "▸": ">", "▾": "v",
    "▶": ">", "◀": "<", "▴": "^", "▼": "v", "→": ">", "←": "<", "↑": "^", "↓": "v", "↵": "<", "·": ".", "•": "*", "…": "~",
    "–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "«": "<", "»": ">", "×": "x", "≥": ">", "≤": "<", "°": "o",
    "━": "=", "╸": "=", "╺": "=", "─": "-", "╴": "-", "╶": "-", "┄": "-", "┈": ".", "╌": "-", "═": "=",
    "│": "|", "┃": "|", "┊": ":", "╎": ":", "┆": ":", "║": "|", "╵": "|", "╷": "|", "╹": "|", "╻": "|",
    "╭": "+", "╮": "+", "╰": "+", "╯": "+", "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "+", "┬": "+", "┴": "+",
    "┼": "+", "┏": "+", "┓": "+", "┗": "+", "┛": "+", "┿": "+", "╂": "|", "┠": "|", "┨": "|", "╋": "+",
    "█": "#", "▉": "#", "▊": "|", "▋": "|", "▌": "|", "▍": "|", "▎": "|", "▏": "|", "▐": "|", "▕": "|", "░": ".", "▒": ":",
    "▓": "#", "▁": "_", "▂": "_", "▃": "_", "▄": "_", "▅": "#", "▆": "#", "▇": "#", "▔": "-", "▀": "-", "■": "#", "□": "o",
    "▪": "*", "▫": "o", "❯": ">", "⏎": "<", "☑": "+", "☐": "o", "⭘": "o", "◉": "*", "ß": "s", "€": "E", "§": "S",
}  # fmt: skip

ASCII: Final[dict[int, str]] = {ord(sign): plain for sign, plain in _SIGNS.items()}
"""One character for one cell, so that a layout stays as it is."""


def printable(text: str, *, lines: bool = False) -> str:
    """Return `text` without anything that a terminal would obey. With `lines`, line feeds and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_KEEP_LINES if lines else SAFE)


def to_ascii(text: str) -> str:
    """Return `text` in ASCII, every character in as many cells as before."""
    if text.isascii():
        return text
    return "".join(map(_plain, text.translate(ASCII)))


def _plain(character: str) -> str:
    if character.isascii():
        return character
    base = unicodedata.normalize("NFKD", character)[0]
    if unicodedata.combining(character):
        return ""
    wide = unicodedata.east_asian_width(character) in "WF"
    return ("??" if wide else "?") if not base.isascii() or wide else base
