"""The result of `schedule on` and `schedule off`, in one small file, which is all that the daily health check has to read."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, cast

from msgspec import Struct

from core.paths import Paths
from core.regular import read_stored
from core.schedule.timetable import Timetable

SYSTEMD = "systemd"
CRON = "cron"
"""A file in /etc/cron.d."""
CRONTAB = "crontab"
"""Lines in the crontab of the user."""
PACKAGE = "package"
"""The timer of the Debian package; its installation writes the record."""
OFF = "off"


class ScheduleRecord(Struct, frozen=True, kw_only=True):
    """What was installed to start the scheduled run."""

    how: str
    """`systemd`, `cron`, `crontab`, `package`; `off` after it was disabled."""
    since: datetime
    """When it was last enabled, changed, or disabled."""
    timetable: Timetable
    """As requested; kept when it is disabled, for the next time."""
    delay_minutes: int = 0
    """Chosen once for cron, which has no random delay."""
    program: str = ""
    files: tuple[Path, ...] = ()
    """All of them must exist for the schedule to be on."""

    @property
    def random_delay(self) -> timedelta:
        """How much later than its time a run can start: systemd delays each run at random, cron does not."""
        return self.timetable.random_delay if self.how in (SYSTEMD, PACKAGE) else timedelta()

    @property
    def actual(self) -> Timetable:
        """The effective times of the runs."""
        return self.timetable if self.how in (SYSTEMD, PACKAGE) else self.timetable.later_by(self.delay_minutes)


def save(paths: Paths, record: ScheduleRecord) -> None:
    """Write the record atomically. Raises StoreError."""
    from core.store.atomic import make_dir
    from core.store.records import dumped, write_record

    make_dir(paths.schedule.parent)
    value = {
        "how": record.how,
        "since": record.since.isoformat(),
        "times": record.timetable.clock_times,
        "weekday": record.timetable.weekday,
        "delay_minutes": record.delay_minutes,
        "program": record.program,
        "files": [str(each) for each in record.files],
    }
    write_record(paths.schedule, dumped(value))


def load(paths: Paths) -> ScheduleRecord | None:
    """Return the record; None if there is none or it cannot be read. Raises StoreTooNew (`store-too-new`)."""
    from core.store.records import parsed

    try:
        raw = cast("dict[str, Any]", parsed(read_stored(paths.schedule), paths.schedule))
        times = tuple(time.fromisoformat(each) for each in raw["times"])
        found = ScheduleRecord(
            how=str(raw["how"]),
            since=datetime.fromisoformat(raw["since"]),
            timetable=Timetable(times, raw["weekday"]),
            delay_minutes=int(raw["delay_minutes"]),
            program=str(raw["program"]),
            files=tuple(Path(each) for each in raw["files"]),
        )
        found.since.astimezone()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if times and found.how in (SYSTEMD, CRON, CRONTAB, PACKAGE, OFF) else None
