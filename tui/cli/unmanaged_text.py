"""Text about services with a certificate that certdeck does not manage, for `status` and for monitoring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tui.cli.tables import table
from tui.glyphs import printable
from tui.wording import text

if TYPE_CHECKING:
    from core.lineage_status import Unmanaged
    from tui.cli.output import Stream


def unmanaged_lines(found: Sequence[Unmanaged], stream: Stream) -> Iterator[str]:
    """Yield the services, ordered by the end of their certificates. Empty: there are none."""
    if not found:
        return
    yield ""
    yield stream.painted("Not managed by certdeck; take them over with `certdeck target detect`:", "dim")
    rows = [
        [
            text.MARKS[each.severity].glyph,
            printable(each.title),
            printable(each.address),
            printable(each.subject),
            text.days_shown(each.days_left),
        ]
        for each in found
    ]
    yield from list(table(["", "SERVICE", "ADDRESS", "CERTIFICATE", "LEFT"], rows))[1:]


def unmanaged_told(found: Sequence[Unmanaged]) -> Iterator[str]:
    """Yield the parts of the monitoring line: `Postfix on smtp://127.0.0.1:25: 3 days left, not managed`."""
    for each in found:
        left = "expired" if each.days_left < 0 else f"{text.days_shown(each.days_left)} left"
        yield f"{printable(each.title)} on {printable(each.address)}: {left}, not managed"
