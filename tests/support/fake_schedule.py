"""The part of the engine's double that the scheduled run goes to: `timer` says how it does, `timetable` when it comes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from core.engine import ignore
from core.events import Reporter
from core.lineage_status import TimerState
from core.operations import ScheduleInfo
from core.renewal_report import Notice
from core.schedule.timetable import DAYS, TWICE_DAILY, Timetable, timetable_for
from tests.support.lineages import NEXT_RUN


class FakeSchedule:
    """Mixed into FakeEngine. Refuses what is no preset and no time of the day, as the real one."""

    timetable: Timetable = TWICE_DAILY
    warnings: tuple[Notice, ...] = ()

    if TYPE_CHECKING:
        timer: TimerState

        def _called(self, method: str, **given: Any) -> None: ...
        def touch(self) -> None: ...

    def set_theme(self, name: str, *, report: Reporter = ignore) -> None:
        self._called("set_theme", name=name)
        host: Any = self
        host.settings = replace(host.settings, appliance=replace(host.settings.appliance, theme=name))
        self.touch()

    def schedule(self) -> ScheduleInfo:
        self._called("schedule")
        table = self.timetable
        return ScheduleInfo(
            timer=self.timer,
            how="" if self.timer.state == "off" else "systemd",
            preset=table.preset,
            times=table.clock_times,
            weekday=None if table.weekday is None else DAYS[table.weekday],
            random_delay=timedelta(hours=1),
            words=table.words,
            warnings=self.warnings,
        )

    def set_schedule(
        self, *, preset: str | None = None, at: Sequence[str] = (), report: Reporter = ignore
    ) -> ScheduleInfo:
        self._called("set_schedule", preset=preset, at=tuple(at))
        if preset is not None or at:
            self.timetable = timetable_for(preset, at)
        self.timer = replace(self.timer, state="on", next_run=NEXT_RUN, trouble="")
        self.touch()
        return self.schedule()

    def unschedule(self, *, report: Reporter = ignore) -> ScheduleInfo:
        self._called("unschedule")
        self.timer = replace(self.timer, state="off", next_run=None, trouble="")
        self.touch()
        return self.schedule()
