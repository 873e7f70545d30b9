"""The current and the new certificate of a service, side by side. Pure."""

from __future__ import annotations

from core.operations import LineageStatus
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, cut, width_of
from tui.wording import text

_MOST_NAMES = 6
_LABEL = 9


def compare_lines(current: LineageStatus | None, then: LineageStatus, width: int, ink: Ink) -> list[Line]:
    """Return each fact with its old and its new value, a changed one highlighted; the new value alone if there is no old one."""
    rows = [
        ("Issuer", *_both(current, then, text.issuer_shown)),
        ("Until", *_both(current, then, lambda each: text.day(each.not_after) if each.not_after else "–")),
        ("SHA-256", *_both(current, then, lambda each: f"{each.sha256[:5]}:…" if each.sha256 else "–")),
        ("Key", *_both(current, then, lambda each: text.key_shown(each.key_type))),
        ("Names", *_both(current, then, lambda each: str(len(each.domains)))),
    ]
    lines: list[Line] = []
    for label, old, new, is_other in rows:
        if current is None:
            lines += _alone(label, new, width, ink)
        else:
            lines.append([(label, ink("text-muted"))])
            lines += _pair(old, new, is_other, width, ink)
        if label == "Names":
            lines += _names(current, then, width, ink)
    return lines


def _both(current: LineageStatus | None, then: LineageStatus, of: object) -> tuple[str, str, bool]:
    assert callable(of)
    old, new = (str(of(current)) if current is not None else "nothing"), str(of(then))
    return text.printable(old), text.printable(new), current is None or old != new


def _alone(label: str, new: str, width: int, ink: Ink) -> list[Line]:
    head = (f"{label:{_LABEL}}", ink("text-muted"))
    if _LABEL + width_of(new) <= width:
        return [[head, (new, ink("foreground"))]]
    return [[head], [(f"  {cut(new, width - 2)}", ink("foreground"))]]


def _pair(old: str, new: str, is_other: bool, width: int, ink: Ink) -> list[Line]:
    new_style = ink("key") if is_other else ink("foreground")
    if width_of(old) + 3 + width_of(new) <= width:
        return [[(old, ink("foreground")), (" → ", ink("text-muted")), (new, new_style)]]
    return [[(cut(old, width), ink("foreground"))], [("→ ", ink("text-muted")), (cut(new, width - 2), new_style)]]


def _names(current: LineageStatus | None, then: LineageStatus, width: int, ink: Ink) -> list[Line]:
    """Return the removed and the added names."""
    had = set(current.domains) if current is not None else set[str]()
    gone = [("-", "severity-yellow", name) for name in (current.domains if current else ()) if name not in then.domains]
    come = [("+", "key", name) for name in then.domains if name not in had]
    listed = [*gone, *come]
    lines: list[Line] = [
        [(f"{sign} ", ink(role, bold=True)), (cut(text.name_shown(name), width - 2), ink("foreground"))]
        for sign, role, name in listed[:_MOST_NAMES]
    ]
    if len(listed) > _MOST_NAMES:
        lines.append([(f"  and {len(listed) - _MOST_NAMES:,} more", ink("text-muted"))])
    return lines
