"""The details of one certificate, as lines (ST-42 to ST-49). Problems come first."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from core.health import CRITICAL, EXPIRES_SOON, health
from core.operations import LineageStatus, OpenOrder, TargetState
from core.renewal import due_at
from tui.glyphs import printable
from tui.here import keys_for
from tui.widgets.ink import Ink
from tui.widgets.lines import BLANK, Line, Part, fit, grouped, length, paired, width_of, wrap
from tui.wording import text
from tui.wording.facts import certificate_facts, chain_note, failure_times
from tui.wording.text import MARKS

_LABEL = 12
"""Cells of the label column, including the gap."""
_TOLD = 7
"""Cells before what an error tells: `  why  `, `  here `."""
_SIDE_BY_SIDE = 66
"""From this width on, the fields are in two columns."""
_MOST_NAMES = 100
_SHOWN_ELSEWHERE = frozenset(
    {
        EXPIRES_SOON,
        "expired",
        "no-certificate",
        "renewal-failed",
        "deployment-failed",
        "not-served",
        "not-deployed",
        "order-open",
    }
)
"""Reasons that the headline, the services or separate lines already state."""


class DetailRow(Struct, frozen=True):
    """One label, and a writer for the lines beside it."""

    label: str
    lines: Callable[[int, Ink], Sequence[Line]]


def details(
    lineage: LineageStatus, now: datetime, *, look: str = "", order: OpenOrder | None = None, linear: bool = False
) -> Callable[[int, Ink], list[Line]]:
    """Return the writer of a Sheet.

    Args:
        look: the state of the live check, shown beside the services.
        order: its open order that waits for manual DNS records.
        linear: one column, whatever the width.
    """

    def write(width: int, ink: Ink) -> list[Line]:
        is_wide = width >= _SIDE_BY_SIDE and not linear
        lines = _headline(lineage, now, width, ink, order)
        trouble = _trouble(lineage, now, width, ink, order)
        if trouble:
            lines += [*trouble, []]
        elif not is_wide:
            lines.append([])
        fields = _identity(lineage), _circumstances(lineage, look)
        if is_wide:
            gap = 3
            left = (width - gap) // 2
            lines += _beside(_table(fields[0], left, ink), _table(fields[1], width - gap - left, ink), left, gap)
        else:
            first, second = fields
            lines += [*_table(first, width, ink), [], *_table(second, width, ink)]
        return lines

    return write


# -- what comes first --------------------------------------------------------------------------------------------------


def _headline(lineage: LineageStatus, now: datetime, width: int, ink: Ink, order: OpenOrder | None) -> list[Line]:
    if order is not None and not lineage.sha256:
        mark = MARKS["waits"]
        return [
            [
                (f"{mark.glyph} ", ink(mark.colour)),
                (mark.word, ink(mark.colour, bold=True)),
                (" · no certificate yet", ink("text-muted")),
            ]
        ]
    mark = MARKS[text.severity_of(lineage)]
    head: list[Part] = [
        (f"{mark.glyph} ", ink(mark.colour)),
        (text.days_left(lineage, now), ink(mark.colour, bold=True)),
    ]
    rest = text.renewal_shown(lineage, now)
    if length(head) + len(rest) + 3 <= width:
        return [[*head, (" · ", ink("text-muted")), (rest, ink("text-muted"))]]
    return [head, [("  ", BLANK), (rest, ink("text-muted"))]]


def _trouble(lineage: LineageStatus, now: datetime, width: int, ink: Ink, order: OpenOrder | None) -> list[Line]:
    lines: list[Line] = []
    if lineage.last_error is not None:
        lines += told_error({key: str(lineage.last_error.get(key, "")) for key in ("what", "why", "fix")}, width, ink)
        times = failure_times(lineage, now)
        lines += (
            [[(" " * _TOLD, BLANK), (line, ink("text-muted"))] for line in wrap(times, width - _TOLD)] if times else []
        )
    for reason in health(lineage).reasons:
        if reason.code not in _SHOWN_ELSEWHERE:
            glyph, role = ("✖", "severity-red") if reason.level == CRITICAL else ("▲", "severity-yellow")
            lines += _marked(glyph, role, printable(reason.text), width, ink)
    if lineage.waiting_version is not None:
        words = f"Version {lineage.waiting_version} is issued and waits: it could not be deployed. d tries again."
        lines += _marked("▲", "severity-yellow", words, width, ink)
    note = chain_note(lineage)
    if note:
        # The upload reported this too, and it is not an error: with a private CA it is correct.
        lines += _marked("·", "text-muted", f"No intermediate is sent: {note}.", width, ink)
    if order is not None:
        lines += _marked(MARKS["waits"].glyph, MARKS["waits"].colour, _waits(order, now), width, ink)
    elif lineage.open_order:
        words = (
            "An order is open. c continues it."
            if lineage.sha256
            else "Its order is open, and the next run continues it. c continues it now, del gives it up."
        )
        lines += _marked("◐", "severity-yellow", words, width, ink)
    return lines


def _waits(order: OpenOrder, now: datetime) -> str:
    words = f"Its order waits for {text.plural(len(order.records), 'DNS record')} that you set: Enter shows them."
    if order.expires is None:
        return words
    if order.expires <= now:
        return f"{words} It ended on {text.moment_in_words(order.expires)}."
    return f"{words} It is valid for {text.span((order.expires - now).total_seconds())}."


def told_error(error: dict[str, str], width: int, ink: Ink) -> list[Line]:
    """Return an error as lines (what, why, what to do), with the console's keys for the commands in it."""
    lines = _marked("✖", "severity-red", printable(error["what"]), width, ink, bold=True)
    keys = keys_for(error["fix"])
    for label, words in (("why", error["why"]), ("do", error["fix"]), *((("here", keys),) if keys else ())):
        for number, line in enumerate(wrap(printable(words), width - _TOLD)):
            lines.append(
                [(f"  {label if number == 0 else '':{_TOLD - 2}}", ink("text-muted")), (line, ink("foreground"))]
            )
    return lines


