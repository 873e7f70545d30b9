"""The summary of a new certificate below a headline, for every screen that ends with one."""

from __future__ import annotations

from core.operations import LineageStatus
from tui.widgets.ink import Ink
from tui.widgets.lines import Line, grouped
from tui.widgets.prose import facts, marked
from tui.wording.facts import certificate_facts

_LABEL = 12
_MOST_NAMES = 20


def result_lines(status: LineageStatus, headline: str, width: int, ink: Ink) -> list[Line]:
    """Return the headline and the facts that users compare or look up first."""
    rows = certificate_facts(status, "Names", "Issuer", "Valid to", "SHA-256", "Served by")
    if len(status.domains) > _MOST_NAMES:
        more = f" and {len(status.domains) - _MOST_NAMES:,} more"
        rows[0] = rows[0]._replace(value=", ".join(rows[0].value.split(", ")[:_MOST_NAMES]) + more)
    shown = [
        (label, "\n".join(grouped(value, 8, width - _LABEL)) if label == "SHA-256" else value) for label, value in rows
    ]
    return [
        *marked("✔", "severity-green", headline, width, ink, bold=True),
        [],
        *facts(shown, width, ink, label=_LABEL),
    ]
