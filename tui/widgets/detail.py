"""Everything about one certificate as lines (ST-42 to ST-49): what stands in its way first, then how it is, then what it is.

Pure. Made for a width: from `TWO_COLUMNS` cells on the services stand beside the first facts, below it under them. `full` leaves
nothing out; without it a long list of names is cut, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from core.operations import LineageStatus, TargetState
from tui import text
from tui.text import MARKS, Mark, printable
from tui.widgets.ink import Ink
from tui.widgets.lines import BLANK, Line, Part, cut, fit, grouped, length, width_of, wrap

TWO_COLUMNS: Final = 64
_LABEL: Final = 13
_NARROW_LABEL: Final = 9
_MOST_NAMES: Final = 4
"""Lines of names where not everything is asked for."""


def detail_lines(lineage: LineageStatus, now: datetime, width: int, ink: Ink, *, full: bool = False) -> list[Line]:
    """Return the lines for one lineage, each at most `width` cells."""
    page = _Page(width, ink)
    _trouble(page, lineage, now)
    _headline(page, lineage, now)
    if lineage.sha256:
        beside = _target_lines(lineage.targets, ink) if page.is_wide else []
        _facts(page, lineage, beside, full=full)
    else:
        _plan(page, lineage, full=full)
    page.field("Proof" if page.is_wide else "Method", _method(lineage))
    _renewal(page, lineage, now)
    if not page.is_wide or not lineage.sha256:
        page.blank()
        _targets_below(page, lineage.targets)
    return page.lines


class _Page:
    """Lines under way: labels in one column, values in the other."""

    def __init__(self, width: int, ink: Ink) -> None:
        self.width = width
        self.ink = ink
        self.is_wide = width >= TWO_COLUMNS
        self.label = _NARROW_LABEL if self.is_wide else min(_LABEL, max(width // 3, 6))
        self.lines: list[Line] = []

    def blank(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append([])

    def add(self, *parts: Part) -> None:
        self.lines.append(list(parts))

    def field(self, label: str, value: str | Sequence[str], role: str = "foreground", *, beside: list[Line] | None = None) -> None:
        """Add a labelled value, wrapped; `beside` gives up its lines to the right of this one."""
        room = self.width - self.label
        values = [value] if isinstance(value, str) else list(value)
        first = True
        for each in values:
            lines = wrap(printable(each), room) if width_of(each) > room else [printable(each)]
            for line in lines:
                head = fit(label if first else "", self.label)
                parts: list[Part] = [(head, self.ink("text-muted")), (line, self.ink(role))]
                if beside:
                    extra = beside[0]
                    gap = self.width - length(parts) - length(extra)
                    if gap >= 2:
                        parts += [(" " * gap, BLANK), *beside.pop(0)]
                self.lines.append(parts)
                first = False

    def words(self, sign: str, sign_role: str, words: str, role: str = "foreground", *, bold: bool = False) -> None:
        """Add a sentence with a sign before it; the lines that follow are indented below it."""
        for number, line in enumerate(wrap(printable(words), self.width - 2)):
            head = (f"{sign} ", self.ink(sign_role, bold=True)) if not number else ("  ", BLANK)
            self.add(head, (line, self.ink(role, bold=bold)))


def _trouble(page: _Page, lineage: LineageStatus, now: datetime) -> None:
    error = lineage.last_error
    if error:
        words = {key: printable(str(error.get(key) or "")) for key in ("what", "why", "fix")}
        page.words("✖", "severity-red", words["what"] or "The last attempt failed.", bold=True)
        if words["why"]:
            page.words(" ", "text-muted", words["why"], "text-muted")
        if words["fix"]:
            page.words("→", "key", words["fix"])
    if lineage.waiting_version is not None:
        page.words(
            "▲",
            "severity-yellow",
            f"Version {lineage.waiting_version} was issued and waits, because it could not be deployed. "
            "d deploys it; the next run tries by itself.",
        )
    if lineage.open_order:
        page.words("▲", "severity-yellow", "An order is open. c completes it.")
    for target in lineage.targets:
        if target.why and target.state in ("failed", "stale"):
            mark = MARKS[target.state]
            page.words(mark.glyph, mark.colour, f"{target.name}: {target.why}")
    page.blank()


def _headline(page: _Page, lineage: LineageStatus, now: datetime) -> None:
    mark = MARKS[text.severity_of(lineage)]
    ink = page.ink
    left = text.days_left(lineage, now)
    renews = text.renewal_shown(lineage, now)
    version = f"version {lineage.version}" if lineage.version is not None else ""
    parts: list[Part] = [(f"{mark.glyph} ", ink(mark.colour, bold=True)), (left, ink(mark.colour, bold=True))]
    if length(parts) + 3 + width_of(renews) <= page.width:
        parts += [("   ", BLANK), (renews, ink("text-muted"))]
        gap = page.width - length(parts) - width_of(version)
        if gap >= 3:
            parts += [(" " * gap, BLANK), (version, ink("text-muted"))]
        page.add(*parts)
    else:
        page.add(*parts)
        page.add(("  ", BLANK), (cut(renews, page.width - 2), ink("text-muted")))
    if not page.is_wide:
        page.blank()


def _facts(page: _Page, lineage: LineageStatus, beside: list[Line], *, full: bool) -> None:
    subject = text.common_name(lineage.subject) or (text.name_shown(lineage.domains[0]) if lineage.domains else "–")
    issuer = _issuer(lineage)
    chain = f"complete, {lineage.chain_length} above the leaf" if lineage.chain else "none: the leaf stands alone"
    if lineage.self_signed and not lineage.chain:
        chain = "none needed"
    page.field("Subject", subject, beside=beside)
    page.field("Issuer", issuer, beside=beside)
    if page.is_wide:
        page.field("Valid", _valid(lineage), beside=beside)
        _names(page, lineage, full=full, beside=beside)
        self_signed = "self-signed" if lineage.self_signed else "not self-signed"
        page.field("Key", f"{text.key_shown(lineage.key_type)} · {self_signed} · chain {chain}", beside=beside)
    else:
        if lineage.not_before and lineage.not_after:
            page.field("Valid from", text.moment(lineage.not_before))
            page.field("Valid to", text.moment(lineage.not_after))
        _names(page, lineage, full=full)
        page.field("Key", text.key_shown(lineage.key_type))
        page.field("Self-signed", "yes" if lineage.self_signed else "no")
        page.field("Chain", chain)
    page.lines += [*([*_indent(page), *line] for line in beside)]
    page.field("SHA-256", grouped(lineage.sha256, 4, page.width - page.label))
    page.field("Serial", _serial(lineage.serial, page.width - page.label))
    if not page.is_wide:
        page.blank()


def _indent(page: _Page) -> list[Part]:
    return [(" " * page.label, BLANK)]


def _issuer(lineage: LineageStatus) -> str:
    """Return who signed, and of which CA that is where the name alone does not say it: `Let's Encrypt E8`."""
    who, ca = text.common_name(lineage.issuer), text.issuer_shown(lineage)
    return who if not who or ca in who or lineage.ca is None or lineage.self_signed else f"{ca} {who}"


def _valid(lineage: LineageStatus) -> str:
    if lineage.not_before is None or lineage.not_after is None:
        return "–"
    begins = f"{text.day(lineage.not_before)} {text.clock(lineage.not_before)}"
    return f"{begins} → {text.moment(lineage.not_after)}"


def _names(page: _Page, lineage: LineageStatus, *, full: bool, beside: list[Line] | None = None) -> None:
    names = [text.name_shown(domain) for domain in lineage.domains] or ["–"]
    room = page.width - page.label
    lines = _flowed(names, room) if page.is_wide else names
    if not full and len(lines) > _MOST_NAMES:
        kept = lines[: _MOST_NAMES - 1]
        hidden = len(names) - sum(line.count("  ") + 1 for line in kept)
        lines = [*kept, f"and {hidden} more, ↵ shows them"]
    page.field("Names", lines, beside=beside)


def _flowed(names: Sequence[str], room: int) -> list[str]:
    """Return names side by side, two blanks between them, as many to a line as fit."""
    lines: list[str] = []
    for name in names:
        if lines and width_of(lines[-1]) + 2 + width_of(name) <= room:
            lines[-1] += f"  {name}"
        else:
            lines.append(name)
    return lines


def _serial(serial: str, room: int) -> list[str]:
    pairs = ":".join(serial[at : at + 2] for at in range(0, len(serial), 2)) if len(serial) % 2 == 0 else serial
    return grouped(pairs, 4, room) if ":" in pairs else [pairs or "–"]


def _method(lineage: LineageStatus) -> str:
    method = text.method_shown(lineage.method)
    return f"{method} · profile {lineage.profile}" if lineage.profile else method


def _renewal(page: _Page, lineage: LineageStatus, now: datetime) -> None:
    why = text.renewal_why(lineage)
    if lineage.renew_at is None:
        page.field("Renewal", why)
        return
    day = f"{text.day(lineage.renew_at)} {text.clock(lineage.renew_at)}"
    page.field("Renewal", f"{day} · {why}")


def _plan(page: _Page, lineage: LineageStatus, *, full: bool) -> None:
    """A lineage that has no certificate: what it is to become."""
    _names(page, lineage, full=full)
    page.field("Key", text.key_shown(lineage.key_type))


def _target_lines(targets: Sequence[TargetState], ink: Ink) -> list[Line]:
    widest = max((width_of(printable(target.name)) for target in targets), default=0)
    return [_target(target, min(widest, 16), ink) for target in targets]


def _target(target: TargetState, width: int, ink: Ink) -> Line:
    mark: Mark = MARKS.get(target.state, MARKS["unknown"])
    return [
        (fit(printable(target.name), width), ink("foreground")),
        ("  ", BLANK),
        (f"{mark.glyph} ", ink(mark.colour)),
        (mark.word, ink(mark.colour)),
    ]


def _targets_below(page: _Page, targets: Sequence[TargetState]) -> None:
    if not targets:
        page.field("Served by", "nothing: it has no target", "text-muted")
        return
    for number, line in enumerate(_target_lines(targets, page.ink)):
        head = fit("" if number else "Served by", page.label)
        if page.label + length(line) <= page.width:
            page.add((head, page.ink("text-muted")), *line)
        else:
            page.add((head, page.ink("text-muted")), line[0])
            page.add((" " * page.label, BLANK), *line[2:])
