"""A text as a QR code made of characters, for a phone that is held to the screen.

A code has to be dark on light. Where colours can be set, draw the dark modules and show them black on white; where they cannot,
draw the light ones, which is right on a dark terminal, and phones read the reverse on a light one.
"""

from __future__ import annotations

from typing import Final

import segno

_HALVES: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
_MODULE: Final = {False: "  ", True: "##"}
QUIET_MODULES: Final = 2
"""Around the code; the standard wants four, and two leave a proof's code 17 lines high."""
MOST_CHARACTERS: Final = 1000
"""More makes a code that no terminal shows and no phone reads from one."""


def qr_lines(text: str, *, plain: bool = False, light: bool = False) -> tuple[str, ...]:
    """Return the lines of a code that holds `text`, all equally wide.

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
