"""Reports a renewal run: notifications, metrics, the ping.

It starts when the work is done and the lock is released, takes at most half a minute, and does not change the result of the run: a
failure becomes a warning and a row in the log. Code that sends is loaded only if there is something to send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.errors import Cancelled, CertdeckError, LockHeld
from core.lineage_status import TimerState
from core.notify import conditions
from core.notify.conditions import Condition
from core.notify.quiet import holds
from core.notify.told import ChannelState, Decision, decide
from core.renewal_report import Notice, RenewalReport, RenewRequest
from core.schedule.record import OFF
from core.schedule.record import load as load_schedule
from core.store import notified
from core.store.index import Facts
from core.workflows.context import View
from core.workflows.renewing import last_run
from core.workflows.renewing.due import believable
from core.workflows.renewing.next_renewal import next_renewal
from core.workflows.renewing.timer import timer
from core.workflows.telling.missed import missed_since, write_row

if TYPE_CHECKING:
    from datetime import datetime

    from core.events import Event, Report, Reporter
    from core.notify.of_fleet import OfFleet
    from core.ports import CancelToken
    from core.store.history import History


class Aftermath:
    """The reporting of one run. `listen` replaces the reporter; `ended` receives the result."""

    def __init__(
        self,
        view: View,
        report: Reporter,
        history: Callable[[], AbstractContextManager[History]],
        cancel: CancelToken | None,
        *,
        request: RenewRequest,
        damage: CertdeckError | None = None,
        fleet: Callable[[], OfFleet] | None = None,
    ) -> None:
        """Store what reporting needs.

        Args:
            request: the request of the run.
            damage: the failure of the check after an update. None: it passed.
            fleet: reads the state of the fleet. None: the box is not in a fleet.
        """
        self._view = view
        self._report = report
        self._history = history
        self._cancel = cancel
        self._is_scheduled = request.is_scheduled
        self._names = frozenset(request.names)
        self._damage = damage
        self._fleet = fleet
        self._heard: list[Report] = []

    def listen(self, told: Report) -> None:
        """Store the events that messages need, and pass every event on."""
        from core.events import TargetRolledBack

        if isinstance(told.event, TargetRolledBack):
            self._heard.append(told)
        self._report(told)

    def ended(self, outcome: RenewalReport, every: Sequence[Facts]) -> RenewalReport:
        """Report a completed run. Returns its report with warnings about failed messages added. Never raises."""
        try:
            notices = self._after(outcome, every)
        except Exception as exc:  # noqa: BLE001 - a bug in reporting must not hide the result of the run
            from core.workflows.settings.notifications import unforeseen

            notices = [self._notice(unforeseen("of this run", exc))]
        return replace(outcome, warnings=(*outcome.warnings, *notices)) if notices else outcome

    def _after(self, outcome: RenewalReport, every: Sequence[Facts]) -> list[Notice]:
        now = self._view.env.clock.now()
        known = timer(self._view, now)
        notices: list[Notice] = []
        if self._view.config.metrics.file and not self._names:
            notices += self._write_metrics(every, outcome, now, known)
        trouble = "" if known.word == "active" or self._names or not every else known.word
        named: frozenset[str] = frozenset()
        further: Mapping[str, Condition] = {}
        if self._fleet is not None and self._view.config.notifications:
            of_fleet = self._fleet()
            named, further = of_fleet.names, of_fleet.conditions
        own = replace(outcome, failed=tuple(each for each in outcome.failed if each.name not in named))
        found = conditions.standing(every, own, now, self._next_try, timer=trouble, timer_trouble=known.trouble)
        found.update(further)
        if self._damage is not None:
            notices.append(self._notice(self._damage))
            found[conditions.UPDATE] = conditions.of_update(self._damage)
        if self._is_scheduled and (missed := self._missed(now)) is not None:
            found[missed.key] = missed
        return notices + self._tell(found, every, outcome, now, is_failed=bool(outcome.failed), named=named)

    @contextmanager
    def of_failures(self) -> Iterator[None]:
        """Report a scheduled run that raises. A lock held by another process, or a cancellation, is not a failure."""
        try:
            yield
        except CertdeckError as exc:
            if self._is_scheduled and not isinstance(exc, (Cancelled, LockHeld)):
                broken = conditions.of_broken_run(exc)
                with suppress(Exception):
                    self._tell({broken.key: broken}, None, RenewalReport(), self._view.env.clock.now(), is_failed=True)
            raise

    def _next_try(self, facts: Facts) -> datetime | None:
        now = self._view.env.clock.now().timestamp()
        return next_renewal(self._view.config, believable(facts, now), now)[0]

    # -- what there is to tell -----------------------------------------------------------------------------------------

    def _missed(self, now: datetime) -> Condition | None:
        last = last_run.read(self._view.paths)
        return None if last is None else missed_since(self._view.paths, last.before, now)

    def _tell(
        self,
        found: Mapping[str, Condition],
        every: Sequence[Facts] | None,
        outcome: RenewalReport,
        now: datetime,
        *,
        is_failed: bool,
        named: frozenset[str] = frozenset(),
    ) -> list[Notice]:
        """Send the messages, record who got them, and return the failures as notices. `every`: None if the run failed early."""
        try:
            before = notified.load(self._view.paths)
        except CertdeckError as exc:
            return [self._notice(exc)]
        decisions = self._decisions(before, found, every or (), outcome, now, named, is_broken=every is None)
        sending = {name: each for name, each in decisions.items() if each.items}
        if self._cancel is not None and self._cancel.is_cancelled:
            sending = {}
        ping = self._view.config.schedule.ping_url if self._is_scheduled else None
        results: Mapping[str, str | CertdeckError] = {}
        if sending or ping:
            from core.workflows.telling.telling import send_all

            results = send_all(self._view, sending, ping if ping is None else (ping, is_failed), now, self._record)
        after = {
            name: each.if_sent if not each.items or isinstance(results.get(name), str) else each.if_not
            for name, each in decisions.items()
        }
        notices = [self._notice(each) for each in results.values() if isinstance(each, CertdeckError)]
        if after != before:
            try:
                notified.save(self._view.paths, after)
            except CertdeckError as exc:
                notices.append(self._notice(exc))
        return notices

    def _decisions(
        self,
        before: Mapping[str, ChannelState],
        found: Mapping[str, Condition],
        every: Sequence[Facts],
        outcome: RenewalReport,
        now: datetime,
        named: frozenset[str],
        *,
        is_broken: bool,
    ) -> dict[str, Decision]:
        channels = self._view.config.notifications
        if not channels:
            return {}
        there = {facts.name for facts in every} | {each.name for each in outcome.failed} | named

        def was_looked_at(key: str, lineage: str | None) -> bool:
            if is_broken:
                return False
            return not self._names or lineage in self._names

        happened = tuple(conditions.happened(every, outcome, self._heard))
        record = load_schedule(self._view.paths)
        runs = () if record is None or record.how == OFF else record.actual.times
        at = now.astimezone().time()
        return {
            name: decide(
                before.get(name, ChannelState()),
                found,
                happened,
                now,
                on=channel.on,
                is_held=holds(channel.settings.get("quiet", ""), at, runs),
                was_looked_at=was_looked_at,
                exists=there.__contains__,
            )
            for name, channel in channels.items()
        }

    # -- what becomes of it --------------------------------------------------------------------------------------------

    def _write_metrics(
        self, every: Sequence[Facts], outcome: RenewalReport, now: datetime, known: TimerState
    ) -> Iterator[Notice]:
        from core.metrics import exposition
        from core.workflows.keeping.out_file import place_for

        file = Path(self._view.config.metrics.file or "")
        text = exposition(every, outcome, now, is_timer_active=known.word == "active")
        try:
            with place_for(self._view.paths, file, Path("/var/lib/node_exporter/certdeck.prom")) as place:
                place.write(text.encode(), 0o644, ending=".tmp")  # node_exporter reads every file that ends with .prom
        except CertdeckError as exc:
            yield self._notice(exc)

    def _notice(self, error: CertdeckError) -> Notice:
        """Return an error as a warning, and write it to the log."""
        from core.events import Warned

        what = f"{error.what} {error.why}".strip()
        self._record(Warned(code=error.code, what=what, fix=error.fix))
        return Notice(code=error.code, what=what, fix=error.fix)

    def _record(self, event: Event) -> None:
        """Write an event to the history, and to the system log. Never raises."""
        write_row(self._view, self._history, event)
