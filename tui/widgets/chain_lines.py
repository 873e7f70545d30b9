"""A chain as a tree: who signed each certificate, when it expires, and which stores trust the root. Pure."""

from __future__ import annotations

from core.chain_links import ChainView
from tui.glyphs import printable
from tui.widgets.ink import Ink
from tui.widgets.lines import BLANK, Line, Part, cut, fit, width_of, wrap
from tui.wording import text

_INDENT = 2


def chain_lines(chain: ChainView, width: int, ink: Ink) -> list[Line]:
    """Return a line per certificate, then who trusts the last one. The earliest expiry is highlighted: it ends the chain."""
    names = [f"{'└ ' if depth else ''}{printable(link.subject)}" for depth, link in enumerate(chain.links)]
    cells = max(width_of(name) + _INDENT * max(depth - 1, 0) for depth, name in enumerate(names))
    ends = [f"ends {text.day(link.not_after)}" for link in chain.links]
    room = min(cells, max(width - max(map(len, ends)) - 2 - len("  not sent"), 12))
    first = min(link.not_after for link in chain.links)
    lines: list[Line] = []
    for depth, (link, name, end) in enumerate(zip(chain.links, names, ends, strict=True)):
        indent = " " * _INDENT * max(depth - 1, 0)
        is_first = link.not_after == first and depth > 0
        parts: list[Part] = [
            (fit(f"{indent}{cut(name, room - len(indent))}", room), ink("foreground", bold=not depth)),
            ("  ", BLANK),
            (end, ink("severity-yellow" if is_first else "text-muted")),
        ]
        lines.append([*parts, ("  not sent", ink("text-muted"))] if not link.is_sent else parts)
    sign, role, words = (
        ("✔", "severity-green", f"Trusted by {printable(chain.trusted_by)}.")
        if chain.trusted_by
        else ("▲", "severity-yellow", f"Nothing on this box trusts {printable(chain.issuer)}: clients need its root.")
    )
    for number, line in enumerate(wrap(words, width - 2)):
        lines.append([(f"{sign if not number else ' '} ", ink(role)), (line, ink("foreground"))])
    return lines
