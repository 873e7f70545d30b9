"""Automatic renewal: whether the timer is active, its times, turning it on and off, and running it now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult

from core.errors import CertdeckError, UsageError
from core.operations import ScheduleInfo
from tui.actions import bindings, of_scope
from tui.screens.form import FormPage
from tui.screens.operations import run_now
from tui.screens.tasks import Task, TasksPage
from tui.widgets.field import Field
from tui.wording import text
from tui.wording.timer import delay_shown, run_in_words

_PRESETS: Final = (
    ("twice-daily", "Twice a day", "every day at 03:00 and 15:00"),
    ("daily", "Daily", "every day at 03:00"),
    ("weekly", "Weekly", "Sundays at 23:30"),
)
_BY: Final = {"systemd": "a systemd timer", "cron": "cron (/etc/cron.d/certdeck)", "crontab": "this user's crontab"}


class ScheduleScreen(TasksPage):
    """The timer: presets, custom times, off, run now."""

    SCOPE = "schedule"
    BINDINGS: ClassVar = bindings(of_scope("schedule", "page"))
    HELP_TEXT = (
        "Certificates are renewed by a scheduled run. Here you turn it on or off and choose its times. ● marks the "
        "current setting.\n\n"
        "The box uses a systemd timer, or cron if systemd is not available. Times are local. A schedule that is too "
        "rare for a certificate is refused, with the reason. Run now does the same as the timer."
    )
    LIST_TITLE = "Automatic renewal"
    page_title = "Schedule"

    def tasks(self) -> Sequence[Task]:
        info = self.engine.schedule()
        is_on = info.timer.state in ("on", "dead")
        told = _told(info, self)
        tasks = [
            Task(
                id=f"preset-{preset}",
                title=title,
                state=words,
                is_on=is_on and info.preset == preset,
                words=(*told, f"Enter renews certificates automatically {words}, at a random moment within the hour."),
            )
            for preset, title, words in _PRESETS
        ]
        own = info.words if is_on and info.preset == "custom" else "times that you choose"
        tasks += [
            Task(
                id="own",
                title="Own times",
                state=own,
                is_on=is_on and info.preset == "custom",
                words=(*told, "Enter asks for one or more times of day."),
            ),
            Task(
                id="off",
                title="Off",
                state="nothing renews automatically",
                is_on=info.timer.state == "off",
                words=(*told, "Enter removes the timer. Certificates expire unless you renew them."),
            ),
            Task(
                id="now",
                title="Run now",
                state=_last(info, self),
                words=(*told, "Enter starts the scheduled run: it renews and deploys what is due, and nothing else."),
            ),
        ]
        return tasks

    def do(self, task: Task) -> None:
        if task.id == "now":
            run_now(self.deck)
        elif task.id == "own":
            self.open_form(TimesForm())
        elif task.id == "off":
            self.ask_yes(
                "Turn automatic renewal off?",
                "The timer is removed. No certificate of this box is renewed until you renew it yourself.",
                "Turn off",
                lambda: self._set("off", None),
                danger=True,
            )
        else:
            self._set(task.id, task.id.removeprefix("preset-"))

    def _set(self, id: str, preset: str | None) -> None:
        self.told.clear()
        if preset is None:
            self.run(id, "Removing the timer", self.engine.unschedule, lambda answer: "Automatic renewal is off.")
        else:
            self.run(id, "Setting the timer", lambda: self.engine.set_schedule(preset=preset), _said)


class TimesForm(FormPage):
    """Asks for times of day."""

    page_title = "Own times"
    intro = "The times of the scheduled run, in local time."

    def fields(self) -> ComposeResult:
        yield Field("Times", hint="e.g. 04:00 16:00", check=_wrong_times, id="times")

    def save(self) -> None:
        times = _times(self.value("times"))
        self.keep(lambda: self.engine.set_schedule(at=times), f"Certificates renew daily at {', '.join(times)}.")


def _times(value: str) -> tuple[str, ...]:
    return tuple(value.replace(",", " ").split())


def _wrong_times(value: str) -> CertdeckError | None:
    times = _times(value)
    if times and all(re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", each) for each in times):
        return None
    return UsageError("This is not a time of day.", "A time is hours and minutes.", "Write, for example, 04:00 16:00.")


def _said(answer: object) -> str:
    words = answer.words if isinstance(answer, ScheduleInfo) else ""
    return f"Certificates renew automatically {words}.".replace(" .", ".")


def _last(info: ScheduleInfo, page: TasksPage) -> str:
    if info.timer.last_run is None:
        return "has never run"
    outcome = "failed" if info.timer.last_outcome == "failed" else "succeeded"
    return f"last run {text.ago(info.timer.last_run, page.deck.now())}, {outcome}"


def _told(info: ScheduleInfo, page: TasksPage) -> tuple[str, ...]:
    """Return the state of the timer, in paragraphs."""
    now, timer = page.deck.now(), info.timer
    how = (
        f"Renewal runs {info.words}{delay_shown(info.random_delay)}, with {_BY[info.how]}."
        if info.how in _BY
        else "No timer is set."
    )
    if timer.next_run is not None:
        how += f" The next run is on {run_in_words(timer)}, {text.until(timer.next_run, now)}."
    told = [how]
    if timer.trouble:
        told.append(f"▲ {timer.trouble}")
    if timer.last_error:
        told.append(f"✖ The last run failed: {timer.last_error}")
    told += [f"▲ {each.what} {each.fix}".rstrip() for each in info.warnings]
    return tuple(told)
