"""Makes text safe for a terminal: without control characters, and with symbols that the terminal can display.

Both front ends clean foreign text (a subject, a CA's message, a file name) with `printable` before they show it, and the console
cleans every segment again as the last step. A terminal that cannot display our symbols gets `to_ascii`, which keeps the width of
every cell. Pure, without Textual.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from core.text import safe

_SIGNS: Final = {
    "✖": "x", "▲": "!", "●": "*", "○": "o", "◐": "~", "◆": "*", "◇": "o", "✔": "+", "✓": "+", "‣": ">", "▸": ">", "▾": "v",
    "▶": ">", "◀": "<", "▴": "^", "▼": "v", "→": ">", "←": "<", "↑": "^", "↓": "v", "↵": "<", "·": ".", "•": "*", "…": "~",
    "–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "«": "<", "»": ">", "×": "x", "≥": ">", "≤": "<", "°": "o",
    "━": "=", "╸": "=", "╺": "=", "─": "-", "╴": "-", "╶": "-", "┄": "-", "┈": ".", "╌": "-", "═": "=",
    "│": "|", "┃": "|", "┊": ":", "╎": ":", "┆": ":", "║": "|", "╵": "|", "╷": "|", "╹": "|", "╻": "|",
    "╭": "+", "╮": "+", "╰": "+", "╯": "+", "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "+", "┬": "+", "┴": "+",
    "┼": "+", "┏": "+", "┓": "+", "┗": "+", "┛": "+", "┿": "+", "╂": "|", "┠": "|", "┨": "|", "╋": "+",
    "█": "#", "▉": "#", "▊": "|", "▋": "|", "▌": "|", "▍": "|", "▎": "|", "▏": "|", "▐": "|", "▕": "|", "░": ".", "▒": ":",
    "▓": "#", "▁": " ", "▂": " ", "▃": " ", "▄": " ", "▅": " ", "▆": " ", "▇": " ", "▔": "-", "▀": "-", "■": "#", "□": "o",
    "▪": "*", "▫": "o", "❯": ">", "⏎": "<", "☑": "+", "☐": "o", "⭘": "o", "◉": "*", "ß": "s", "€": "E", "§": "S",
}  # fmt: skip

# The lower blocks are the parts of a cell at the ends of a scroll bar, which is a whole cell without them.

ASCII: Final[dict[int, str]] = {ord(sign): plain for sign, plain in _SIGNS.items()}
"""ASCII replacements, one character for one cell, so that the layout does not change."""


class Drawing:
    """What the terminal of this process can draw. Set once by the front end, when it knows its terminal."""

    ascii: bool = False
    """ASCII alone: a name in another script is then shown as it is encoded, because `muller` is not `müller`."""


def printable(text: str, *, lines: bool = False) -> str:
    """Return `text` without control characters. With `lines`, line feeds and tabs stay."""
    if not lines:
        return safe(text)
    return "\n".join("\t".join(map(safe, line.split("\t"))) for line in text.split("\n"))


def to_ascii(text: str) -> str:
    """Return `text` in ASCII, with the same number of cells for every character."""
    if text.isascii():
        return text
    translated = text.translate(ASCII)
    return translated if translated.isascii() else "".join(map(_plain, translated))


def _plain(character: str) -> str:
    if character.isascii():
        return character
    base = unicodedata.normalize("NFKD", character)[0]
    if unicodedata.combining(character):
        return ""
    wide = unicodedata.east_asian_width(character) in "WF"
    return ("??" if wide else "?") if not base.isascii() or wide else base
