"""Remembers an idle scheduled run, so that the next one can repeat its result without reading anything. Idle means: no work, no
warnings, nothing that waits.

The signature is taken before anything is read, so that changes in between are noticed. If a file changed so recently that another
change could get the same change time, by the clock of the file system, the run is not remembered.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from core.clock import COMPARED_FOR_SECONDS
from core.idle.memo import Memo, written
from core.idle.signature import FINEST_NANOSECONDS, Places, look, look_at
from core.regular import read_stored
from core.renewal_report import RenewalReport, next_renewal
from core.store import web
from core.store.atomic import TemporaryFile
from core.store.copies import KEPT_FOR, list_deleted
from core.store.index import Facts
from core.targets.paths import paths_of
from core.workflows.context import View
from core.workflows.renewing.due import unchanged_until

if TYPE_CHECKING:
    from core.paths import Paths

_LONGEST_SECONDS = timedelta(days=3).total_seconds()
_FOLDERS_TO_BE_EMPTY = ("orders", "transactions", "dns_records")


class Watch:
    """Watches one scheduled run: the files that it read, and whether the next run may repeat its result."""

    def __init__(self, view: View, file: TemporaryFile, in_json: Callable[[RenewalReport], str]) -> None:
        """Take the signature of settings and state.

        Args:
            file: temporary file of the memo, created before the configuration was read.
            in_json: returns the `--json` output for a report.
        """
        paths = view.paths
        self._view = view
        self._file = file
        self._in_json = in_json
        self._places = Places(str(paths.etc), str(paths.state), str(paths.run))
        self._begun = view.env.clock.now().timestamp()
        self._files: list[str] = []
        self._seen: tuple[int, int] | None = None
        with suppress(OSError):
            self._seen = look(self._places)

    def services(self, every: Sequence[Facts]) -> None:
        """Add the services' files to the signature, before they are compared with the live versions."""
        configured = self._view.config.targets
        for facts in every:
            if facts.targets:
                self._files.append(str(self._view.paths.live / facts.name / "fullchain.pem"))
                for name in facts.targets:
                    if name in configured:
                        self._files += [str(path) for path, _ in paths_of(configured[name])]
        if self._seen is not None:
            try:
                self._seen = look_at(self._files, *self._seen)
            except OSError:
                self._seen = None

    def ended(self, report: RenewalReport, every: Sequence[Facts]) -> None:
        """Remember the run if the next one can repeat it. Never raises: a run that is not remembered is done again."""
        is_idle = bool(report.skipped) and not (
            report.renewed
            or report.failed
            or report.due
            or report.warnings
            or any(e.needs_you or e.is_held for e in report.skipped)
        )
        if self._seen is None or not is_idle or self._seen[1] > self._file.changed_at - FINEST_NANOSECONDS:
            return
        until = self._until(every)
        clock = _clock(self._view.paths)
        if until is None or clock is None:
            return
        name, at = next_renewal(report) or ("", None)
        memo = Memo(
            seen=self._seen[0],
            files=self._files,
            valid_from=self._begun,
            valid_until=until,
            clock=clock[0],
            next_name=name,
            next_at=0.0 if at is None else at.timestamp(),
            pause=_longest_pause(self._view.paths),
            json=self._in_json(report),
        )
        memo.valid_until = min(until, clock[1])
        with suppress(ValueError):
            self._file.keep(written(memo, self._places, os.getuid()))

    def _until(self, every: Sequence[Facts]) -> float | None:
        """Return until when the result is valid if only the time changes, in epoch seconds. None: it is not repeatable."""
        paths, config, now = self._view.paths, self._view.config, self._begun
        if any(_has_something(getattr(paths, folder)) for folder in _FOLDERS_TO_BE_EMPTY):
            return None
        moments = [now + _LONGEST_SECONDS]
        for copy in list_deleted(paths):
            if copy.at.timestamp() > now:
                return None
            moments.append((copy.at + KEPT_FOR).timestamp())
        for name in web.names(paths):
            applied = web.load(paths, name)
            if applied is not None and applied.next_at is not None:
                moments.append(applied.next_at.timestamp())
        if any(facts.may_be_asked for facts in every):
            from core.workflows.renewing.revocation import asked_again_at

            asked_again = asked_again_at(self._view, every, now)
            moments += [] if asked_again is None else [asked_again]
        for facts in every:
            moment = unchanged_until(facts, config, now)
            if moment is None:
                return None
            moments.append(moment)
        return min(moments)


def _longest_pause(paths: Paths) -> float:
    """Return after how many seconds without a run the next one counts as missed. 0: no run is expected."""
    if not paths.schedule.exists():
        return 0.0
    from core.schedule.record import OFF, load

    record = load(paths)
    if record is None or record.how == OFF:
        return 0.0
    return record.actual.missed_after.total_seconds()


def _has_something(folder: os.PathLike[str]) -> bool:
    try:
        return any(not name.startswith(".") for name in os.listdir(folder))
    except OSError:
        return False


def _clock(paths: Paths) -> tuple[str, float] | None:
    """Return the clock's record without its first time, and until when it stays valid, in epoch seconds. None: in any doubt."""
    from core.store.clock_record import load

    record = load(paths)
    if record is None or record.since is not None or abs(record.offset or 0.0) >= 600:
        return None
    with suppress(OSError, ValueError):
        text = read_stored(paths.clock).decode("ascii")
        begin, found, rest = text.partition(",\n")
        found, _, rest = rest.partition(",\n")  # past the number of the format
        until = float("inf") if record.compared is None else record.compared + COMPARED_FOR_SECONDS
        if found == f' "at": {record.at!r}' and begin:
            return f",\n{rest}", until
    return None
