"""Draws a text as a QR code with characters, to scan with a phone.

A code must be dark on light. With colors, draw the dark modules, black on white. Without colors, draw the light ones, which is
right on a dark terminal; phones also read the inverse on a light one.
"""

from __future__ import annotations

from typing import Final

import segno

_HALVES: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
_MODULE: Final = {False: "  ", True: "##"}
QUIET_MODULES: Final = 2
"""Quiet zone around the code. The standard requires four; with two, the code of a challenge value is 17 lines high."""
MOST_CHARACTERS: Final = 1000
"""Limit of the text: a larger code fits no terminal, and no phone reads it."""


def qr_lines(text: str, *, plain: bool = False, light: bool = False) -> tuple[str, ...]:
    """Return the lines of the code for `text`, all with the same width.

    Args:
        plain: two `#` for each module, instead of half a cell.
        light: draw the light modules instead of the dark ones.

    Raises ValueError: the text is empty or too long.
    """
    if not 0 < len(text) <= MOST_CHARACTERS:
        raise ValueError(f"a text of {len(text)} characters makes no code")
    made = segno.make_qr(text, error="l", boost_error=True)
    rows = [[bool(module) != light for module in row] for row in made.matrix_iter(border=QUIET_MODULES)]
    if plain:
        return tuple("".join(map(_MODULE.__getitem__, row)) for row in rows)
    if len(rows) % 2:
        rows.append([light] * len(rows[0]))
    return tuple(
        "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    )
