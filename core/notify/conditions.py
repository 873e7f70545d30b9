"""What to report at the end of a run: conditions that persist, by key, and one-time events. Pure.

A condition is reported when it begins, when its level changes, at most once a day while it persists, and when it has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from core.dates import day_shown, minute_shown
from core.errors import CertdeckError
from core.notify.channel import Item
from core.renewal_report import FailedLineage, Notice, RenewalReport
from core.severity import DAY, is_past_deadline, severity
from core.store.index import Facts
from core.text import plural

if TYPE_CHECKING:
    from core.events import Report

RUN = "run"
TIMER = "timer"
UPDATE = "update"
_CREDENTIALS = frozenset({"credentials", "permission", "no-api-access"})
"""Reasons of a DNS provider's error that mean a problem with its credentials."""
_ACCOUNT_CODES = frozenset({"account-error", "account-deactivated", "eab-required"})


class Condition(Struct, frozen=True, kw_only=True):
    """A condition that persists until it ends."""

    key: str
    """`renewal/shop`, `not-served/shop/web`, `timer`."""
    item: Item
    level: str
    """A change of the level is reported at once."""
    repeats: bool = True
    """Reported again every day."""
    ended: str = ""
    """The sentence for its end; empty: its end is not reported."""


def standing(
    every: Iterable[Facts],
    report: RenewalReport,
    now: datetime,
    next_try: Callable[[Facts], datetime | None],
    *,
    timer: str = "",
    timer_trouble: str = "",
) -> dict[str, Condition]:
    """Return the conditions of the given lineages and of the timer, by key.

    Args:
        next_try: when a scheduled run next tries to renew a lineage. Called only for those that have failed.
        timer: `off`, `absent`, `failed`; empty if it is active, or was not checked.
        timer_trouble: the reason for that, in a sentence.
    """
    stamp = now.timestamp()
    errors = {each.name: each.error for each in report.failed}
    waits = {each.name: each.why for each in report.skipped if each.needs_you}
    found: list[Condition] = []
    known = set()
    for facts in every:
        known.add(facts.name)
        if facts.last_error is not None:
            found.append(_failing(facts, facts.last_error, stamp, errors.get(facts.name), next_try(facts)))
        found += _of_lineage(facts, stamp, waits.get(facts.name, ""))
    found += (_unreadable(each) for each in report.failed if each.name not in known)
    found += (_not_served(each) for each in report.warnings if each.lineage and each.target)
    if timer:
        found.append(_timer(timer, timer_trouble))
    return {each.key: each for each in found}


def of_broken_run(error: CertdeckError) -> Condition:
    """Return the condition that the run itself failed, before it handled any certificate."""
    item = Item(events=("failed",), what=f"The renewal run failed: {error.what}", why=error.why, fix=error.fix)
    return Condition(key=RUN, item=item, level=error.code, ended="The renewal run succeeds again.")


def of_update(error: CertdeckError) -> Condition:
    """Return the condition that a part of this installation cannot be loaded or read after an update."""
    item = Item(events=("failed",), what=error.what, why=error.why, fix=error.fix)
    return Condition(key=UPDATE, item=item, level="", ended="The check after the update now succeeds.")


def missed(before: datetime, at: datetime, longest_pause: timedelta) -> Condition:
    """Return the condition that there was no run for too long between `before` and `at`."""
    item = Item(
        events=("run-missed",),
        what=f"No renewal run took place between {_minute(before)} and {_minute(at)}.",
        why=f"According to the schedule, at most {plural(longest_pause / timedelta(hours=1), 'hour')} pass between two runs.",
        fix="Check whether this box was off; `certdeck schedule show` shows the timer.",
    )
    return Condition(key=f"run-missed/{before.isoformat()}", item=item, level="", repeats=False)


def happened(every: Iterable[Facts], report: RenewalReport, told: Iterable[Report]) -> Iterator[Item]:
    """Yield the one-time events of a run: renewals, and deployments that were rolled back."""
    if report.renewed:
        ends = {facts.name: (facts.not_after, facts.ca) for facts in every}
        for name in report.renewed:
            end, ca = ends.get(name, (0.0, None))
            yield Item(
                events=("renewed",),
                what=f"{name} was renewed{f' by {ca}' if ca else ''}.",
                why=f"The new certificate is valid until {_day(end)}." if end else "",
                certificate=name,
                not_after=_moment(end) if end else None,
            )
    for each in told:
        from core.events import TargetRolledBack  # imported late: a run with nothing due reports nothing

        if isinstance(each.event, TargetRolledBack):
            yield Item(
                events=("rolled-back",),
                what=f"{each.event.target} serves its previous certificate: the new one was rolled back.",
                why=each.event.why,
                fix="Fix the service; `certdeck doctor` shows its test. The next run deploys the new one again.",
                certificate=each.lineage,
                target=each.event.target,
            )


