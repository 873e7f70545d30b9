"""The panels of the upload screen: what was found, the results beside the comparison, and the services."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import CertdeckError
from core.operations import TargetInfo
from core.upload.values import UploadCheck
from tui.screens.upload.checklist import check_lines
from tui.screens.upload.compare import compare_lines
from tui.widgets.field import wrong
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, between, length, width_of
from tui.widgets.prose import marked
from tui.widgets.sheet import Writer
from tui.wording import text

_INVITATION = (
    "Paste the certificate, its chain and its key, all at once or one by one.",
    "Or type the path of a file; Tab completes it, Enter adds it.",
    "The content of a paste is not shown. Nothing is changed before you apply.",
)


def found_line(check: UploadCheck | CertdeckError | None, where: str, *, is_looking: bool) -> Writer:
    """Write what was recognized in the input. `where`: the origin of the input."""
    if is_looking:
        return lambda width, ink: marked("◐", "bar-used", "Checking …", width, ink, of="text-muted")
    if not isinstance(check, UploadCheck):
        return lambda width, ink: [[]]
    found = " · ".join(check.found) or "nothing usable"
    short = text.printable(where)

    def write(width: int, ink: Ink) -> list[Line]:
        left: Line = [("Found  ", ink("text-muted")), (text.printable(found), ink("foreground", bold=True))]
        whole = f"{short}, sorted" if check.is_reordered else short
        words = whole if length(left) + width_of(whole) + 2 <= width else short
        return [between(left, [(words, ink("text-muted"))], width)]

    return write


def checks_panel(check: UploadCheck | CertdeckError | None) -> Writer:
    """Write the result of each check, or why nothing was checked."""
    if isinstance(check, UploadCheck):
        return lambda width, ink: check_lines(check, width, ink)
    if check is not None:
        return lambda width, ink: wrong(check, width, ink)
    return lambda width, ink: [
        line for words in _INVITATION for line in marked("○", "text-muted", words, width, ink, of="text-muted")
    ]


def compare_panel(check: UploadCheck | CertdeckError | None) -> Writer:
    """Write the services' current certificate beside the new one."""
    if not isinstance(check, UploadCheck) or check.certificate is None:
        return lambda width, ink: marked("○", "text-muted", "The changes are shown here.", width, ink, of="text-muted")
    current, then = check.current, check.certificate
    return lambda width, ink: compare_lines(current, then, width, ink)


def services_words(chosen: Sequence[str], targets: Sequence[TargetInfo], called: str | None) -> tuple[str, str]:
    """Return the services that get it, with the certificate that each had before, and the hint beside them."""
    if not targets and not chosen:
        return "none is set up: it is only stored", ""
    others = {each.name: each.lineage for each in targets if each.lineage not in (None, called)}
    shown = [f"{each} (taken over from {others[each]})" if each in others else each for each in chosen]
    return ", ".join(shown) or "none: it is only stored", "Enter changes them"
