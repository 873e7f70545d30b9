"""The steps of an order's DNS records: written at their providers, seen at the name servers, removed again. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct, field

from core import events as told
from core.events import Event
from tui.glyphs import printable
from tui.widgets.step import RUNNING, Step


class RecordSteps(Struct):
    """One step for each of the three, once something was reported about it."""

    written: Step | None = None
    seen: Step | None = None
    removed: Step | None = None
    _written_by: Counter[str] = field(default_factory=Counter)
    _removed_by: Counter[str] = field(default_factory=Counter)
    _looks: dict[str, told.PropagationChecked] = field(default_factory=dict)

    def read(self, event: Event, at: datetime, before: datetime) -> None:
        match event:
            case told.RecordAdded():
                self._written_by[event.provider] += 1
                self.written = self.written or Step("Records written", began=before)
                self.written.end(at, _by_provider(self._written_by))
            case told.RecordRemoved():
                self._removed_by[event.provider] += 1
                self.removed = self.removed or Step("Records removed", began=before)
                self.removed.end(at, _by_provider(self._removed_by))
            case told.PropagationChecked():
                self._looks[event.name] = event
                self.seen = self.seen or Step("Name servers", began=before)
                self.seen.start(at, _seen(list(self._looks.values())))

    def answered(self, at: datetime) -> None:
        """End the wait when a challenge is answered: the records have been seen."""
        if self.seen is not None and self.seen.state == RUNNING:
            self.seen.end(at)


def _by_provider(counts: Counter[str]) -> str:
    """Return `2 at cloudflare, 1 at desec`."""
    return ", ".join(f"{count} at {printable(name)}" for name, count in counts.items())


def _seen(looks: Sequence[told.PropagationChecked]) -> str:
    """Return how many name servers have it, or how many of several names are visible everywhere, and which are missing."""
    missing = list(dict.fromkeys(printable(each.partition(" ")[0]) for look in looks for each in look.missing))
    who = f"{missing[0]}{f' and {len(missing) - 1} more' if len(missing) > 1 else ''} not yet" if missing else ""
    if len(looks) == 1:
        count = f"{looks[0].seen} of {looks[0].of}"
        return f"{count}; {who}" if who else f"{count} have it"
    count = f"{sum(look.seen == look.of for look in looks)} of {len(looks)} names"
    return f"{who}; {count}" if who else f"{count} visible everywhere"