def _marked(glyph: str, role: str, words: str, width: int, ink: Ink, *, bold: bool = False) -> list[Line]:
    return [
        [(f"{glyph if number == 0 else ' '} ", ink(role)), (line, ink("foreground", bold=bold))]
        for number, line in enumerate(wrap(words, width - 2))
    ]


# -- the fields --------------------------------------------------------------------------------------------------------


def _identity(lineage: LineageStatus) -> list[DetailRow]:
    fields = [DetailRow("Names", lambda width, ink: _names(lineage.domains, width, ink))]
    if lineage.sha256:
        serial = paired(printable(lineage.serial))
        fields = [
            *_facts(lineage, "Subject", "Issuer"),
            *fields,
            DetailRow(
                "SHA-256",
                lambda width, ink: [[(line, ink("foreground"))] for line in grouped(lineage.sha256, 8, width)],
            ),
            DetailRow("Serial", lambda width, ink: [[(line, ink("foreground"))] for line in grouped(serial, 8, width)]),
        ]
    return fields


def _circumstances(lineage: LineageStatus, look: str) -> list[DetailRow]:
    fields = [DetailRow("Served by", lambda width, ink: _targets(lineage.targets, look, width, ink))]
    fields += _facts(lineage, "Valid from", "Valid to")
    fields.append(_words("Renewal", _renewal(lineage)))
    fields += _facts(lineage, "Fix")
    if lineage.sha256:
        fields += _facts(lineage, "Key", "Chain", "Self-signed")
    return [*fields, *_facts(lineage, "Method", "Profile"), _words("Version", _versions(lineage))]


def _versions(lineage: LineageStatus) -> str:
    if lineage.version is None:
        return "none is live"
    newer = f"; {lineage.newer_version} is newer and was rolled back: d offers it" if lineage.newer_version else ""
    return f"{lineage.version} is live{newer}"


