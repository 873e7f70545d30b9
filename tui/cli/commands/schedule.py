"""`certdeck schedule …`: the timer of automatic renewals, and its state (ST-27, ST-28, ST-31, SO-35)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.cli import exits
from tui.cli.commands.renew import COMMANDS as RENEW
from tui.cli.jsonout import rfc3339, timer_json
from tui.cli.parser import Command
from tui.cli.tables import labelled
from tui.glyphs import printable
from tui.wording import text
from tui.wording.timer import delay_shown, run_at

if TYPE_CHECKING:
    from datetime import datetime

    from core.operations import ScheduleInfo
    from tui.cli.call import Call
    from tui.cli.output import Stream

_BY = {
    "systemd": "by systemd (certdeck-renewal.timer)",
    "cron": "by cron (/etc/cron.d/certdeck)",
    "crontab": "by cron (crontab of this user)",
}
_COLOURS = {"on": "green", "off": "yellow", "dead": "red", "unknown": "yellow"}


def _on_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--preset",
        metavar="P",
        help="twice-daily (03:00 and 15:00), daily (03:00) or weekly (Sunday 23:30); default: unchanged, or twice-daily",
    )
    parser.add_argument(
        "--at", nargs="+", action="extend", default=[], metavar="HH:MM", help="local times of day instead"
    )


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(names=[], force=False, dry_run=False)


def _show(call: Call) -> int:
    return _told(call, call.engine.schedule())


def _on(call: Call) -> int:
    with call.working() as report:
        info = call.engine.set_schedule(preset=call.args.preset, at=call.args.at, report=report)
    return _told(call, info)


def _off(call: Call) -> int:
    with call.working() as report:
        info = call.engine.unschedule(report=report)
    return _told(call, info)


def _told(call: Call, info: ScheduleInfo) -> int:
    now = call.engine.env.clock.now()
    call.result(_json(info), _lines(info, now, call.output.out))
    return exits.DONE


def _json(info: ScheduleInfo) -> dict[str, object]:
    timer = info.timer
    return {
        "state": timer.state,
        "timer": timer_json(timer),
        "how": info.how or None,
        "preset": info.preset,
        "times": list(info.times),
        "weekday": info.weekday,
        "next_run": None if timer.next_run is None else rfc3339(timer.next_run),
        "next_run_by": None if timer.next_run_by is None else rfc3339(timer.next_run_by),
        "last_run": None if timer.last_run is None else rfc3339(timer.last_run),
        "last_outcome": timer.last_outcome or None,
        "last_error": timer.last_error or None,
        "trouble": timer.trouble or None,
        "warnings": [{"code": each.code, "what": each.what, "fix": each.fix} for each in info.warnings],
    }


def _lines(info: ScheduleInfo, now: datetime, stream: Stream) -> Iterator[str]:
    timer = info.timer
    word = "not set" if timer.word == "absent" else timer.state
    state = stream.painted(word, _COLOURS[timer.state])
    yield f"certdeck certificate renewal: {f'{state}, {_BY[info.how]}' if info.how else state}"
    pairs = []
    if timer.trouble:
        pairs.append(("Trouble", printable(timer.trouble)))
    if info.how:
        pairs.append(("Comes", f"{info.words}{delay_shown(info.random_delay)}, and after a boot"))
    if timer.next_run is not None:
        pairs.append(("Next run", f"{run_at(timer)}, {text.until(timer.next_run, now)}"))
    pairs.append(("Last run", _last_run(info, now)))
    if timer.last_error:
        pairs.append(("Last error", printable(timer.last_error)))
    pairs += [("Too rare", printable(f"{each.what} {each.fix}".rstrip())) for each in info.warnings]
    if timer.state != "on":
        pairs.append(("Turn on", "certdeck schedule on"))
    yield from labelled(pairs)


def _last_run(info: ScheduleInfo, now: datetime) -> str:
    timer = info.timer
    if timer.last_run is None:
        return "never"
    return f"{text.moment(timer.last_run)}, {text.ago(timer.last_run, now)}: {printable(timer.last_outcome)}"


COMMANDS = (
    Command(words="schedule show", run=_show, examples=("schedule", "schedule show --json")),
    Command(
        words="schedule on",
        arguments=_on_arguments,
        run=_on,
        examples=(
            "schedule on                      # 03:00 and 15:00, or the previous times",
            "schedule on --preset daily",
            "schedule on --at 04:00 12:00 20:00",
        ),
        notes="Uses a systemd timer, or cron if systemd is not available. Refused if a certificate's lifetime is too short for it.",
    ),
    Command(
        words="schedule off",
        run=_off,
        examples=("schedule off",),
        notes="Removes only what `schedule on` has written.",
    ),
    Command(
        words="schedule run",
        arguments=_run_arguments,
        run=RENEW[0].run,
        examples=("schedule run",),
        notes="The same as `certdeck --renew`.",
    ),
)
