"""The checks of an upload as lines, and whether it may be applied. Pure."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from core.errors import CertdeckError
from core.upload.values import CheckResult, UploadCheck
from tui.action import BUSY
from tui.widgets.ink import Ink
from tui.widgets.lines import BLANK, Line, cut, fit, width_of, wrap
from tui.widgets.prose import marked
from tui.wording.text import MARKS, plural, printable

_SHORT: Final = {
    "parse": "Readable",
    "key-match": "Key matches",
    "wildcard-bare": "Wildcard",
    "distrusted": "CA trust",
    "not-ca": "Not a CA",
}
"""Short titles for narrow panels; the other titles are short already."""
_WIDE: Final = 58
"""From this width on a passed check shows its full title and its word."""


class Standing(Struct, frozen=True):
    """Whether it may be applied, and why, in a sentence or two."""

    allowed: bool
    sign: str
    role: str
    words: str
    overridable: bool = False
    """It is refused, but the user may override this."""


def check_lines(check: UploadCheck, width: int, ink: Ink) -> list[Line]:
    """Return the failed checks, then the warnings, each with what to do; then the passed and the skipped checks."""
    loud = [*check.failures, *check.warnings]
    passed = [each for each in check.checks if each.status == "pass"]
    skipped = [each for each in check.checks if each.status == "skip"]
    lines: list[Line] = []
    for each in loud:
        lines += _loud(each, width, ink)
    wide = width >= _WIDE
    titles = {each.id: each.title if wide else _SHORT.get(each.id, each.title) for each in passed}
    column = max((width_of(title) for title in titles.values()), default=0)
    mark = MARKS["pass"]
    head = f"{mark.glyph} {mark.word}  " if wide else f"{mark.glyph} "
    for each in passed:
        detail = printable(each.detail)
        detail = detail[:-1] if detail.count(".") == 1 and detail.endswith(".") else detail
        room = width - width_of(head) - column - 2
        title = fit(printable(titles[each.id]), column)
        lines.append(
            [
                (head, ink(mark.colour)),
                (title, ink("foreground")),
                ("  ", BLANK),
                (cut(detail, room), ink("text-muted")),
            ]
        )
    if skipped and passed:
        mark = MARKS["skip"]
        names = ", ".join(_SHORT.get(each.id, each.title) for each in skipped)
        lines += marked(mark.glyph, mark.colour, f"{mark.word}: {names}", width, ink, of="text-muted")
    for note in check.notes:
        lines += marked("·", "key", note, width, ink, of="text-muted")
    return lines


def _loud(each: CheckResult, width: int, ink: Ink) -> list[Line]:
    """Return a failed check or a warning: sign, word and title, then its full text, then what to do."""
    mark = MARKS["warn" if each.forced else each.status]
    head = f"{mark.glyph} {mark.word}  "
    title = printable(_SHORT.get(each.id, each.title) if width < _WIDE else each.title)
    lines: list[Line] = [
        [(head, ink(mark.colour, bold=True)), (cut(title, width - width_of(head)), ink("foreground", bold=True))]
    ]
    for words in wrap(printable(each.detail), width - 2):
        lines.append([("  ", BLANK), (words, ink(mark.colour))])
    if each.fix:
        lines += [[("  ", BLANK), *line] for line in marked("→", "key", each.fix, width - 2, ink, of="text-muted")]
    return lines


def counts(check: UploadCheck) -> str:
    """Return a summary such as `11 passed · 1 warning`, for the frame."""
    passed = sum(each.status == "pass" for each in check.checks)
    parts = [f"{len(check.failures)} failed" if check.failures else ""]
    parts += [plural(len(check.warnings), "warning") if check.warnings else "", f"{passed} passed" if passed else ""]
    return " · ".join(part for part in parts if part)


def standing(check: UploadCheck | CertdeckError | None, *, fault: str = "", busy: bool = False) -> Standing:
    """Return whether it may be applied. `fault`: another problem, e.g. with the name; `busy`: an operation is running."""
    if check is None:
        words = "PEM, DER, PFX or PKCS#7; certificate, chain and key in any order, in one paste or in several files."
        return Standing(False, "○", "text-muted", words)
    if isinstance(check, CertdeckError):
        return Standing(False, "✖", "severity-red", f"Apply is off. {check.what} {check.why} {check.fix}")
    if check.passphrase:
        return Standing(False, "✖", "severity-red", "Apply is off: it is protected by a passphrase. ^t asks for it.")
    if not check.accepted:
        failed = check.failures
        first = failed[0].detail if failed else "It was not accepted."
        if check.can_be_forced and not fault and not busy:
            words = f"{plural(len(failed), 'check')} failed: {first} Apply asks whether to use it anyway."
            return Standing(False, "✖", "severity-red", words, overridable=True)
        words = f"Apply is off: {plural(len(failed), 'check')} failed. {first}"
        return Standing(False, "✖", "severity-red", words)
    if fault:
        return Standing(False, "✖", "severity-red", f"Apply is off: {fault}")
    if busy:
        return Standing(False, "◐", "text-muted", f"Apply is off. {BUSY}")
    how = "Apply: keep the old pair, test, reload, check; roll back if anything is wrong."
    if check.warnings:
        return Standing(
            True, "▲", "severity-yellow", f"{plural(len(check.warnings), 'warning')}. Apply is allowed. {how}"
        )
    return Standing(True, "✔", "severity-green", how)