def _facts(lineage: LineageStatus, *labels: str) -> list[DetailRow]:
    return [_words(label, value.replace("\n", " ")) for label, value in certificate_facts(lineage, *labels)]


def _renewal(lineage: LineageStatus) -> str:
    if text.is_manual(lineage) and lineage.not_before is not None and lineage.not_after is not None:
        due = due_at(lineage.not_before.timestamp(), lineage.not_after.timestamp())
        begins = lineage.renew_at or datetime.fromtimestamp(due, UTC)
        return f"manually: announced from {text.day(begins)} on, needed by {text.day(lineage.not_after)}. r starts it."
    if not lineage.auto_renew and lineage.renew_why != "by hand":
        return "off"
    return f"{_when(lineage)}{text.renewal_why(lineage)}"


def _when(lineage: LineageStatus) -> str:
    return f"{text.moment(lineage.renew_at)}, " if lineage.renew_at is not None else ""


def _words(label: str, words: str) -> DetailRow:
    return DetailRow(label, lambda width, ink: [[(line, ink("foreground"))] for line in wrap(words, width)])


def _names(domains: Sequence[str], width: int, ink: Ink) -> list[Line]:
    """Return every name on its own line; an internationalized name is followed by its encoded form."""
    if not domains:
        return [[("–", ink("text-muted"))]]
    lines: list[Line] = []
    for domain in domains[:_MOST_NAMES]:
        shown = text.name_shown(domain)
        parts: list[Part] = [(line, ink("foreground")) for line in wrap(shown, width)]
        lines += [[part] for part in parts]
        note = "IP address" if _is_address(domain) else printable(domain) if shown != domain else ""
        if note and length(lines[-1]) + len(note) + 2 <= width:
            lines[-1] = [*lines[-1], (f"  {note}", ink("text-muted"))]
        elif note and shown != domain:
            lines += [[(line, ink("text-muted"))] for line in wrap(note, width)]
    if len(domains) > _MOST_NAMES:
        lines.append([(f"and {len(domains) - _MOST_NAMES:,} more", ink("text-muted"))])
    return lines


def _is_address(domain: str) -> bool:
    try:
        ipaddress.ip_address(domain)
    except ValueError:
        return False
    return True


def _targets(targets: Sequence[TargetState], look: str, width: int, ink: Ink) -> list[Line]:
    if not targets:
        return [[(line, ink("text-muted"))] for line in wrap("no service; its files are in state/live", width)]
    lines: list[Line] = []
    for target in targets:
        mark, name = MARKS.get(target.state, MARKS["unknown"]), printable(target.name)
        word = look if look and target.state == "unknown" else printable(target.why) or mark.word
        head: list[Part] = [(f"{mark.glyph} ", ink(mark.colour)), (name, ink("foreground"))]
        if length(head) + width_of(word) + 2 <= width:
            lines.append([*head, (f"  {word}", ink(mark.colour))])
        else:
            lines += [head, *([("  ", BLANK), (line, ink(mark.colour))] for line in wrap(word, width - 2))]
    return lines


# -- columns -----------------------------------------------------------------------------------------------------------


def _table(fields: Sequence[DetailRow], width: int, ink: Ink) -> list[Line]:
    """Return labels and values, with the labels in their own column."""
    lines: list[Line] = []
    for field in fields:
        for number, line in enumerate(field.lines(width - _LABEL, ink)):
            lines.append([(fit(field.label if number == 0 else "", _LABEL), ink("text-muted")), *line])
    return lines


def _beside(left: Sequence[Line], right: Sequence[Line], width: int, gap: int) -> list[Line]:
    lines: list[Line] = []
    for number in range(max(len(left), len(right))):
        line = list(left[number]) if number < len(left) else []
        if number < len(right):
            line = [*line, (" " * (width + gap - length(line)), BLANK), *right[number]]
        lines.append(line)
    return lines