def _of_lineage(facts: Facts, now: float, waits: str) -> Iterator[Condition]:
    name = facts.name
    if facts.revoked:
        item = Item(
            events=("revoked",),
            what=f"The certificate {name} is revoked: clients that check revocation reject it.",
            fix=f"Renew it: certdeck --renew {name}.",
            certificate=name,
            urgent=True,
        )
        yield Condition(
            key=f"revoked/{name}",
            item=item,
            level="",
            ended=f"The certificate {name} is no longer revoked: it was replaced.",
        )
    if facts.on_fallback:
        item = Item(
            events=("fallback",),
            what=f"The fallback certificate is served instead of {name}.",
            why="It could not be renewed in time.",
            fix=f"Find the cause with `certdeck doctor {name}`, then run: certdeck --renew {name} --force.",
            certificate=name,
        )
        ended = f"{name} is served again instead of the fallback certificate."
        yield Condition(key=f"fallback/{name}", item=item, level="", ended=ended)
    if facts.version is None:
        return
    level = severity(facts.not_before, facts.not_after, now, facts.chain_not_after)
    if level != "green" and now >= facts.not_before:
        yield _expiring(facts, level, now, waits)


def _failing(
    facts: Facts,
    last_error: Mapping[str, object],
    now: float,
    error: CertdeckError | None,
    next_try: datetime | None,
) -> Condition:
    name = facts.name
    said = {key: str(last_error.get(key) or "") for key in ("code", "what", "why", "fix")}
    if error is not None:  # of this run; the stored error may be from an earlier one
        said = {"code": error.code, "what": error.what, "why": error.why, "fix": error.fix}
    is_late = facts.version is not None and is_past_deadline(facts.not_before, facts.chain_not_after, now)
    is_refused = said["code"] in _ACCOUNT_CODES or (error is not None and error.details.get("reason") in _CREDENTIALS)
    events = ("deadline",) * is_late + ("credentials",) * is_refused + ("failed",)
    what = said["what"]
    if is_late:
        what = f"{name} {_ends(facts, now)}, and its renewal still fails. {what}"
    item = Item(
        events=events,
        what=what,
        why=said["why"],
        fix=said["fix"],
        certificate=name,
        next_try=next_try if next_try is not None and next_try.timestamp() > now else None,
        not_after=_moment(facts.not_after) if facts.version is not None else None,
        urgent=is_late,
    )
    return Condition(
        key=f"renewal/{name}",
        item=item,
        level="deadline" if is_late else "failed",
        ended=f"{name} has recovered: its last renewal or deployment succeeded.",
    )


def _expiring(facts: Facts, level: str, now: float, waits: str) -> Condition:
    end = facts.chain_not_after
    is_over = end <= now
    item = Item(
        events=("expiring",),
        what=f"{facts.name} {_ends(facts, now)}, on {_day(end)}.",
        why=f"{facts.chain_end} in its chain expires before the certificate itself." if facts.chain_end else "",
        fix=f"{waits[:1].upper()}{waits[1:]}." if waits else f"Check when it renews: certdeck status {facts.name}",
        certificate=facts.name,
        not_after=_moment(facts.not_after),
    )
    return Condition(
        key=f"expiring/{facts.name}",
        item=item,
        level="expired" if is_over else level,
        repeats=level == "red",
        ended=f"{facts.name} no longer expires soon.",
    )


def _unreadable(failed: FailedLineage) -> Condition:
    error = failed.error
    item = Item(events=("failed",), what=error.what, why=error.why, fix=error.fix, certificate=failed.name or None)
    ended = f"{failed.name or 'The state of this box'} can be read again."
    return Condition(key=f"renewal/{failed.name}", item=item, level="failed", ended=ended)


def _not_served(notice: Notice) -> Condition:
    name, target = notice.lineage, notice.target
    item = Item(
        events=("not-served",),
        what=notice.what,
        fix=f"{notice.fix}.",
        certificate=name,
        target=target,
    )
    ended = f"{target} serves the live certificate of {name} again."
    return Condition(key=f"not-served/{name}/{target}", item=item, level="", ended=ended)


def _timer(word: str, trouble: str) -> Condition:
    words = {"off": "is switched off", "absent": "is not set", "failed": "is not running"}[word]
    item = Item(
        events=("timer",),
        what=f"Nothing renews automatically: the timer {words}.",
        why=trouble,
        fix="Set it: certdeck schedule on",
    )
    return Condition(key=TIMER, item=item, level=word, ended="The timer is running again.")


def _ends(facts: Facts, now: float) -> str:
    """Return `expires in 3 days`, `expires in 5 hours`, or `has expired`."""
    left = facts.chain_not_after - now
    if left <= 0:
        return "has expired"
    count, unit = (int(left // DAY), "day") if left >= 2 * DAY else (int(left // 3600), "hour")
    return f"expires in {plural(count, unit)}"


def _moment(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)


def _day(stamp: float) -> str:
    return day_shown(_moment(stamp))


def _minute(at: datetime) -> str:
    return minute_shown(at.astimezone(UTC))
